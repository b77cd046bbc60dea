"""A small Shoonya on loopback for fault tests: one port of REST whose answers a test scripts, one socket.

It knows nothing of orders; what a whole exchange would do is the contract suite's business.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from optconsole.brokers.shoonya.gateway import ShoonyaGateway, open_gateway
from optconsole.brokers.shoonya.settings import ShoonyaSettings
from optconsole.engine.clock import WallClock, seeded
from tests.brokers.shoonya.stage import ACCOUNT, Almanac, Desk, Keys, master
from tests.brokers.transport.certificates import Authority

PATIENCE = 10.0
Answer = bytes | Callable[[dict[str, Any]], bytes | None]
EMPTY = b'{"stat":"Not_Ok","emsg":"Error Occurred : 5 \\"no data\\""}'
DEAD = b'{"stat":"Not_Ok","emsg":"Session Expired : Invalid Session Key"}'


@dataclass
class Request:
    endpoint: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body.removeprefix(b"jData=").split(b"&")[0])
        return found


@dataclass
class Shoonya:
    """What the server answers and what it has heard. An answer of None closes the connection without a byte."""

    answers: dict[str, list[tuple[int, Answer]]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    ack: str = "OK"
    ack_kind: str = "ak"
    carried: int = 1000
    """Contracts that the socket confirms; more are dropped silently."""
    mute: bool = False
    answers_heartbeats: bool = True
    frames: list[dict[str, Any]] = field(default_factory=list)
    sockets: list[ServerConnection] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    pause: dict[str, asyncio.Event] = field(default_factory=dict)
    """Endpoints that answer only once their event is set."""
    rest_port: int = 0
    ws_port: int = 0

    def answer(self, endpoint: str, *answers: Answer, status: int = 200) -> None:
        """Answer an endpoint with these in turn, the last for good."""
        self.answers[endpoint] = [(status, each) for each in answers]

    def asked(self, endpoint: str) -> list[Request]:
        return [each for each in self.requests if each.endpoint == endpoint]

    def sent(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame.get("t") == kind]

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                self.news.clear()
                try:
                    async with asyncio.timeout(0.05):
                        await self.news.wait()
                except TimeoutError:
                    continue

    async def push(self, **frame: Any) -> None:
        """Send a frame to whoever is connected last."""
        await self.sockets[-1].send(json.dumps(frame))

    async def rest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *rest = head.decode("latin-1").split("\r\n")
                headers = dict(each.lower().split(": ", 1) for each in rest if ": " in each)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                endpoint = line.split(" ")[1].rsplit("/", 1)[-1]
                request = Request(endpoint, headers, body)
                self.requests.append(request)
                self.news.set()
                if endpoint in self.pause:
                    await self.pause[endpoint].wait()
                scripted = self.answers.get(endpoint, [(200, EMPTY)])
                status, answer = scripted.pop(0) if len(scripted) > 1 else scripted[0]
                content = answer(request.fields) if callable(answer) else answer
                if content is None:
                    break
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def ws(self, connection: ServerConnection) -> None:
        self.sockets.append(connection)
        self.confirmed.clear()
        try:
            async for text in connection:
                frame = json.loads(text)
                self.frames.append(frame)
                self.news.set()
                await self._reply(connection, frame)
        except ConnectionClosed:
            pass

    async def _reply(self, connection: ServerConnection, frame: dict[str, Any]) -> None:
        kind = frame["t"]
        if kind == "a":
            await connection.send(json.dumps({"t": self.ack_kind, "uid": frame["uid"], "s": self.ack}))
        elif kind == "h" and self.answers_heartbeats:
            await connection.send('{"t":"hk"}')
        elif kind == "u":
            self.confirmed.difference_update(frame["k"].split("#"))
        elif kind in ("t", "d") and not self.mute:
            for key in frame["k"].split("#"):
                if len(self.confirmed) < self.carried or key in self.confirmed:
                    self.confirmed.add(key)
                    segment, token = key.split("|")
                    seed = {"t": f"{kind}k", "e": segment, "tk": token, "lp": "100.00", "bp1": "99.95", "bq1": "65"}
                    await connection.send(json.dumps(seed))


@asynccontextmanager
async def shoonya() -> AsyncIterator[Shoonya]:
    house = Shoonya()
    rest = await asyncio.start_server(house.rest, "127.0.0.1", 0)
    async with rest, serve(house.ws, "127.0.0.1", 0, ping_interval=None) as socket:
        house.rest_port = rest.sockets[0].getsockname()[1]
        house.ws_port = next(iter(socket.sockets)).getsockname()[1]
        yield house


@dataclass
class Bench:
    """A gateway to the server above, with what it was given."""

    house: Shoonya
    gateway: ShoonyaGateway
    keys: Keys
    desk: Desk


def settings(house: Shoonya, **changed: Any) -> ShoonyaSettings:
    plain: dict[str, Any] = {
        "rest_url": f"http://127.0.0.1:{house.rest_port}/NorenWClientAPI",
        "ws_url": f"ws://127.0.0.1:{house.ws_port}/NorenWSAPI/",
        "masters_url": f"http://127.0.0.1:{house.rest_port}",
        "deadline": 2.0,
        "ack_patience": 0.2,
        "batch_gap": 0.0,
        "quotes_a_minute": 6000,
    }
    return ShoonyaSettings(**{**plain, **changed})


@lru_cache(maxsize=1)
def few_roots() -> Path:
    """One authority to trust: reading all that there are takes longer than most tests, and nothing here is sealed."""
    return Authority.fresh(Path(mkdtemp())).roots


@asynccontextmanager
async def bench(house: Shoonya, **changed: Any) -> AsyncIterator[Bench]:
    keys, desk = Keys(), Desk()
    given = settings(house, **changed)
    gateway = open_gateway(ACCOUNT, given, keys, WallClock(), seeded(7), desk, Almanac(), few_roots())
    gateway.broker.adopt(master())
    gateway.feed.adopt(master())
    try:
        yield Bench(house, gateway, keys, desk)
    finally:
        await gateway.close()
