from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from optconsole.brokers.transport.socket import LiveSocket, Refused
from optconsole.engine.clock import WallClock, seeded
from tests.brokers.transport.certificates import Authority

PATIENCE = 10.0


class Client:
    """A LiveSocket that keeps what it hears, and a way to wait for it."""

    def __init__(self, url: str | None, **words: Any) -> None:
        self.url = url
        self.frames: list[str | bytes] = []
        self.states: list[tuple[str, str]] = []
        self._news = asyncio.Event()
        words.setdefault("on_open", self.let_in)
        self.socket = LiveSocket(
            lambda: self.url,
            WallClock(),
            seeded(1),
            on_text=self._take,
            on_binary=self._take,
            on_state=self._state,
            **words,
        )

    async def let_in(self, socket: LiveSocket) -> None:
        await socket.send("hello")

    def _take(self, frame: str | bytes) -> None:
        self.frames.append(frame)
        self._news.set()

    def _state(self, state: str, why: str) -> None:
        self.states.append((state, why))
        self._news.set()

    def said(self, state: str) -> int:
        return sum(each == state for each, _ in self.states)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()


Serve = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def serving(each: Serve, **words: Any) -> AsyncIterator[str]:
    async def quietly(connection: ServerConnection) -> None:
        try:
            await each(connection)
        except ConnectionClosed:
            return

    async with serve(quietly, "127.0.0.1", 0, **words) as server:
        scheme = "wss" if "ssl" in words else "ws"
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@asynccontextmanager
async def client(url: str | None, **words: Any) -> AsyncIterator[Client]:
    opened = Client(url, **words)
    opened.socket.start()
    try:
        yield opened
    finally:
        await opened.socket.stop()


async def echo(connection: ServerConnection) -> None:
    async for frame in connection:
        await connection.send(frame)


async def test_frames_arrive_after_the_opening_words() -> None:
    async with serving(echo) as url, client(url) as ours:
        await ours.until(lambda: "hello" in ours.frames)
        await ours.until(lambda: ours.socket.state == "live")
        assert ours.socket.silent_for() is not None


async def test_a_socket_that_goes_mute_is_given_up_and_opened_anew() -> None:
    async def mute(connection: ServerConnection) -> None:
        await connection.send("one frame")
        await connection.wait_closed()

    async with serving(mute) as url, client(url, silence=0.6) as ours:
        await ours.until(lambda: ours.socket.opened >= 2)
        assert ours.said("silent") >= 1


@pytest.mark.parametrize("counts", [True, False])
async def test_a_pong_of_the_protocol_is_life_where_a_stream_may_have_nothing_to_say(counts: bool) -> None:
    pings = asyncio.Semaphore(0)

    async def speechless(connection: ServerConnection) -> None:
        async for frame in connection:
            if frame == "ping":
                pings.release()

    words: dict[str, Any] = {"silence": 1.2, "ping": "ping", "ping_every": 0.1, "pong_is_life": counts}
    async with serving(speechless) as url, client(url, **words) as ours:
        if counts:
            async with asyncio.timeout(PATIENCE):
                for _ in range(4):
                    await pings.acquire()
            assert (ours.socket.state, ours.socket.opened) == ("live", 1)
        else:
            await ours.until(lambda: ours.said("silent") == 1)


