"""Noren's endpoints by name: what faults call them, whether they are paced, and what they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren import charts, listings
from optconsole.brokers.rehearsal.noren.body import BadRequest, Body
from optconsole.brokers.rehearsal.noren.books import Books, conversion
from optconsole.brokers.rehearsal.noren.desk import Desk
from optconsole.brokers.rehearsal.noren.greeks import greeks
from optconsole.brokers.rehearsal.noren.intents import symbol_of
from optconsole.brokers.rehearsal.noren.logins import Client, client_details, user_details
from optconsole.brokers.rehearsal.noren.quoting import Quoting
from optconsole.brokers.rehearsal.noren.replies import BAD_INPUT, NOT_FOUND, Row, listing, ok
from optconsole.brokers.rehearsal.noren.symbols import INDEX_TOKENS
from optconsole.brokers.rehearsal.noren.watches import CREATED, DELETED, REPLACED, Watches
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.timeline import IST

Answer = Row | list[Row] | list[str]
Handler = Callable[[Body], Awaitable[Answer] | Answer]
MOST_STRIKES: Final = 50


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: ``op`` is what faults know it by, ``pace`` which limit counts it."""

    op: str
    pace: str
    handle: Handler


class Endpoints:
    """Answers by endpoint name. Handlers raise BadRequest."""

    def __init__(
        self,
        market: Market,
        desk: Desk,
        books: Books,
        quoting: Quoting,
        watches: Watches,
        client: Client,
    ) -> None:
        self._market, self._desk, self._books, self._client = market, desk, books, client
        self._quoting, self._watches = quoting, watches
        self.table: Mapping[str, Endpoint] = self._orders() | self._reads() | self._instruments() | self._gtt()

    # ------------------------------------------------------------ the tables

    def _orders(self) -> dict[str, Endpoint]:
        return {
            "PlaceOrder": Endpoint("place", "orders", self._place),
            "ModifyOrder": Endpoint("modify", "orders", self._modify),
            "CancelOrder": Endpoint("cancel", "orders", self._cancel),
            "ExitSNOOrder": Endpoint("exit", "orders", self._exit),
            "ProductConversion": Endpoint("convert", "other", self._convert),
        }

    def _reads(self) -> dict[str, Endpoint]:
        books, now = self._books, self._market.now
        return {
            "OrderBook": Endpoint("book", "other", lambda body: listing(now(), books.orders(body.word("prd")))),
            "SingleOrdHist": Endpoint("order", "other", lambda body: listing(now(), books.history(_number(body)))),
            "SingleOrdStatus": Endpoint("order", "other", lambda body: listing(now(), books.status(_number(body)))),
            "TradeBook": Endpoint("trades", "other", lambda _body: listing(now(), books.trades())),
            "PositionBook": Endpoint("positions", "other", self._positions),
            "Holdings": Endpoint("holdings", "other", self._holdings),
            "Limits": Endpoint("funds", "other", self._limits),
            "GetOrderMargin": Endpoint("margin", "other", self._order_margin),
            "GetBasketMargin": Endpoint("margin", "other", self._basket_margin),
            "SpanCalc": Endpoint("margin", "other", self._span),
            "UserDetails": Endpoint("profile", "other", lambda _body: user_details(self._client, now())),
            "ClientDetails": Endpoint("profile", "other", lambda _body: client_details(self._client, now())),
        }

    def _instruments(self) -> dict[str, Endpoint]:
        return {
            "GetQuotes": Endpoint("quote", "quotes", self._quoting.quotes),
            "GetSecurityInfo": Endpoint("security", "other", self._quoting.security),
            "SearchScrip": Endpoint("search", "other", self._search),
            "GetOptionChain": Endpoint("chain", "other", self._chain),
            "GetOptionGreek": Endpoint("greek", "other", lambda body: self._ok(greeks(body, self._market.now()))),
            "GetIndexList": Endpoint("search", "other", self._indices),
            "GetLinkedScrips": Endpoint("search", "other", self._linked),
            "TPSeries": Endpoint("candles", "other", self._series),
            "EODChartData": Endpoint("candles", "other", self._days),
            "ExchMsg": Endpoint("messages", "other", lambda _body: listing(self._market.now(), [])),
        }

    def _gtt(self) -> dict[str, Endpoint]:
        return {
            "PlaceGTTOrder": Endpoint("gtt", "orders", lambda body: self._watch(body, order=True)),
            "ModifyGTTOrder": Endpoint("gtt", "orders", lambda body: self._rewatch(body, order=True)),
            "CancelGTTOrder": Endpoint("gtt", "orders", lambda body: self._unwatch(body, order=True)),
            "GetPendingGTTOrder": Endpoint("gtt", "other", lambda _body: self._watched(order=True)),
            "GetEnabledGTTs": Endpoint("gtt", "other", lambda _body: self._kinds()),
            "SetAlert": Endpoint("alert", "other", lambda body: self._watch(body, order=False)),
            "ModifyAlert": Endpoint("alert", "other", lambda body: self._rewatch(body, order=False)),
            "CancelAlert": Endpoint("alert", "other", lambda body: self._unwatch(body, order=False)),
            "GetPendingAlert": Endpoint("alert", "other", lambda _body: self._watched(order=False)),
            "GetEnabledAlertTypes": Endpoint("alert", "other", lambda _body: self._kinds()),
        }

    # ------------------------------------------------------------ orders

    async def _place(self, body: Body) -> Answer:
        return self._ok({"norenordno": await self._desk.place(body)})

    async def _modify(self, body: Body) -> Answer:
        return self._ok({"result": await self._desk.modify(body)})

    async def _cancel(self, body: Body) -> Answer:
        return self._ok({"result": await self._desk.cancel(_number(body))})

    async def _exit(self, body: Body) -> Answer:
        """Only cover and bracket orders can be left this way, and this rehearsal's account is not enabled for them."""
        if body.word("prd") not in ("H", "B"):
            raise BadRequest("Invalid Input : Invalid Product Type")
        record = self._desk.find(_number(body))
        if record is None or not record.alive or record.ticket.prd != body.word("prd"):
            raise BadRequest(NOT_FOUND)
        await self._desk.cancel(record.number)
        return self._ok({"dmsg": "Exit order placed"})

    async def _convert(self, body: Body) -> Answer:
        conversion(await self._books.standings(), body, symbol_of(body, self._desk.symbols))
        raise BadRequest("Rejected : RED:Product conversion is not enabled for the client")

    # ------------------------------------------------------------ money and positions

    async def _positions(self, _body: Body) -> Answer:
        return listing(self._market.now(), await self._books.positions())

    async def _limits(self, _body: Body) -> Answer:
        return self._ok(await self._books.limits())

    def _holdings(self, _body: Body) -> Answer:
        """The account trades derivatives only."""
        return listing(self._market.now(), [])

    async def _order_margin(self, body: Body) -> Answer:
        return self._ok(await self._books.order_margin(body))

    async def _basket_margin(self, body: Body) -> Answer:
        return self._ok(await self._books.basket_margin(body))

    def _span(self, body: Body) -> Answer:
        return self._ok(self._books.span(body))

    # ------------------------------------------------------------ instruments

    def _search(self, body: Body) -> Answer:
        if not body.word("stext"):
            raise BadRequest("Invalid Input : Missing stext")
        return self._values(listings.search(self._desk.symbols, body.word("exch"), body.word("stext")))

    def _chain(self, body: Body) -> Answer:
        """The anchor must be a derivative of the wanted expiry: the name of an index is no trading symbol here."""
        anchor = symbol_of(body, self._desk.symbols)
        if anchor.instrument.kind is Kind.INDEX:
            raise BadRequest("Invalid Input : Invalid Trading Symbol")
        count = min(body.units("cnt"), MOST_STRIKES)
        return self._values(listings.chain(self._desk.symbols, anchor, body.price("strprc"), count))

    def _indices(self, body: Body) -> Answer:
        rows: list[Row] = [
            {"idxname": INDEX_TOKENS.get(symbol.instrument.name, ("", symbol.tsym))[1], "token": symbol.token}
            for symbol in self._desk.symbols.listed(body.word("exch"))
            if symbol.instrument.kind is Kind.INDEX
        ]
        return self._values(rows)

    def _linked(self, body: Body) -> Answer:
        symbol = self._desk.symbols.at(body.word("exch"), body.word("token"))
        if symbol is None:
            raise BadRequest(BAD_INPUT)
        futures = listings.linked(self._desk.symbols, symbol.instrument.underlying)
        return self._ok({"fut": futures, "opt_exp": [], "equity": []})

    def _series(self, body: Body) -> Answer:
        symbol = self._desk.symbols.at(body.word("exch"), body.word("token"))
        interval = body.word("intrv") or "1"
        if symbol is None or interval not in charts.INTERVALS:
            raise BadRequest(BAD_INPUT)
        since, until = _moment(body, "st"), _moment(body, "et") if body.word("et") else self._market.now()
        minutes = charts.candles(self._market.minutes(symbol.instrument.name), since, until)
        return listing(self._market.now(), charts.series(charts.merged(minutes, int(interval))))

    def _days(self, body: Body) -> Answer:
        exch, _, tsym = body.word("sym").partition(":")
        symbol = self._desk.symbols.named(exch, tsym)
        since, until = _moment(body, "from"), _moment(body, "to")
        if symbol is None:
            raise BadRequest(BAD_INPUT)
        # the exchange of the Sensex sends no daily bars of its indices
        minutes = self._market.minutes(symbol.instrument.name) if exch != "BSE" else []
        found = charts.candles(minutes, since, until)
        return charts.days(found) if found else listing(self._market.now(), [])

    # ------------------------------------------------------------ prices that are waited for

    def _watch(self, body: Body, order: bool) -> Answer:
        return ok(self._market.now(), {"al_id": self._watches.set(body, self._desk.symbols, order)}, CREATED)

    def _rewatch(self, body: Body, order: bool) -> Answer:
        return ok(self._market.now(), {"al_id": self._watches.replace(body, self._desk.symbols, order)}, REPLACED)

    def _unwatch(self, body: Body, order: bool) -> Answer:
        return ok(self._market.now(), {"al_id": self._watches.drop(body, order)}, DELETED)

    def _watched(self, order: bool) -> Answer:
        return listing(self._market.now(), self._watches.rows(order))

    def _kinds(self) -> Answer:
        return self._ok({"ai_ts": [{"ai_t": "LTP_A"}, {"ai_t": "LTP_B"}]})

    # ------------------------------------------------------------ inside

    def _ok(self, fields: Row) -> Row:
        return ok(self._market.now(), fields)

    def _values(self, rows: list[Row]) -> Answer:
        return self._ok({"values": rows}) if rows else listing(self._market.now(), [])


def _number(body: Body) -> str:
    body.need("norenordno")
    return body.word("norenordno")


def _moment(body: Body, name: str) -> datetime:
    """Epoch seconds, with a fraction or without. Raises BadRequest."""
    try:
        return datetime.fromtimestamp(float(body.word(name)), IST)
    except (ValueError, OverflowError, OSError):
        raise BadRequest(f"Invalid Input : {name} is not a time") from None
