"""Kite's answer to each call, by who knows it."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from optconsole.brokers.rehearsal.dialect import BOOK, CANCEL, FUNDS, MODIFY, PLACE, POSITIONS, TRADES
from optconsole.brokers.rehearsal.kite.contracts import KiteContracts
from optconsole.brokers.rehearsal.kite.gtt import KiteTriggers
from optconsole.brokers.rehearsal.kite.habits import KiteHabits
from optconsole.brokers.rehearsal.kite.money import KiteMoney
from optconsole.brokers.rehearsal.kite.orders import KiteOrders
from optconsole.brokers.rehearsal.kite.portfolio import KitePortfolio, no_holdings
from optconsole.brokers.rehearsal.kite.quotes import KiteQuotes
from optconsole.brokers.rehearsal.kite.replies import INPUT, PERMISSION, KiteError
from optconsole.brokers.rehearsal.kite.routes import Route, route
from optconsole.brokers.rehearsal.kite.sessions import Sessions
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.wire import Request, Response, plain


class KiteAnswers:
    """Raises KiteError for what Kite refuses."""

    def __init__(
        self,
        market: Market,
        contracts: Callable[[], KiteContracts],
        sessions: Sessions,
        orders: KiteOrders,
        triggers: KiteTriggers,
        habits: Callable[[], KiteHabits],
    ) -> None:
        self._market, self._contracts, self.sessions = market, contracts, sessions
        self.orders, self.triggers, self._habits = orders, triggers, habits
        self._portfolio, self._money, self._quotes = KitePortfolio(market), KiteMoney(market), KiteQuotes(market)

    def new_day(self) -> None:
        """Yesterday's conversions are in no day's trades."""
        self._portfolio.new_day()

    def routes(self) -> list[Route]:
        """Every call there is."""
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
        return self.sessions.exchange(request.form(), self._habits().one_login)

    async def _renew(self, _request: Request, _parts: tuple[str, ...]) -> object:
        raise KiteError(PERMISSION, "Your app is not approved to renew access tokens.", 403)

    async def _logout(self, request: Request, _parts: tuple[str, ...]) -> object:
        return self.sessions.leave(request)

    async def _profile(self, _request: Request, _parts: tuple[str, ...]) -> object:
        return self.sessions.profile()

    async def _funds(self, _request: Request, parts: tuple[str, ...]) -> object:
        return await self._money.funds(*parts)

    async def _margins(self, request: Request, _parts: tuple[str, ...]) -> object:
        return self._money.order_margins(request.body, self._contracts())

    async def _basket(self, request: Request, _parts: tuple[str, ...]) -> object:
        with_positions = request.asked("consider_positions", "true").lower() == "true"
        return await self._money.basket(request.body, self._contracts(), with_positions)

    async def _charges(self, request: Request, _parts: tuple[str, ...]) -> object:
        return self._money.charges(request.body, self._contracts())

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
        return await self._portfolio.positions(self.orders.fills(), self._contracts())

    async def _convert(self, request: Request, _parts: tuple[str, ...]) -> object:
        return await self._portfolio.convert(request.form(), self.orders.fills(), self._contracts())

    async def _holdings(self, _request: Request, _parts: tuple[str, ...]) -> object:
        return no_holdings()

    async def _quote(self, request: Request, parts: tuple[str, ...]) -> object:
        kind = parts[0] if parts else "full"
        if kind not in ("full", "ohlc", "ltp"):
            raise KiteError(INPUT, "Route not found.", 404)
        return self._quotes.quotes(request.all("i"), self._contracts(), kind)

    async def _instruments(self, _request: Request, parts: tuple[str, ...]) -> object:
        quotes = {row.instrument.name: self._market.quote(row.instrument.name) for row in self._contracts().rows}
        last = {name: quote.ltp for name, quote in quotes.items() if quote is not None and quote.ltp is not None}
        text = self._contracts().csv(parts[0] if parts else None, last)
        response = plain(text, kind="text/csv")
        headers = (*response.headers, ("content-encoding", "gzip"))
        return Response(200, gzip.compress(response.body), headers)

    async def _candles(self, request: Request, parts: tuple[str, ...]) -> object:
        contract = self._contracts().numbered(int(parts[0])) if parts[0].isdecimal() and len(parts[0]) < 12 else None
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
