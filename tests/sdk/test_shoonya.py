"""Our adapter beside Shoonya's own SDK: the same requests and the same words on the stream for the same intents."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from optconsole.brokers.rehearsal.noren.dialect import NorenDialect
from optconsole.brokers.rehearsal.peer import Message, Peer
from optconsole.brokers.rehearsal.wire import Request, Response
from optconsole.engine.model.orders import OrderType, Product, Side, Validity
from optconsole.engine.ports import Accepted, ModifyRequest, PlaceRequest
from tests.brokers.paper.stage import CALL
from tests.brokers.rehearsal.stage import until
from tests.contract.shoonya_rig import ShoonyaRig, shoonya
from tests.sdk.environments import run_sdk, sdk_python
from tests.sdk.test_noren import PACKAGES

HERE = Path(__file__).parent
TAGS = ["V1AAA000000001X", "V1AAA000000002X"]
OPTIONAL: Final = {
    "ordersource": "the SDK names it in some reads, the documents in none",
    "algo_id": "the SDK sends null",
}
APART: Final = {"ModifyOrder": {"actid", "ret"}, "SpanCalc": {"uid"}}
"""Fields by which the SDK departs from the documents: no ``ret`` in a change, where we send it; one id too many."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python() -> Path:
    return sdk_python("noren", PACKAGES)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ShoonyaRig]:
    async with shoonya(tmp_path) as opened:
        await opened.show((99_50, 650), (100_50, 650), 100_00)
        yield opened


class Tapped:
    """What reaches a rehearsal: fields by endpoint, tokens, and words on its streams."""

    def __init__(self, dialect: NorenDialect, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: dict[str, list[Any]] = defaultdict(list)
        self.tokens: set[str] = set()
        self.said: list[dict[str, str]] = []
        handle, frames = dialect.handle, Peer.frames

        async def handled(request: Request) -> Response:
            endpoint, data = request.path.rpartition("/")[2], request.body.partition(b"jData=")[2].partition(b"&")[0]
            if data:
                self.asked[endpoint].append(_meaning(endpoint, json.loads(data)))
                self.tokens.add(request.headers["authorization"])
            return await handle(request)

        async def heard(peer: Peer) -> AsyncIterator[Message]:
            async for message in frames(peer):
                self.said.append(json.loads(message))
                yield message

        monkeypatch.setattr(dialect, "handle", handled)
        monkeypatch.setattr(Peer, "frames", heard)

    def taken(self) -> tuple[dict[str, list[Any]], list[dict[str, str]]]:
        """What came since it was last asked."""
        asked, said = dict(self.asked), [frame for frame in self.said if frame["t"] != "h"]
        self.asked.clear()
        self.said.clear()
        return asked, said


def _meaning(endpoint: str, fields: Any) -> Any:
    """Fields without what says nothing; figures as figures, numbers of orders by how they end."""
    if isinstance(fields, list):
        return [_meaning(endpoint, each) for each in fields]
    if isinstance(fields, dict):
        left_out = OPTIONAL.keys() | APART.get(endpoint, set())
        said = {name: value for name, value in fields.items() if name not in left_out}
        number = {"norenordno": "an order's"} if "norenordno" in said else {}
        return {name: _meaning(endpoint, value) for name, value in said.items() if value not in (None, "None")} | number
    try:
        return Decimal(fields).normalize()
    except InvalidOperation:
        return fields


async def test_the_same_intents_are_the_same_requests(
    python: Path, rig: ShoonyaRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = rig.served.dialect
    assert isinstance(dialect, NorenDialect)
    dialect.hazards = msgspec.structs.replace(dialect.hazards, paced=False, one_socket=False)
    symbol = dialect.desk.symbols.of(CALL.name)
    assert symbol is not None
    until_now = int(rig.market.now().timestamp())
    task = rig.served.ready | {"tsym": symbol.tsym, "token": symbol.token, "tags": TAGS}
    task |= {"since": until_now - 3600, "until": until_now}
    tap = Tapped(dialect, monkeypatch)
    await rig.reconnect()  # so that its first words on the stream are heard
    # ours first: unlike the SDK we do not send a tag that an order has already
    await _ours(rig, tap, until_now)
    await rig.gateway.close()
    ours, our_words = tap.taken()
    assert await run_sdk(python, HERE / "noren_intents.py", task, tmp_path) is True
    theirs, their_words = tap.taken()
    for endpoint, bodies in theirs.items():
        # books are read again when an order moves: often, and always alike
        assert _distinct(ours[endpoint]) == _distinct(bodies), endpoint
    assert tap.tokens == {f"Bearer {rig.served.credentials['access_token']}"}
    assert {word["t"] for word in their_words} == {"a", "o", "t", "u"}
    for word in their_words:
        assert word in our_words, our_words


def _distinct(bodies: list[Any]) -> list[Any]:
    return [body for place, body in enumerate(bodies) if body not in bodies[:place]]


async def _ours(rig: ShoonyaRig, tap: Tapped, until_now: int) -> None:
    """What the SDK's script intends."""
    broker, gateway = rig.broker, rig.gateway
    limit = PlaceRequest(
        tag=TAGS[0],
        account="FA",
        instrument=rig.instrument,
        side=Side.BUY,
        qty=65,
        type=OrderType.LIMIT,
        price=99_00,
        trigger=None,
        product=Product.NRML,
        validity=Validity.DAY,
    )
    stop = msgspec.structs.replace(limit, tag=TAGS[1], side=Side.SELL, type=OrderType.SL, price=89_00, trigger=90_00)
    first = await broker.place(limit)
    assert isinstance(first, Accepted)
    assert isinstance(await broker.place(stop), Accepted)
    change = ModifyRequest(broker_id=first.broker_id, qty=130, price=98_50, trigger=None)
    assert isinstance(await broker.modify(change), Accepted)
    assert isinstance(await broker.cancel(first.broker_id), Accepted)
    for read in (broker.orders, broker.trades, broker.positions, broker.funds, gateway.portfolio.holdings):
        await read()
    await broker.history(first.broker_id)
    master = gateway.master
    assert master is not None
    listed = master.of(CALL.name)
    assert listed is not None
    await gateway.questions.quote(listed)
    await gateway.questions.security(listed)
    await gateway.history.chain(listed, 25_000_00, 2, master)
    now = rig.market.now()
    end = now + timedelta(seconds=until_now - now.timestamp())
    await gateway.history.candles(listed, end - timedelta(hours=1), end, 1)
    await gateway.history.days(listed.segment, listed.symbol, end - timedelta(hours=1), end)
    await gateway.portfolio.span([(listed, Product.NRML, -65)])
    await gateway.feed.start(lambda _quotes: None)
    gateway.feed.watch([CALL.name])
    await until(lambda: any(frame["t"] == "t" for frame in tap.said))
    gateway.feed.drop([CALL.name])
    await until(lambda: any(frame["t"] == "u" for frame in tap.said))
