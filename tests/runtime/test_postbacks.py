"""Postbacks (reliability C20, X08, X09): over real sockets; the most one can do is to have a book read sooner."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from optconsole.config import Settings
from optconsole.engine.clock import MarketClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.options import RunOptions
from optconsole.runtime import postbacks
from optconsole.runtime.house import open_house
from optconsole.runtime.postbacks import Postbacks, postbacks_of
from optconsole.runtime.strongroom import Strongroom
from tests.canaries import CANARIES
from tests.engine.store.vaults import NOON

SECRET = CANARIES["api_secret"]
KITE, ANGEL = "kite-key-" + "x" * 20, "angel-key-" + "y" * 20
ORDER = {"order_id": "1990000000000000001", "order_timestamp": "2026-11-24 10:15:02", "status": "COMPLETE"}


class Held:
    def __init__(self, **secrets: str) -> None:
        self._secrets = secrets

    def get(self, name: str) -> Secret | None:
        return Secret(self._secrets[name]) if name in self._secrets else None


@dataclass
class Desk:
    postbacks: Postbacks
    seconds: list[float]
    hinted: list[str] = field(default_factory=list)

    async def raw(self, data: bytes, *, end: bool = False) -> int:
        """The status that a request is answered with; the seconds between two are always enough."""
        self.seconds[0] += 1.0
        return await self.at_once(data, end=end)

    async def at_once(self, data: bytes, *, end: bool = False) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.postbacks.port)
        writer.write(data)
        if end:
            writer.write_eof()
        answer = await reader.read()
        writer.close()
        return int(answer.split()[1])

    async def post(self, path: str, body: bytes, method: str = "POST") -> int:
        return await self.raw(request(path, body, method))


def request(path: str, body: bytes, method: str = "POST") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def signed(secret: str = SECRET, **changes: str) -> bytes:
    order = {**ORDER, **changes}
    check = sha256(f"{ORDER['order_id']}{ORDER['order_timestamp']}{secret}".encode()).hexdigest()
    return json.dumps({**order, "checksum": check}).encode()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    seconds = [100.0]
    hinted: list[str] = []
    accounts = {
        "main": ("zerodha", Held(postback_key=KITE, api_secret=SECRET)),
        "second": ("angelone", Held(postback_key=ANGEL)),
        "keyless": ("angelone", Held()),
        "short": ("angelone", Held(postback_key="short")),
    }
    listener = Postbacks(accounts, hinted.append, MarketClock(NOON, monotonic=lambda: seconds[0]))
    await listener.start()
    yield Desk(listener, seconds, hinted)
    await listener.close()


async def test_a_verified_postback_is_a_hint_for_its_account_and_nothing_more(desk: Desk) -> None:
    assert await desk.post(f"/postback/main/{KITE}", signed()) == 200
    assert await desk.post(f"/postback/second/{ANGEL}", b"whatever it says") == 200
    assert desk.hinted == ["main", "second"]


async def test_the_checksum_of_the_documentation_holds(desk: Desk) -> None:
    assert postbacks._signed(
        json.dumps({**ORDER, "checksum": "2558fac73f9a2946f02e8eb2dc5fda3eecc62fc59cbca502be21e4b8ffd1d6eb"}).encode(),
        Secret("demo_secret"),
    )


async def test_a_changed_fill_under_a_valid_checksum_is_still_only_a_hint(desk: Desk) -> None:
    """Kite's checksum covers neither status nor price (X08): so nothing of the body goes anywhere."""
    assert await desk.post(f"/postback/main/{KITE}", signed(status="REJECTED", average_price="1")) == 200
    assert desk.hinted == ["main"]


