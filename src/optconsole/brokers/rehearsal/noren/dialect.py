"""Shoonya's wire as a dialect of the rehearsal: who may ask, how often, and how the server fails."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from inspect import isawaitable
from itertools import cycle
from typing import Final

import msgspec

from optconsole.brokers.rehearsal.dialect import Call, fewer
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren import masters
from optconsole.brokers.rehearsal.noren.asking import bearer, call_of, endpoint_of
from optconsole.brokers.rehearsal.noren.body import BadRequest, read
from optconsole.brokers.rehearsal.noren.books import Books
from optconsole.brokers.rehearsal.noren.desk import Desk, ServerTimeout
from optconsole.brokers.rehearsal.noren.door import REDIRECT, Door, is_page
from optconsole.brokers.rehearsal.noren.endpoints import Endpoints
from optconsole.brokers.rehearsal.noren.hazards import Hazards, changed
from optconsole.brokers.rehearsal.noren.logins import Client, Logins
from optconsole.brokers.rehearsal.noren.pacing import DEFAULT, TEXT, Limits, Pacing
from optconsole.brokers.rehearsal.noren.quoting import Quoting
from optconsole.brokers.rehearsal.noren.record import Record, Stage
from optconsole.brokers.rehearsal.noren.replies import (
    BAD_GATEWAY,
    NO_DATA,
    SESSION_EXPIRED,
    TIMEOUT,
    encoded,
    not_ok,
    ok,
    page,
)
from optconsole.brokers.rehearsal.noren.stream import Streams
from optconsole.brokers.rehearsal.noren.watches import UNKNOWN, Watches
from optconsole.brokers.rehearsal.peer import Peer
from optconsole.brokers.rehearsal.server import SocketHandler
from optconsole.brokers.rehearsal.wire import JSON, Request, Response, plain
from optconsole.engine.clock import seeded
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.quotes import Quote
from optconsole.engine.ports import BrokerUnreachable, BrokerUpdate

REST: Final = "/NorenWClientAPI"
SOCKET: Final = "/NorenWSAPI"
DEAD_REST: Final = ("/NorenWClientTP", "/NorenWSTP")
"""Switched off on 1 April 2026."""
_EMPTY_LISTS: Final = frozenset({"book", "order", "trades", "positions", "holdings", "gtt", "alert", "candles"})


class NorenDialect:
    """One account at a rehearsed Shoonya. Made by `open_noren`."""

    name = "shoonya"

    def __init__(
        self, market: Market, client: Client, hazards: Hazards, limits: Limits, redirect: str, seed: int
    ) -> None:
        self._market, self.client, self.hazards = market, client, hazards
        self._tape = seeded(seed)
        self._spellings = cycle(("OK", "Ok"))
        self.logins = Logins(client, market.now)
        self._door = Door(self.logins, redirect, market.now)
        self.desk = Desk(market, self._stage)
        self._books = Books(market, self.desk, client.uid)
        self._watches = Watches(self.desk.submit, market.now)
        self._quoting = Quoting(market, self.desk, lambda: self.hazards, self._tape)
        self.streams = Streams(market, self.desk, self.logins, client.uid, lambda: self.hazards)
        self._pacing = Pacing(limits, market.clock.monotonic)
        self._table = Endpoints(market, self.desk, self._books, self._quoting, self._watches, client).table
        self._tasks: set[asyncio.Task[None]] = set()
        self._leave = [market.updates(self._on_update), market.listen(self._on_quotes), market.on_day(self._on_day)]

    # ------------------------------------------------------------ requests

    def call(self, request: Request) -> Call:
        """The operation by the last part of the path; fields of the body for those that read as one."""
        return call_of(request, self._table)

    async def handle(self, request: Request) -> Response:
        """Answer one request as Noren would."""
        if request.path.startswith(DEAD_REST):
            return plain(BAD_GATEWAY, 502, "text/html")
        if is_page(request):
            return self._door.page(request)
        if request.path.endswith(".zip"):
            return self._master(request.path)
        name = endpoint_of(request)
        if not request.path.startswith(REST) or name not in self._table.keys() | {"GenAcsTok", "Logout"}:
            return plain(page("404 Not Found"), 404, "text/html")
        if request.method != "POST":
            return plain(page("405 Not Allowed"), 405, "text/html")
        return await self._answer(name, request)

    async def _answer(self, name: str, request: Request) -> Response:
        """Read the body, judge the login, count the call, then ask the endpoint."""
        now = self._market.now()
        try:
            body = read(request.body)
            if name == "GenAcsTok":
                return _json(self._door.token(body))
            token = bearer(request) or body.key
            if not self.logins.alive(token):
                return _json(not_ok(now, SESSION_EXPIRED), self.hazards.dead_status)
            if name == "Logout":
                self.logins.revoke(token)
                return _json(ok(now))
            if name != "SpanCalc" and name != "GetOptionGreek" and body.word("uid") != self.client.uid:
                raise BadRequest("Invalid Input : Invalid uid")
            endpoint = self._table[name]
            if self.hazards.paced and not self._pacing.admits(endpoint.pace):
                return _json(not_ok(now, TEXT))
            answer = endpoint.handle(body)
            return _json(self._spelt(await answer if isawaitable(answer) else answer))
        except BadRequest as wrong:
            text = str(wrong)
            return _json({**not_ok(now, text), "stat": UNKNOWN} if text == UNKNOWN else not_ok(now, text))
        except (ServerTimeout, BrokerUnreachable, Refusal):
            # a margin needs a price that nobody has shown yet; what the server says of its own troubles is this
            return _json(not_ok(now, TIMEOUT))

    def _spelt(self, answer: object) -> object:
        """By the hazard every other success says OK where it mostly says Ok."""
        if self.hazards.casing and isinstance(answer, dict) and answer.get("stat") == "Ok":
            return {**answer, "stat": next(self._spellings)}
        return answer

    def _master(self, path: str) -> Response:
        packed = masters.file_at(self.desk.symbols, path)
        if packed is None:
            return plain(page("404 Not Found"), 404, "text/html")
        return Response(200, packed, (("content-type", "application/zip"),))

    # ------------------------------------------------------------ the stream

    def welcome(self, request: Request) -> Response | None:
        """Anybody may connect: the login is judged by the first message."""
        if request.path.startswith(DEAD_REST):
            return plain(BAD_GATEWAY, 502, "text/html")
        return None if request.path.startswith(SOCKET) else plain("Not Found", 404)

    def refused_stream(self, request: Request) -> SocketHandler:
        """The upgrade is taken and the login within it refused; the socket stays open and says nothing."""

        async def refuse(_request: Request, peer: Peer) -> None:
            await self.streams.serve(peer, refusing=True)

        return refuse

    async def socket(self, request: Request, peer: Peer) -> None:
        await self.streams.serve(peer)

    # ------------------------------------------------------------ faults, logins

    def foreign(self, request: Request, ip: str) -> Response:
        return _json(not_ok(self._market.now(), f"Invalid Input : IP {ip} is not registered for API access"))

    def emptied(self, call: Call, response: Response) -> Response:
        if call.op in _EMPTY_LISTS:
            return _json(not_ok(self._market.now(), NO_DATA))
        return _json(ok(self._market.now()))

    def halved(self, call: Call, response: Response) -> Response:
        key = "values" if call.op in ("search", "chain") else None
        return Response(response.status, fewer(response.body, key, 0.5), response.headers)

    def revoke(self, rollover: bool) -> None:
        """Forget every token; at night the streams end too, else they live on until they are closed."""
        self.logins.revoke()
        if rollover:
            self._run(self.streams.end_all())

    def habits(self) -> Mapping[str, object]:
        return msgspec.structs.asdict(self.hazards)

    def take_habits(self, changes: Mapping[str, object]) -> None:
        """Raises Refusal(BAD_HABITS)."""
        self.hazards = changed(self.hazards, changes)

    def login(self) -> Mapping[str, str]:
        grant = self.logins.grant()
        return {
            "user_id": self.client.uid,
            "api_key": self.client.client_id,
            "api_secret": self.client.secret,
            "access_token": grant.access,
            "expires_at": grant.expires_at.isoformat(),
        }

    def ready(self) -> Mapping[str, object]:
        return {
            "rest_path": f"{REST}/",
            "ws_path": f"{SOCKET}/",
            "login_path": self._door.path(),
            "masters": [masters.path_of(exch) for exch in masters.EXCHANGES],
        }

    async def close(self) -> None:
        """Stop listening to the market."""
        for leave in self._leave:
            leave()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------ what the market tells

    def _on_update(self, update: BrokerUpdate) -> None:
        self.desk.on_update(update)

    def _on_quotes(self, quotes: Sequence[Quote]) -> None:
        self.streams.on_quotes(quotes)
        for watch in self._watches.due(quotes):
            self._run(self._watches.fire(watch))

    def _on_day(self, _day: object) -> None:
        self.desk.turn()
        self._watches.turn(self.desk.symbols)
        self._quoting.turn()
        self.streams.turn()
        self._run(self.streams.end_dead())

    def _stage(self, record: Record, stage: Stage) -> None:
        self.streams.on_stage(record, stage)
        if stage.fill is not None:
            self._run(self._tell_positions())

    async def _tell_positions(self) -> None:
        self.streams.on_positions(await self._books.positions())

    def _run(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def open_noren(
    market: Market,
    *,
    client: Client | None = None,
    hazards: Hazards | None = None,
    limits: Limits = DEFAULT,
    redirect: str = REDIRECT,
    seed: int = 1,
) -> NorenDialect:
    """Shoonya over a market, with what the exchange holds of today taken over. ``redirect`` is where logins return."""
    dialect = NorenDialect(market, client or Client(), hazards or Hazards(), limits, redirect, seed)
    await dialect.desk.open()
    return dialect


def _json(answer: object, status: int = 200) -> Response:
    return Response(status, encoded(answer), JSON)
