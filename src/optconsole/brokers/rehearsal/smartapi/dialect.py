"""Angel One's SmartAPI over a market: REST, the stream of ticks and the stream of order updates on one port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from optconsole.brokers.rehearsal.dialect import Call, fewer
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.peer import Peer
from optconsole.brokers.rehearsal.smartapi import envelopes, routes
from optconsole.brokers.rehearsal.smartapi.account import AccountDesk
from optconsole.brokers.rehearsal.smartapi.asked import body_of, text
from optconsole.brokers.rehearsal.smartapi.book import WireBook
from optconsole.brokers.rehearsal.smartapi.candles import candle_row, oi_row
from optconsole.brokers.rehearsal.smartapi.catalogue import Catalogue
from optconsole.brokers.rehearsal.smartapi.data import DataDesk
from optconsole.brokers.rehearsal.smartapi.desk import OrderDesk
from optconsole.brokers.rehearsal.smartapi.door import Door
from optconsole.brokers.rehearsal.smartapi.gtt import RuleBook, order_of
from optconsole.brokers.rehearsal.smartapi.habits import Mixed
from optconsole.brokers.rehearsal.smartapi.limits import CAPS, Caps, Limits
from optconsole.brokers.rehearsal.smartapi.orders import order_row, trade_row
from optconsole.brokers.rehearsal.smartapi.sessions import Client, Denied, Sessions, Tokens
from optconsole.brokers.rehearsal.smartapi.strangers import Share, all_holdings, holding_row
from optconsole.brokers.rehearsal.smartapi.stream import TickStream
from optconsole.brokers.rehearsal.smartapi.tape import Tape
from optconsole.brokers.rehearsal.smartapi.updates import UpdateStream
from optconsole.brokers.rehearsal.wire import JSON, Request, Response, plain
from optconsole.engine.clock import WallClock
from optconsole.engine.model.quotes import Quote
from optconsole.engine.ports import BrokerUnreachable

Body = Mapping[str, Any]
Verb = Callable[[Body, Tokens], Awaitable[object]]
_LISTS: Final = frozenset({"book", "trades", "positions", "holdings", "search", "candles", "interest", "gtt_list"})


class SmartApi:
    """One client's SmartAPI. ``wall`` is the machine's time, by which authenticators go; ``caps`` the rate limits;
    ``wide_rules`` lets rules that wait for a price name contracts; ``shares`` are held and not traded."""

    name = "angelone"

    def __init__(
        self,
        market: Market,
        *,
        client: Client | None = None,
        wall: Callable[[], datetime] | None = None,
        caps: Mapping[str, Caps] = CAPS,
        wide_rules: bool = False,
        shares: Sequence[Share] = (),
        seed: int = 1,
    ) -> None:
        self.client = client or Client.made_up(market.account.id)
        self._market, self._mixed = market, Mixed(seed)
        self._sessions = Sessions(self.client, market.now, wall or WallClock().now)
        self._limits = Limits(market.clock.monotonic, caps)
        self.catalogue = Catalogue(market)
        self._tape = Tape(market)
        self.ticks = TickStream(market, self.catalogue, self._tape)
        self.updates = UpdateStream(self.client.code, self._mixed)
        self._door = Door(self._sessions, self.ticks, self.updates)
        self.book = WireBook(market, self.catalogue, self.updates.tell)
        self._desk = OrderDesk(market, self.catalogue, self.book)
        self._account = AccountDesk(market, self.catalogue, self.client, self._mixed)
        self._data = DataDesk(market, self.catalogue, self._tape, self._mixed)
        self._rules = RuleBook(market, self.catalogue, wide_rules)
        self._shares = shares
        self._recalled = False
        self._verbs = self._all_verbs()
        self._leave = (
            market.listen(self._saw),
            market.updates(self.book.on_update),
            market.on_day(self._turned),
        )

    # ------------------------------------------------------------ requests

    def call(self, request: Request) -> Call:
        known = routes.route(request.method, request.path)
        try:
            said = body_of(request.body)
        except Denied:
            said = {}
        fields = {name: text(said, name) for name in said}
        return Call(known.op if known is not None else "unknown", fields)

    async def handle(self, request: Request) -> Response:
        if not self._recalled:
            self._recalled = True
            await self.book.recall()
        known = routes.route(request.method, request.path)
        if known is None:
            return plain("<html><body><h1>404 Not Found</h1></body></html>", 404, "text/html")
        if known.op == "instruments":
            return Response(200, self.catalogue.master(), JSON)
        if not self._limits.allows(known.bucket):
            return envelopes.too_fast()
        return await self._answer(request, known.op)

    async def _answer(self, request: Request, op: str) -> Response:
        try:
            self._door.headers(request)
            tokens = None if op == "login" else self._sessions.known(request.headers.get("authorization", ""))
        except Denied as refused:
            return envelopes.gateway_failure(refused.code, refused.message, self._mixed.one_of((401, 403, 200)))
        try:
            body = {"uniqueorderid": request.path.removeprefix(routes.DETAILS)} if op == "order" else None
            said = body if body is not None else body_of(request.body) if request.method == "POST" else {}
            return envelopes.success(await self._done(op, said, tokens))
        except Denied as refused:
            return envelopes.failure(refused.code, refused.message, worded=self._mixed.chance(0.25))
        except BrokerUnreachable:
            return envelopes.failure(*envelopes.SOMETHING_WRONG)

    async def _done(self, op: str, body: Body, tokens: Tokens | None) -> object:
        if tokens is None:
            return self._logged_in(body)
        return await self._verbs[op](body, tokens)

    def _all_verbs(self) -> dict[str, Verb]:
        account, data, desk, rules = self._account, self._data, self._desk, self._rules
        return {
            "tokens": _plain(lambda body: _tokens(self._sessions.renew(text(body, "refreshToken")))),
            "logout": self._logged_out,
            "profile": self._profile,
            "funds": lambda _body, _tokens: account.rms(),
            "place": lambda body, _tokens: desk.place(body),
            "modify": lambda body, _tokens: desk.modify(body),
            "cancel": lambda body, _tokens: desk.cancel(body),
            "book": _plain(
                lambda _body: [order_row(order, self._mixed) for order in self.book.orders.values()] or None
            ),
            "trades": _plain(lambda _body: [trade_row(trade) for trade in self.book.trades.values()] or None),
            "order": _plain(self._order),
            "positions": lambda _body, _tokens: account.positions(),
            "convert": lambda body, _tokens: account.convert(body),
            "holdings": _plain(lambda _body: [holding_row(share) for share in self._shares] or None),
            "all_holdings": _plain(lambda _body: all_holdings(self._shares)),
            "quote": _plain(data.quote),
            "ltp": _plain(data.last),
            "candles": _plain(lambda body: [candle_row(candle) for candle in data.candles(body)]),
            "interest": _plain(lambda body: [oi_row(candle) for candle in data.candles(body)]),
            "search": _plain(data.search),
            "margin": _plain(data.margin),
            "charges": _plain(data.charges),
            "gtt": _plain(rules.create),
            "gtt_modify": _plain(rules.modify),
            "gtt_cancel": _plain(rules.cancel),
            "gtt_details": _plain(rules.details),
            "gtt_list": _plain(rules.listed),
        }

    def _logged_in(self, body: Body) -> dict[str, str]:
        tokens = self._sessions.login(text(body, "clientcode"), text(body, "password"), text(body, "totp"))
        return _tokens(tokens) | {"state": text(body, "state")}

    async def _logged_out(self, body: Body, tokens: Tokens) -> str:
        if text(body, "clientcode") != self.client.code:
            raise Denied("AB1031", "Invalid User ID")
        self._sessions.logout(tokens)
        return ""

    async def _profile(self, _body: Body, tokens: Tokens) -> dict[str, Any]:
        return self._account.profile(tokens)

    def _orders(self, _body: Body) -> list[dict[str, Any]] | None:
        """Null for an empty book, as Angel One has it."""
        return [order_row(order, self._mixed) for order in self.book.orders.values()] or None

    def _order(self, body: Body) -> dict[str, Any]:
        order = self.book.unique(text(body, "uniqueorderid"))
        if order is None:
            raise Denied("AB1013", "Order not found")
        return order_row(order, self._mixed)

    # ------------------------------------------------------------ streams

    def welcome(self, request: Request) -> Response | None:
        return self._door.welcome(request)

    def refused_stream(self, request: Request) -> Response:
        return self._door.refused(request)

    async def socket(self, request: Request, peer: Peer) -> None:
        await (self.ticks if request.path == routes.TICKS else self.updates).serve(peer)

    def _saw(self, quotes: Sequence[Quote]) -> None:
        self._tape.saw(quotes)
        self.ticks.tell(quotes)
        self._desk.wake()
        for rule in self._rules.struck(quotes):
            self._desk.send_later(order_of(rule))

    def _turned(self, _day: date) -> None:
        self.catalogue.load()
        self._tape.forget()
        self.ticks.turn()
        self.book.turn()

    # ------------------------------------------------------------ what the rehearsal asks

    def foreign(self, request: Request, ip: str) -> Response:
        code, message = envelopes.UNREGISTERED
        return envelopes.gateway_failure(code, f"{message}: {ip}", 403)

    def emptied(self, call: Call, response: Response) -> Response:
        return envelopes.success(None) if call.op in _LISTS else _kept(response, 0.0)

    def halved(self, call: Call, response: Response) -> Response:
        return _kept(response, 0.5)

    def revoke(self, rollover: bool) -> None:
        """At night tokens expire and streams end; otherwise the tokens are as if never given, and streams go on."""
        if not rollover:
            self._sessions.revoke()
            return
        self._sessions.expire()
        self.ticks.cut()
        self.updates.cut()

    def login(self) -> Mapping[str, str]:
        tokens = self._sessions.admit()
        return {
            "client_code": self.client.code,
            "pin": self.client.pin.reveal(),
            "totp_seed": self.client.seed.reveal(),
            "api_key": self.client.api_key.reveal(),
            "access_token": tokens.jwt,
            "refresh_token": tokens.refresh,
            "feed_token": tokens.feed,
        }

    def ready(self) -> Mapping[str, object]:
        return {"ticks_path": routes.TICKS, "updates_path": routes.UPDATES, "master_path": routes.MASTER}

    async def close(self) -> None:
        for leave in self._leave:
            leave()
        await self._desk.close()


def _plain(act: Callable[[Body], object]) -> Verb:
    """A verb that needs nobody's time and no login beyond having one."""

    async def verb(body: Body, _tokens: Tokens) -> object:
        return act(body)

    return verb


def _tokens(tokens: Tokens) -> dict[str, str]:
    return {"jwtToken": tokens.jwt, "refreshToken": tokens.refresh, "feedToken": tokens.feed}


def _kept(response: Response, share: float) -> Response:
    """A read's answer with fewer rows, in ``data`` or in the lists inside it."""
    return Response(response.status, fewer(response.body, "data", share), response.headers)
