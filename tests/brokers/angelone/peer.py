"""The other end, by hand: a loopback server that answers what a test tells it to, and keeps what it was sent."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from optconsole.brokers.angelone.gateway import AngelGateway, open_gateway
from optconsole.brokers.angelone.settings import AngelSettings
from optconsole.brokers.rehearsal.peer import Peer
from optconsole.brokers.rehearsal.server import RehearsalServer, SocketHandler
from optconsole.brokers.rehearsal.wire import Manner, Request, Response, as_json, plain
from optconsole.engine.clock import MarketClock, seeded
from optconsole.engine.ports import BrokerUpdate
from tests.brokers.angelone.stage import ACCOUNT, NOW, ORDER, SCRIPS, Notes, StageAlmanac, StageCredentials

PLACE = "/rest/secure/angelbroking/order/v1/placeOrder"
MODIFY = "/rest/secure/angelbroking/order/v1/modifyOrder"
CANCEL = "/rest/secure/angelbroking/order/v1/cancelOrder"
BOOK = "/rest/secure/angelbroking/order/v1/getOrderBook"
TRADES = "/rest/secure/angelbroking/order/v1/getTradeBook"
POSITIONS = "/rest/secure/angelbroking/order/v1/getPosition"
QUOTE = "/rest/secure/angelbroking/market/v1/quote/"
RMS = "/rest/secure/angelbroking/user/v1/getRMS"
PROFILE = "/rest/secure/angelbroking/user/v1/getProfile"
TICKS, UPDATES, MASTER = "/smart-stream", "/smart-order-update", "/master.json"

LIMITED = plain("Access denied because of exceeding access rate", 403)
DEAD = as_json({"success": False, "message": "Invalid Token", "errorCode": "AG8001", "data": ""}, 403)
LOST = Response(manner=Manner(drop=True))
"""The request was read, and the connection cut."""
PATIENCE = 10.0


def success(data: Any) -> Response:
    return as_json({"status": True, "message": "SUCCESS", "errorcode": "", "data": data})


def failure(code: str, message: str = "no", status: int = 200) -> Response:
    return as_json({"status": False, "message": message, "errorcode": code, "data": None}, status)


PLACED = success({"script": "NIFTY24NOV2625000CE", "orderid": ORDER, "uniqueorderid": "0b0f3a5e"})


class Bench:
    """Answers by path: each path's answers in turn, the last again and again. ``calls`` are what came."""

    def __init__(self) -> None:
        self.calls: list[Request] = []
        self.sockets: dict[str, list[Peer]] = defaultdict(list)
        self.handshakes: list[Request] = []
        self.said: list[Any] = []
        """What clients said on the stream of quotes, pings left out."""
        self.refuse: dict[str, Response] = {}
        self.pong = True
        self._answers: dict[str, deque[Response]] = {}
        self._news = asyncio.Event()
        self.server = RehearsalServer(self._handle, self._welcome)
        self.tell(PROFILE, success({"clientcode": "A1"}))
        self.tell(MASTER, as_json(SCRIPS))
        for path in (BOOK, TRADES, POSITIONS):
            self.tell(path, success(None))

    def tell(self, path: str, *answers: Response) -> None:
        self._answers[path] = deque(answers)

    def bodies(self, path: str) -> list[Any]:
        return [msgspec.json.decode(call.body) for call in self.calls if call.path == path]

    def count(self, path: str) -> int:
        return sum(call.path == path for call in self.calls)

    def push(self, path: str, *frames: str | bytes | dict[str, Any]) -> None:
        """Send to every open client of a stream."""
        for peer in self.sockets[path]:
            for frame in frames:
                if isinstance(frame, bytes):
                    peer.send_binary(frame)
                else:
                    peer.send_text(frame if isinstance(frame, str) else msgspec.json.encode(frame).decode())

    async def until(self, true: Callable[[], bool]) -> None:
        """Return once ``true``; fail when it never becomes so."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()

    def wake(self, *_news: object) -> None:
        self._news.set()

    async def _handle(self, request: Request) -> Response:
        self.calls.append(request)
        self.wake()
        answers = self._answers.get(request.path)
        if not answers:
            return plain("<html>404</html>", 404, "text/html")
        return answers.popleft() if len(answers) > 1 else answers[0]

    async def _welcome(self, request: Request) -> Response | SocketHandler:
        self.handshakes.append(request)
        self.wake()
        return self.refuse.get(request.path) or self._serve

    async def _serve(self, request: Request, peer: Peer) -> None:
        self.sockets[request.path].append(peer)
        self.wake()
        try:
            async for message in peer.frames():
                if message == "ping":
                    if self.pong:
                        peer.send_text("pong")
                elif request.path == TICKS:
                    self.said.append(msgspec.json.decode(message))
                self.wake()
        finally:
            self.sockets[request.path].remove(peer)
            self.wake()


class Desk:
    """A gateway before a `Bench`, and what it told."""

    def __init__(self, bench: Bench, **settings: Any) -> None:
        url, ws = f"http://127.0.0.1:{bench.server.port}", f"ws://127.0.0.1:{bench.server.port}"
        self.bench = bench
        self.notes = Notes()
        self.notes.on_note = bench.wake
        self.credentials = StageCredentials()
        self.rows: list[BrokerUpdate] = []
        self.clock = MarketClock(NOW)
        self.settings = AngelSettings(
            client_id="A1",
            rest_url=url,
            ws_url=ws + TICKS,
            order_ws_url=ws + UPDATES,
            master_url=url + MASTER,
            sentinels=("NIFTY",),
            **{"budgets": {}, "deadline": 2.0} | settings,
        )
        self.gateway: AngelGateway = open_gateway(
            ACCOUNT, self.settings, self.credentials, self.clock, seeded(1), self.notes, StageAlmanac()
        )
        self.broker, self.feed = self.gateway.broker, self.gateway.feed

    def hear(self, row: BrokerUpdate) -> None:
        self.rows.append(row)
        self.bench.wake()


@asynccontextmanager
async def desk(connected: bool = True, **settings: Any) -> AsyncIterator[Desk]:
    """An opened account before its bench; the day's contracts are loaded."""
    bench = Bench()
    await bench.server.start()
    found = Desk(bench, **settings)
    await found.gateway.load_master(NOW.date())
    if connected:
        await found.broker.connect(found.hear)
    try:
        yield found
    finally:
        await found.gateway.close()
        await bench.server.close()