async def test_what_was_subscribed_is_asked_for_again_on_every_connection() -> None:
    connections = 0

    async def drop_the_first(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        if connections == 1:
            await connection.recv()
            await connection.close(1001, "going \x1b[31maway")
        else:
            await echo(connection)

    async with serving(drop_the_first) as url, client(url) as ours:
        await ours.until(lambda: "hello" in ours.frames)
        assert connections == 2
        (why,) = [why for state, why in ours.states if state == "down"][:1]
        assert "1001" in why
        assert "\x1b" not in why


async def test_a_refused_handshake_is_not_repeated_until_the_token_is_another() -> None:
    asked: list[str] = []

    def door(_connection: ServerConnection, request: Request) -> Response | None:
        asked.append(request.path)
        return None if "new" in request.path else _connection.respond(HTTPStatus.FORBIDDEN, "no")

    async with serving(echo, process_request=door) as base, client(f"{base}?token=old") as ours:
        await ours.until(lambda: ours.socket.state == "refused")
        await asyncio.sleep(0.7)
        assert len(asked) == 1
        ours.url = f"{base}?token=new"
        await ours.until(lambda: ours.socket.state == "live")
        assert len(asked) == 2


async def test_a_login_that_is_refused_inside_the_stream_ends_the_attempts() -> None:
    async def not_you(socket: LiveSocket) -> None:
        raise Refused("the broker does not know this token")

    async with serving(echo) as url, client(url, on_open=not_you) as ours:
        await ours.until(lambda: ours.socket.state == "refused")
        assert ours.socket.opened == 1
        assert ours.states[-1] == ("refused", "the broker does not know this token")


async def test_without_a_login_nothing_is_connected_until_there_is_one() -> None:
    async with serving(echo) as url, client(None) as ours:
        await ours.until(lambda: ours.socket.state == "refused")
        assert ours.socket.opened == 0
        ours.url = url
        await ours.until(lambda: ours.socket.state == "live")


async def test_a_connection_that_never_lets_us_in_is_not_live() -> None:
    async def never(socket: LiveSocket) -> None:
        raise Refused("NOT_OK")

    async with serving(echo) as url, client(url, on_open=never) as ours:
        await ours.until(lambda: ours.socket.state == "refused")
        assert ours.said("live") == 0


async def test_a_broker_that_is_down_is_not_hammered() -> None:
    attempts = 0

    async def slam(connection: ServerConnection) -> None:
        nonlocal attempts
        attempts += 1
        connection.transport.abort()

    async with serving(slam) as url, client(url) as ours:
        await asyncio.sleep(2.0)
        assert ours.socket.opened == attempts
        assert 1 <= attempts <= 6


async def test_the_own_ping_is_sent() -> None:
    async with serving(echo) as url, client(url, ping="ping", ping_every=0.2) as ours:
        await ours.until(lambda: "ping" in ours.frames)


async def test_a_fault_in_reading_one_frame_does_not_end_the_stream() -> None:
    def stumble(frame: bytes) -> None:
        raise IndexError(len(frame))

    async def garbage_first(connection: ServerConnection) -> None:
        await connection.send(b"\x00" * 16)
        await echo(connection)

    async with serving(garbage_first) as url:
        ours = Client(url)
        ours.socket._on_binary = stumble
        ours.socket.start()
        await ours.until(lambda: ours.socket.opened >= 2)
        assert "reported as" in next(why for state, why in ours.states if state == "down")
        await ours.socket.stop()


@pytest.mark.parametrize("fault", ["unknown authority", "wrong host"])
async def test_a_doubtful_certificate_hears_no_token(fault: str, tmp_path: Path) -> None:
    ours_ca, theirs = Authority.fresh(tmp_path), Authority.fresh(tmp_path, "theirs")
    tls = theirs.server(tmp_path) if fault == "unknown authority" else ours_ca.server(tmp_path, host="ws.example.com")
    async with serving(echo, ssl=tls) as url, client(url, roots=ours_ca.roots) as ours:
        await ours.until(lambda: ours.said("down") > 0)
        assert ours.socket.opened == 0


async def test_a_verified_socket_is_trusted(tmp_path: Path) -> None:
    authority = Authority.fresh(tmp_path)
    async with serving(echo, ssl=authority.server(tmp_path)) as url, client(url, roots=authority.roots) as ours:
        await ours.until(lambda: ours.socket.state == "live")


async def test_a_token_does_not_leave_for_another_machine_in_the_clear() -> None:
    async with client("ws://192.0.2.1/?token=x") as ours:
        await ours.until(lambda: ours.said("down") > 0)
        assert "in the clear" in ours.states[-1][1]
        assert "token" not in ours.states[-1][1].partition("would send")[2].replace("tokens in the clear", "")