@pytest.mark.parametrize(
    "body",
    [
        signed("another secret"),
        signed(order_id="1990000000000000002"),
        json.dumps(ORDER).encode(),
        json.dumps({**ORDER, "checksum": 7}).encode(),
        b"",
        b"[]",
        b"\xff\xfe",
        b"[" * 20_000,
        json.dumps({"checksum": sha256(SECRET.encode()).hexdigest()}).encode(),
    ],
)
async def test_a_forged_postback_is_refused(desk: Desk, body: bytes) -> None:
    assert await desk.post(f"/postback/main/{KITE}", body) == 403
    assert desk.hinted == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/postback/main",
        "/postback/main/",
        f"/postback/main/{ANGEL}",
        f"/postback/nobody/{KITE}",
        f"/postback/second/{KITE}",
        f"/postback/main/{KITE}/more",
        f"//postback/main/{KITE}",
        "/postback/keyless/",
        "/postback/keyless/%00",
        "/postback/short/short",
        f"/postback/../postback/main/{KITE}",
    ],
)
async def test_another_address_is_nobodys(desk: Desk, path: str) -> None:
    assert await desk.post(path, signed()) == 404
    assert desk.hinted == []


async def test_only_a_post_counts(desk: Desk) -> None:
    assert await desk.post(f"/postback/main/{KITE}", signed(), "GET") == 405
    assert desk.hinted == []


async def test_a_body_above_64_kib_is_refused_by_its_length_and_by_its_bytes(desk: Desk) -> None:
    big = b" " * (64 * 1024 + 1)
    assert await desk.raw(request(f"/postback/main/{KITE}", b"")[:-4].replace(b": 0", b": 65537") + b"\r\n\r\n") == 413
    chunked = f"POST /postback/main/{KITE} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert await desk.raw(chunked + f"{len(big):x}\r\n".encode() + big + b"\r\n0\r\n\r\n") == 413
    exact = signed().ljust(64 * 1024)
    assert await desk.post(f"/postback/main/{KITE}", exact) == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\0\1\2\3\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
        b"POST / HTTP/1.1\r\n" + b"X: " + b"y" * 40_000 + b"\r\n\r\n",
        b"",
    ],
)
async def test_what_is_no_request_is_refused(desk: Desk, data: bytes) -> None:
    assert 400 <= await desk.raw(data, end=True) < 500
    assert desk.hinted == []


async def test_a_flood_is_answered_fast_and_five_a_second_are_looked_at(desk: Desk) -> None:
    statuses = [await desk.at_once(request(f"/postback/main/{KITE}", signed())) for _ in range(50)]
    assert statuses == [200] * 5 + [429] * 45
    assert desk.hinted == ["main"] * 5
    desk.seconds[0] += 1.0
    assert await desk.at_once(request(f"/postback/main/{KITE}", signed())) == 200


async def test_it_listens_on_this_machine_alone(desk: Desk) -> None:
    server = desk.postbacks._server
    assert server is not None
    assert [each.getsockname()[0] for each in server.sockets] == ["127.0.0.1"]


async def test_a_port_that_is_taken_is_one_sentence(desk: Desk) -> None:
    second = Postbacks({}, desk.hinted.append, MarketClock(NOON), desk.postbacks.port)
    with pytest.raises(Refusal) as caught:
        await second.start()
    assert caught.value.code == "POSTBACK_PORT"


async def test_the_listener_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    room = Strongroom(tmp_path)
    assert postbacks_of(Settings(), room, print) is None
    asked = Settings.model_validate({"postbacks": {"port": 18080}, "accounts": {"main": {"broker": "zerodha"}}})
    listener = postbacks_of(asked, room, print)
    assert listener is not None
    assert list(listener._accounts) == ["main"]


async def test_a_postback_has_a_running_engine_read_the_book_of_its_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    house = await open_house(RunOptions(home=home, seed=1))
    try:
        engine, asked = house.engine, []
        monkeypatch.setattr(engine._watches["paper"], "want", lambda: asked.append("paper"))
        before = engine.state.seq
        engine.read_soon("paper")
        engine.read_soon("nobody")
        assert asked == ["paper"]
        assert engine.state.seq == before
    finally:
        await house.stop("the test is over")
