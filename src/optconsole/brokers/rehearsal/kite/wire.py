"""Kite Connect as a dialect: which path is which call, and who answers it."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from optconsole.brokers.rehearsal.dialect import BOOK, CANCEL, FUNDS, MODIFY, PLACE, POSITIONS, TRADES, Call, fewer
from optconsole.brokers.rehearsal.kite.book import KiteOrder
from optconsole.brokers.rehearsal.kite.contracts import KiteContracts
from optconsole.brokers.rehearsal.kite.gtt import KiteTriggers
from optconsole.brokers.rehearsal.kite.limits import Limits, Meter
from optconsole.brokers.rehearsal.kite.orders import KiteOrders
from optconsole.brokers.rehearsal.kite.portfolio import KitePortfolio, no_holdings
from optconsole.brokers.rehearsal.kite.postback import Postbacks
from optconsole.brokers.rehearsal.kite.quotes import KiteQuotes
from optconsole.brokers.rehearsal.kite.replies import DEAD_LOGIN, INPUT, NETWORK, PERMISSION, TOKEN, TOO_MANY, KiteError
from optconsole.brokers.rehearsal.kite.replies import data as answer
from optconsole.brokers.rehearsal.kite.sessions import App, Sessions, checksum
from optconsole.brokers.rehearsal.kite.stream import KiteStream
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.peer import Peer
from optconsole.brokers.rehearsal.wire import Request, Response, plain

APP_NUMBER: Final = 4242
REDIRECT: Final = "http://127.0.0.1/"
Answer = Callable[[Request, tuple[str, ...]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class KiteSettings:
    """``pause`` seconds between the states of a new order, ``heartbeat`` seconds of silence on a stream."""

    limits: Limits = field(default_factory=Limits)
    pause: float = 0.003
    heartbeat: float = 1.0
    postback_url: str = ""
    redirect_url: str = REDIRECT


@dataclass(frozen=True, slots=True)
class _Route:
    """One call: the method, the path with ``*`` for a part that varies, its name to faults, and its rate bucket."""

    method: str
    path: tuple[str, ...]
    op: str
    answer: Answer
    bucket: str = "others"
    open: bool = False
    """Answered without a login."""

    def match(self, method: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
        """The varying parts; None where it is another call."""
        if method != self.method or len(path) != len(self.path):
            return None
        pairs = list(zip(self.path, path, strict=True))
        if any(want not in ("*", given) for want, given in pairs):
            return None
        return tuple(given for want, given in pairs if want == "*")


async def open_kite(market: Market, settings: KiteSettings | None = None) -> Kite:
    """Kite over a market, with the orders it has already."""
    kite = Kite(market, settings or KiteSettings())
    await kite.orders.start()
    return kite


class Kite:
    name = "zerodha"

    def __init__(self, market: Market, settings: KiteSettings) -> None:
        self._market = market
        app = App.made_up(market.account.id, settings.redirect_url)
        self.sessions = Sessions(app, market.now)
        self._contracts = KiteContracts(market.instruments())
        self._meter = Meter(settings.limits, market.clock.monotonic)
        self.orders = KiteOrders(market, self.contracts, app.user_id, settings.pause, self._changed)
        self.stream = KiteStream(market, self.contracts, settings.heartbeat)
        self.triggers = KiteTriggers(market, self.contracts, self.orders, app.user_id)
        self._portfolio, self._quotes = KitePortfolio(market), KiteQuotes(market)
        self.postbacks = Postbacks(settings.postback_url)
        self._leave = market.on_day(self._new_day)
        self._routes = self._table()

    def contracts(self) -> KiteContracts:
        """The day's."""
        return self._contracts

    # ------------------------------------------------------------ the dialect

    def call(self, request: Request) -> Call:
        route, _ = self._route(request)
        op = "unknown" if route is None else route.op
        return Call(op, {**dict(request.query), **request.form()})

    async def handle(self, request: Request) -> Response:
        route, parts = self._route(request)
        try:
            if route is None:
                raise self._unknown(request)
            if not route.open:
                self.sessions.check(request)
            self._meter.count(route.bucket, places=route.op == PLACE)
            found = await route.answer(request, parts)
        except KiteError as refused:
            return refused.response()
        return found if isinstance(found, Response) else answer(found)

    def welcome(self, request: Request) -> Response | None:
        if not self.sessions.knows(request.asked("api_key"), request.asked("access_token")):
            return self.refused_stream(request)
        return KiteError(NETWORK, TOO_MANY, 429).response() if self.stream.full else None

    def refused_stream(self, request: Request) -> Response:
        return KiteError(TOKEN, DEAD_LOGIN, 403).response()

    async def socket(self, request: Request, peer: Peer) -> None:
        await self.stream.serve(peer)

    def foreign(self, request: Request, ip: str) -> Response:
        message = (
            f"IP ({ip}) is not allowed to place orders for this app. Update allowed IPs on the Kite developer console."
        )
        return KiteError(PERMISSION, message, 403).response()

    def emptied(self, call: Call, response: Response) -> Response:
        return Response(response.status, fewer(response.body, "data", 0.0))

    def halved(self, call: Call, response: Response) -> Response:
        if call.op == "instruments":
            text = gzip.decompress(response.body)
            return Response(response.status, gzip.compress(text[: len(text) // 2]), response.headers)
        return Response(response.status, fewer(response.body, "data", 0.5))

    def revoke(self, rollover: bool) -> None:
        self.sessions.revoke()
        if rollover:
            self.stream.cut()

    def login(self) -> Mapping[str, str]:
        app = self.sessions.app
        return {
            "api_key": app.api_key,
            "api_secret": app.api_secret,
            "user_id": app.user_id,
            "access_token": self.sessions.granted(),
        }

    def ready(self) -> Mapping[str, object]:
        return {"login_path": f"/connect/login?v=3&api_key={self.sessions.app.api_key}"}

    async def close(self) -> None:
        self._leave()
        self.stream.close()
        await self.triggers.close()
        await self.postbacks.close()
        await self.orders.close()

    # ------------------------------------------------------------ what happens

    def _changed(self, order: KiteOrder, status: str) -> None:
        """Every change goes to the streams and, signed, to the app's own address."""
        stamped = str(order.row()["order_timestamp"])
        signed = checksum(order.order_id, stamped, self.sessions.app.api_secret)
        self.stream.tell("order", order.message_row(status, APP_NUMBER, ""))
        self.postbacks.post(order.message_row(status, APP_NUMBER, signed))

    def _new_day(self, _day: date) -> None:
        self._contracts = KiteContracts(self._market.instruments())
        self._meter.new_day()
        self._portfolio.new_day()
        self.orders.new_day()

    # ------------------------------------------------------------ routes

    def _route(self, request: Request) -> tuple[_Route | None, tuple[str, ...]]:
        path = tuple(part for part in request.path.split("/") if part)
        for route in self._routes:
            parts = route.match(request.method, path)
            if parts is not None:
                return route, parts
        return None, ()

    def _unknown(self, request: Request) -> KiteError:
        path = tuple(part for part in request.path.split("/") if part)
        methods = ("GET", "POST", "PUT", "DELETE")
        if any(route.match(method, path) is not None for route in self._routes for method in methods):
            return KiteError(INPUT, "Method not allowed.", 405)
        return KiteError(INPUT, "Route not found.", 404)

    def _table(self) -> list[_Route]:
        def route(call: str, op: str, by: Answer, bucket: str = "others", open: bool = False) -> _Route:
            method, _, path = call.partition(" ")
            return _Route(method, tuple(part for part in path.split("/") if part), op, by, bucket, open)

        return [
            route("GET /connect/login", "login_page", self._login_page, open=True),
            route("POST /session/token", "login", self._login, open=True),
            route("POST /session/refresh_token", "renew", self._renew, open=True),
            route("DELETE /session/token", "logout", self._logout, open=True),
            route("GET /user/profile", "profile", self._profile),
            route("GET /user/profile/full", "profile", self._profile),
            route("GET /user/margins", FUNDS, self._funds),
            route("GET /user/margins/*", FUNDS, self._funds),
            route("POST /margins/orders", "margin", self._margins),
            route("POST /margins/basket", "margin", self._basket),
            route("POST /charges/orders", "charges", self._charges),
            route("GET /orders", BOOK, self._book),
            route("GET /trades", TRADES, self._trades),
            route("GET /orders/*", "order", self._order),
            route("GET /orders/*/trades", "order_trades", self._order_trades),
            route("POST /orders/*", PLACE, self._place, "orders"),
            route("PUT /orders/*/*", MODIFY, self._modify, "orders"),
            route("DELETE /orders/*/*", CANCEL, self._cancel, "orders"),
            route("GET /portfolio/positions", POSITIONS, self._positions),
            route("PUT /portfolio/positions", "convert", self._convert),
            route("GET /portfolio/holdings", "holdings", self._holdings),
            route("GET /quote", "quote", self._quote, "quote"),
            route("GET /quote/*", "quote", self._quote, "quote"),
            route("GET /instruments", "instruments", self._instruments),
            route("GET /instruments/*", "instruments", self._instruments),
            route("GET /instruments/historical/*/*", "candles", self._candles, "candles"),
            route("GET /gtt/triggers", "gtt", self._gtt_all),
            route("GET /gtt/triggers/*", "gtt", self._gtt_one),
            route("POST /gtt/triggers", "gtt_place", self._gtt_place),
            route("PUT /gtt/triggers/*", "gtt_modify", self._gtt_modify),
            route("DELETE /gtt/triggers/*", "gtt_delete", self._gtt_delete),
        ]

    async def _login_page(self, request: Request, _parts: tuple[str, ...]) -> object:
        return self.sessions.page(request)

    async def _login(self, request: Request, _parts: tuple[str, ...]) -> object:
        return self.sessions.exchange(request.form())

    async def _renew(self, _request: Request, _parts: tuple[str, ...]) -> object:
        raise KiteError(PERMISSION, "Your app is not approved to renew access tokens.", 403)

    async def _logout(self, request: Request, _parts: tuple[str, ...]) -> object:
        return self.sessions.leave(request)

    async def _profile(self, _request: Request, _parts: tuple[str, ...]) -> object:
        return self.sessions.profile()

    async def _funds(self, _request: Request, parts: tuple[str, ...]) -> object:
        return await self._portfolio.funds(*parts)

    async def _margins(self, request: Request, _parts: tuple[str, ...]) -> object:
        return self._portfolio.order_margins(request.body, self._contracts)

    async def _basket(self, request: Request, _parts: tuple[str, ...]) -> object:
        with_positions = request.asked("consider_positions", "true").lower() == "true"
        return await self._portfolio.basket(request.body, self._contracts, with_positions)

    async def _charges(self, request: Request, _parts: tuple[str, ...]) -> object:
        return self._portfolio.charges(request.body, self._contracts)

    async def _book(self, _request: Request, _parts: tuple[str, ...]) -> object:
        return self.orders.book()

    async def _trades(self, _request: Request, _parts: tuple[str, ...]) -> object:
        return self.orders.trades()

    async def _order(self, _request: Request, parts: tuple[str, ...]) -> object:
        return self.orders.history(*parts)

    async def _order_trades(self, _request: Request, parts: tuple[str, ...]) -> object:
        return self.orders.trades_of(*parts)

    async def _place(self, request: Request, parts: tuple[str, ...]) -> object:
        return await self.orders.place(parts[0], request.form())

    async def _modify(self, request: Request, parts: tuple[str, ...]) -> object:
        return await self.orders.modify(parts[1], request.form())

    async def _cancel(self, _request: Request, parts: tuple[str, ...]) -> object:
        return await self.orders.cancel(parts[1])

    async def _positions(self, _request: Request, _parts: tuple[str, ...]) -> object:
        return await self._portfolio.positions(self.orders.fills(), self._contracts)

    async def _convert(self, request: Request, _parts: tuple[str, ...]) -> object:
        return await self._portfolio.convert(request.form(), self.orders.fills(), self._contracts)

    async def _holdings(self, _request: Request, _parts: tuple[str, ...]) -> object:
        return no_holdings()

    async def _quote(self, request: Request, parts: tuple[str, ...]) -> object:
        kind = parts[0] if parts else "full"
        if kind not in ("full", "ohlc", "ltp"):
            raise KiteError(INPUT, "Route not found.", 404)
        return self._quotes.quotes(request.all("i"), self._contracts, kind)

    async def _instruments(self, _request: Request, parts: tuple[str, ...]) -> object:
        quotes = {row.instrument.name: self._market.quote(row.instrument.name) for row in self._contracts.rows}
        last = {name: quote.ltp for name, quote in quotes.items() if quote is not None and quote.ltp is not None}
        text = self._contracts.csv(parts[0] if parts else None, last)
        response = plain(text, kind="text/csv")
        headers = (*response.headers, ("content-encoding", "gzip"))
        return Response(200, gzip.compress(response.body), headers)

    async def _candles(self, request: Request, parts: tuple[str, ...]) -> object:
        contract = self._contracts.numbered(int(parts[0])) if parts[0].isdecimal() and len(parts[0]) < 12 else None
        if contract is None:
            raise KiteError(INPUT, "invalid token")
        return self._quotes.candles(contract, parts[1], dict(request.query))

    async def _gtt_all(self, _request: Request, _parts: tuple[str, ...]) -> object:
        return self.triggers.rows()

    async def _gtt_one(self, _request: Request, parts: tuple[str, ...]) -> object:
        return self.triggers.row(*parts)

    async def _gtt_place(self, request: Request, _parts: tuple[str, ...]) -> object:
        return self.triggers.place(request.form())

    async def _gtt_modify(self, request: Request, parts: tuple[str, ...]) -> object:
        return self.triggers.modify(parts[0], request.form())

    async def _gtt_delete(self, _request: Request, parts: tuple[str, ...]) -> object:
        return self.triggers.delete(*parts)
