"""Noren's books as they are read: orders, history, trades, positions, limits, margins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.body import BadRequest, Body
from optconsole.brokers.rehearsal.noren.desk import Desk
from optconsole.brokers.rehearsal.noren.intents import placing, symbol_of
from optconsole.brokers.rehearsal.noren.record import Ticket
from optconsole.brokers.rehearsal.noren.replies import NOT_FOUND, Row
from optconsole.brokers.rehearsal.noren.rows import order_row, trade_row
from optconsole.brokers.rehearsal.noren.standings import (
    Standing,
    net_quantity,
    position_row,
    realised,
    unrealised,
)
from optconsole.brokers.rehearsal.noren.symbols import Symbol
from optconsole.brokers.rehearsal.noren.words import PRICE_TYPES, PRODUCT_WORD, PRODUCTS, RETENTIONS, SIDES, money
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.orders import OrderType, Product, Side, Validity
from optconsole.engine.ports import PlaceRequest


class Books:
    """Reads of one account. ``uid`` is whose they are."""

    def __init__(self, market: Market, desk: Desk, uid: str) -> None:
        self._market, self._desk, self._uid = market, desk, uid

    # ------------------------------------------------------------ orders and trades

    def orders(self, prd: str = "") -> list[Row]:
        """OrderBook, newest first."""
        found = [record for record in self._desk.records.values() if not prd or record.ticket.prd == prd]
        return [order_row(record, self._uid) for record in reversed(found)]

    def history(self, number: str) -> list[Row]:
        """SingleOrdHist, newest stage first. Raises BadRequest."""
        record = self._desk.find(number)
        if record is None:
            raise BadRequest(NOT_FOUND)
        return [order_row(record, self._uid, stage) for stage in reversed(record.stages)]

    def status(self, number: str) -> list[Row]:
        """SingleOrdStatus. Raises BadRequest."""
        return self.history(number)[:1]

    def trades(self) -> list[Row]:
        """TradeBook, newest first."""
        return [trade_row(record, trade, filled, self._uid) for record, trade, filled in reversed(self._desk.trades)]

    # ------------------------------------------------------------ positions and money

    async def positions(self) -> list[Row]:
        """PositionBook: what is open and what was closed today."""
        return [position_row(standing, self._uid) for standing in await self.standings()]

    async def standings(self) -> list[Standing]:
        """Each contract and product that is held or was traded today; what was settled has left the book."""
        held = {(row.contract, row.product): row.qty for row in await self._market.desk.positions()}
        settled = {(row.contract, row.product) for row in await self._market.desk.settlements()}
        keys = [*held, *((trade.contract, trade.product) for _record, trade, _filled in self._desk.trades)]
        found = []
        for contract, product in dict.fromkeys(keys):
            symbol = self._desk.symbols.of(contract)
            if symbol is not None and (contract, product) not in settled:
                found.append(self._standing(symbol, product, held.get((contract, product), 0)))
        return found

    async def limits(self) -> Row:
        """Limits. Keys whose value would be nought are left out where the server leaves them out."""
        funds = await self._market.desk.funds()
        standings = await self.standings()
        pending = sum(qty * price for standing in standings for _side, qty, price in standing.resting)
        return {
            "actid": self._uid,
            "prfname": "REHEARSAL",
            "cash": money(funds.cash),
            "payin": "0.00",
            "payout": "0.00",
            "brkcollamt": "0.00",
            "unclearedcash": "0.00",
            "aux_daycash": "0.00",
            "aux_brkcollamt": "0.00",
            "aux_unclearedcash": "0.00",
            "daycash": "0.00",
            "turnoverlmt": "999999999.00",
            "pendordvallmt": "999999999.00",
            "pendordval": money(pending),
            "marginused": money(funds.margin_used),
            "span": money(funds.margin_used),
            "expo": "0.00",
            "rpnl": money(sum(realised(standing) for standing in standings)),
            "unmtom": money(sum(unrealised(standing) for standing in standings)),
            "brokerage": "0.00",
        }

    def _standing(self, symbol: Symbol, product: Product, held: int) -> Standing:
        name = symbol.instrument.name
        trades = [trade for _r, trade, _f in self._desk.trades if (trade.contract, trade.product) == (name, product)]
        carried = held - sum(trade.side.sign * trade.qty for trade in trades)
        quote = self._market.quote(name)
        last = (quote.mark if quote else None) or 0
        close = (quote.prev_close if quote else None) or last
        return Standing(
            symbol=symbol,
            prd=PRODUCT_WORD[product],
            carried=carried,
            carried_cost=carried * close,
            trades=trades,
            resting=self._resting(name, PRODUCT_WORD[product]),
            last=last,
        )

    def _resting(self, name: str, prd: str) -> list[tuple[Side, int, int]]:
        return [
            (SIDES[record.ticket.trantype], record.now.qty - record.now.filled, record.now.prc)
            for record in self._desk.records.values()
            if record.alive and (record.ticket.symbol.instrument.name, record.ticket.prd) == (name, prd)
        ]

    # ------------------------------------------------------------ margins

    async def order_margin(self, body: Body) -> Row:
        """GetOrderMargin. Both sums include what is in use already. Raises BadRequest."""
        return await self._margins([placing(body, self._desk.symbols)])

    async def basket_margin(self, body: Body) -> Row:
        """GetBasketMargin: the first order at the top, the others in basketlists. Raises BadRequest."""
        rest = body.fields.get("basketlists") or []
        if not isinstance(rest, list) or not all(isinstance(each, dict) for each in rest):
            raise BadRequest("Invalid Input : basketlists is not a list")
        whose = {"uid": body.word("uid"), "actid": body.word("actid"), "ret": "DAY"}
        bodies = [Body({**whose, **fields}, "") for fields in (body.fields, *rest)]
        tickets = [placing(each, self._desk.symbols) for each in bodies]
        sums = await self._margins(tickets)
        return {
            "marginused": sums["marginused"],
            "marginusedtrade": sums["marginused"],
            "marginusedprev": sums["marginusedprev"],
            "remarks": sums["remarks"],
        }

    def span(self, body: Body) -> Row:
        """SpanCalc of positions that need not exist. Raises BadRequest."""
        rows = body.fields.get("pos")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise BadRequest("Invalid Input : Missing pos")
        positions = [Body(row, "") for row in rows]
        traded = self._alone([self._hypothesis(row, ("netqty",)) for row in positions])
        whole = self._alone([self._hypothesis(row, ("netqty", "buyqty", "sellqty")) for row in positions])
        return {"span": money(whole), "expo": "0.00", "span_trade": money(traded), "expo_trade": "0.00"}

    async def _margins(self, tickets: Sequence[Ticket]) -> Row:
        funds = await self._market.desk.funds()
        total = await self._market.desk.margin([self._request(ticket) for ticket in tickets])
        enough = total <= funds.cash
        return {
            "remarks": "Order Success" if enough else "Insufficient Balance",
            "cash": money(funds.cash),
            "marginused": money(total),
            "marginusedprev": money(funds.margin_used),
            "ordermargin": money(max(0, total - funds.margin_used)),
        }

    def _alone(self, asked: Iterable[PlaceRequest | None]) -> int:
        """Margin of positions as if nothing else were open; the premium of bought options is no margin."""
        requests = [request for request in asked if request is not None]
        bought = [
            request for request in requests if request.side is Side.BUY and request.instrument.kind is Kind.OPTION
        ]
        premium = sum(request.qty * request.price for request in bought)
        return max(0, self._market.margin_alone(requests) - premium)

    def _hypothesis(self, row: Body, counted: tuple[str, ...]) -> PlaceRequest | None:
        symbol = self._described(row)
        net = sum(_signed(row, name) for name in counted)
        quote = self._market.quote(symbol.instrument.name)
        price = (quote.mark if quote else None) or symbol.instrument.tick
        if not net:
            return None
        return PlaceRequest(
            tag="",
            account=self._market.account.id,
            instrument=symbol.instrument,
            side=Side.BUY if net > 0 else Side.SELL,
            qty=abs(net),
            type=OrderType.LIMIT,
            price=price,
            trigger=None,
            product=PRODUCTS.get(row.word("prd"), Product.NRML),
            validity=Validity.DAY,
        )

    def _described(self, row: Body) -> Symbol:
        """The contract of a SpanCalc row: by its parts, not by a symbol."""
        if row.word("tsym"):
            return symbol_of(row, self._desk.symbols)
        right = row.word("optt") or "XX"
        strike = row.optional_price("strprc") if right != "XX" else 0
        for symbol in self._desk.symbols.listed(row.word("exch")):
            same = (symbol.symname, symbol.expiry, symbol.option_type) == (row.word("symname"), row.word("exd"), right)
            if same and (symbol.instrument.strike or 0) == strike:
                return symbol
        raise BadRequest("Invalid Input : Invalid Trading Symbol")

    def _request(self, ticket: Ticket) -> PlaceRequest:
        return PlaceRequest(
            tag="",
            account=self._market.account.id,
            instrument=ticket.symbol.instrument,
            side=SIDES[ticket.trantype],
            qty=ticket.qty,
            type=PRICE_TYPES[ticket.prctyp],
            price=ticket.prc,
            trigger=ticket.trgprc or None,
            product=PRODUCTS.get(ticket.prd, Product.NRML),
            validity=RETENTIONS[ticket.ret],
        )


def _signed(row: Body, name: str) -> int:
    text = row.word(name) or "0"
    try:
        units = int(float(text))
    except ValueError:
        raise BadRequest(f"Invalid Input : {name} is not a number") from None
    return -abs(units) if name == "sellqty" else units


def conversion(books: Sequence[Standing], body: Body, symbol: Symbol) -> None:
    """Judge a ProductConversion. Raises BadRequest where there is not so much to convert."""
    if body.word("prd") not in PRODUCTS or body.word("prevprd") not in PRODUCTS:
        raise BadRequest("Invalid Input : Invalid Product Type")
    qty = body.units("qty")
    held = [each for each in books if each.symbol == symbol and each.prd == body.word("prevprd")]
    open_units = sum(net_quantity(each) for each in held)
    side = SIDES.get(body.word("trantype"))
    if side is None:
        raise BadRequest("Invalid Input : Invalid Transaction Type")
    if open_units * side.sign < qty or qty <= 0:
        raise BadRequest("Rejected : RED:Position quantity is less than the quantity to convert")
