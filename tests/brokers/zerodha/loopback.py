"""A scripted Kite on loopback: what it answers is what a test wrote down, and it keeps what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from optconsole.brokers.transport.gateway import Almanac
from optconsole.brokers.zerodha.gateway import KiteGateway, open_gateway
from optconsole.brokers.zerodha.instruments import KiteMaster
from optconsole.brokers.zerodha.settings import KiteSettings
from optconsole.engine.clock import Clock, WallClock, seeded
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import BrokerUpdate
from tests.brokers.zerodha.samples import DAY, LISTED_CALL, LISTED_INDEX, Notes

PATIENCE = 10.0
SILENT = (0, b"")
"""The request is taken and never answered."""
HANG_UP = (1, b"")
ACCOUNT = Account(id="Z1", broker="zerodha", mode=Mode.LIVE, capital=0)


def good(data: object) -> tuple[int, bytes]:
    return 200, msgspec.json.encode({"status": "success", "data": data})


def error(status: int, kind: str, message: str) -> tuple[int, bytes]:
    return status, msgspec.json.encode({"status": "error", "message": message, "error_type": kind})


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), strict_parsing=True).items()}


Answer = tuple[int, bytes] | Callable[[Asked], tuple[int, bytes]]


@dataclass
class Kite:
    """``answers`` by "METHOD /path"; what is missing is 404. ``lines`` are open sockets, ``told`` what they heard."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    told: list[dict[str, object]] = field(default_factory=list)
    lines: list[ServerConnection] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=lambda: {"demo_access"})
    rest_port: int = 0
    ws_port: int = 0
    _rest: asyncio.Server | None = None
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, true: Callable[[], bool]) -> None:
        """Return once something is true of what was asked or told."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()

    def calls(self, method: str, path: str) -> list[Asked]:
        return [each for each in self.asked if (each.method, each.path) == (method, path)]

    async def say(self, message: str | bytes) -> None:
        """Send a frame on every open socket."""
        for line in self.lines:
            await line.send(message)

    async def order(self, row: dict[str, object]) -> None:
        await self.say(msgspec.json.encode({"type": "order", "data": row}).decode())

    def drop(self) -> None:
        """Cut every socket without a word."""
        for line in self.lines:
            line.transport.abort()

    async def serve_rest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                asked = await _request(reader)
                self.asked.append(asked)
                self._news.set()
                answer = self.answers.get(f"{asked.method} {asked.path}", (404, b"{}"))
                status, body = answer(asked) if callable(answer) else answer
                if status == 0:
                    continue
                if status == 1:
                    break
                head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
        writer.close()

    def let_in(self, connection: ServerConnection, request: Request) -> Response | None:
        self.addresses.append(request.path)
        self._news.set()
        token = parse_qs(urlsplit(request.path).query).get("access_token", [""])[0]
        return None if token in self.tokens else connection.respond(HTTPStatus.FORBIDDEN, "")

    async def serve_stream(self, connection: ServerConnection) -> None:
        self.lines.append(connection)
        self._news.set()
        try:
            async for text in connection:
                self.told.append(msgspec.json.decode(text))
                self._news.set()
        except ConnectionClosed:
            pass
        finally:
            self.lines.remove(connection)

    async def show(self) -> None:
        """Answer HTTP, at the same port as ever."""
        self._rest = await asyncio.start_server(self.serve_rest, "127.0.0.1", self.rest_port)
        self.rest_port = self._rest.sockets[0].getsockname()[1]

    async def hide(self) -> None:
        """Let nobody connect any more."""
        rest, self._rest = self._rest, None
        if rest is not None:
            rest.close()
            for writer in self._writers:
                writer.transport.abort()
            self._writers.clear()
            await rest.wait_closed()


async def _request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Asked(method, parts.path, parse_qs(parts.query), headers, body)


@asynccontextmanager
async def kite() -> AsyncIterator[Kite]:
    made = Kite({"GET /user/profile": good({"user_id": "AB1234"}), "GET /orders": good([]), "GET /trades": good([])})
    await made.show()
    async with serve(made.serve_stream, "127.0.0.1", 0, process_request=made.let_in, ping_interval=None) as stream:
        made.ws_port = next(iter(stream.sockets)).getsockname()[1]
        try:
            yield made
        finally:
            await made.hide()
            made.drop()


class Vault(dict[str, str]):
    """Secrets in the open, for a test."""

    def get(self, name: str) -> Secret | None:  # type: ignore[override]
        return Secret(self[name]) if name in self else None


class Facts:
    """An almanac that knows one index."""

    def freeze(self, underlying: str) -> int | None:
        return 1800 if underlying == "NIFTY" else None

    def last_trade(self, _underlying: str, expiry: date) -> datetime | None:
        return datetime(expiry.year, expiry.month, expiry.day, 15, 40, tzinfo=IST)

    def index_tick(self, _underlying: str) -> int:
        return 1


ALMANAC: Almanac = Facts()


@dataclass
class Bench:
    """A gateway opened on a scripted Kite, and all it said."""

    kite: Kite
    vault: Vault
    clock: Clock
    gateway: KiteGateway
    notes: Notes
    heard: list[BrokerUpdate] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, update: BrokerUpdate) -> None:
        self.heard.append(update)
        self._news.set()

    async def until(self, true: Callable[[list[BrokerUpdate]], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true(self.heard):
                self._news.clear()
                await self._news.wait()


def settings_of(server: Kite, **changes: object) -> KiteSettings:
    return KiteSettings(
        **{
            "rest_url": f"http://127.0.0.1:{server.rest_port}",
            "ws_url": f"ws://127.0.0.1:{server.ws_port}",
            "deadline": 2.0,
            "probe_every": 0.05,
            **changes,
        }  # type: ignore[arg-type]
    )


@asynccontextmanager
async def bench(connected: bool = True, clock: Clock | None = None, **changes: object) -> AsyncIterator[Bench]:
    """An account opened with one option and its index listed."""
    async with kite() as server:
        vault, notes = Vault(api_key="demo_api_key", api_secret="demo_secret", access_token="demo_access"), Notes()
        settings = settings_of(server, **changes)
        clock = clock or WallClock()
        gateway = open_gateway(ACCOUNT, settings, vault, clock, seeded(5), notes, ALMANAC)
        opened = Bench(server, vault, clock, gateway, notes)
        master = KiteMaster(DAY, [LISTED_CALL, LISTED_INDEX])
        gateway.broker.adopt(master)
        gateway.feed.adopt(master)
        try:
            if connected:
                await gateway.broker.connect(opened.take)
            yield opened
        finally:
            await gateway.close()
