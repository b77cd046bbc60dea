"""Kite's funds, positions, holdings and margins, worked out from the exchange's books and the day's trades."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from optconsole.brokers.rehearsal.kite.book import Row
from optconsole.brokers.rehearsal.kite.contracts import KiteContract, KiteContracts
from optconsole.brokers.rehearsal.kite.replies import GENERAL, INPUT, KiteError, rupees
from optconsole.brokers.rehearsal.kite.terms import read_terms, whole
from optconsole.brokers.rehearsal.market import Market
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.ports import Accepted, BrokerTrade, BrokerUnreachable, PlaceRequest, Rejected

_UTILISED: Final = (
    "exposure", "m2m_realised", "m2m_unrealised", "payout", "holding_sales", "turnover", "liquid_collateral",
    "stock_collateral", "delivery", "option_premium",
)  # fmt: skip
MOST_ORDERS: Final = 200


@dataclass(slots=True)
class _Flow:
    """What one side of a position's day was: units and paise."""

    units: int = 0
    value: int = 0


@dataclass(frozen=True, slots=True)
class _Moved:
    """Units that came into a product, or left it, by a conversion: no trade, but it counts as one of the day."""

    contract: str
    product: Product
    side: Side
    qty: int
    price: int


class KitePortfolio:
    def __init__(self, market: Market) -> None:
        self._market = market
        self._moved: list[_Moved] = []

    # ------------------------------------------------------------ funds and margins

    async def funds(self, segment: str = "") -> Row:
        """Of both segments or one. Raises KiteError."""
        try:
            funds = await self._market.desk.funds()
        except BrokerUnreachable as unknown:
            raise KiteError(GENERAL, str(unknown), 500) from unknown
        capital = self._market.account.capital
        both = {
            "equity": _segment(True, capital, funds.cash, funds.margin_used),
            "commodity": _segment(False, 0, 0, 0),
        }
        if segment and segment not in both:
            raise KiteError(INPUT, "Invalid `segment`.")
        return both[segment] if segment else dict(both)

    def order_margins(self, body: bytes, contracts: KiteContracts) -> list[Row]:
        """Each order as if it stood alone. Raises KiteError."""
        return [self._margin_row(request) for request in self._requests(body, contracts)]

    def charges(self, body: bytes, contracts: KiteContracts) -> list[Row]:
        """What executed orders cost, each at its ``average_price``. Raises KiteError."""
        return [
            {
                "transaction_type": request.side.value,
                "tradingsymbol": contract.symbol,
                "exchange": contract.exchange,
                "variety": "regular",
                "product": request.product.value,
                "order_type": request.type.value,
                "quantity": request.qty,
                "price": rupees(request.price),
                "charges": self._charges(request),
            }
            for request, contract in self._requests(body, contracts, "average_price")
        ]

    def _charges(self, request: PlaceRequest) -> Row:
        value = request.qty * request.price
        day = self._market.now().date()
        return {"total": self._market.rules.charges(day, request.instrument, request.side, value) / 100}

    async def basket(self, body: bytes, contracts: KiteContracts, with_positions: bool) -> Row:
        """All together, with and without the benefit of one for another. Raises KiteError."""
        requests = self._requests(body, contracts)
        rows = [self._margin_row(request) for request in requests]
        try:
            if with_positions:
                desk = self._market.desk
                final = await desk.margin([each for each, _ in requests]) - await desk.margin([])
            else:
                final = self._market.margin_alone([each for each, _ in requests])
        except (BrokerUnreachable, Refusal) as unknown:
            raise KiteError(GENERAL, str(unknown), 500) from unknown
        initial = sum(_paise(row) for row in rows)
        return {"initial": _totals(initial), "final": _totals(final), "orders": rows, "charges": {"total": 0}}

    def _requests(
        self, body: bytes, contracts: KiteContracts, priced: str = "price"
    ) -> list[tuple[PlaceRequest, KiteContract]]:
        try:
            orders = msgspec.json.decode(body, type=list[dict[str, str | int | float | None]])
        except msgspec.MsgspecError:
            raise KiteError(INPUT, "Invalid JSON in the request body.") from None
        if len(orders) > MOST_ORDERS:
            raise KiteError(INPUT, f"At most {MOST_ORDERS} orders are taken.")
        return [self._request({**order, "price": order.get(priced)}, contracts) for order in orders]

    def _request(
        self, order: Mapping[str, str | int | float | None], contracts: KiteContracts
    ) -> tuple[PlaceRequest, KiteContract]:
        form = {name: str(value) for name, value in order.items() if value is not None}
        form.setdefault("price", "0")
        form.setdefault("trigger_price", "0")
        terms, _ = read_terms(form.get("variety", "regular"), form, contracts)
        quote = self._market.quote(terms.contract.instrument.name)
        last = None if quote is None else quote.ltp or quote.mark
        request = PlaceRequest(
            tag="",
            account=self._market.account.id,
            instrument=terms.contract.instrument,
            side=terms.side,
            qty=terms.qty,
            type=terms.type,
            price=terms.price or last or 0,
            trigger=terms.trigger or None,
            product=terms.product,
            validity=terms.validity,
        )
        return request, terms.contract

    def _margin_row(self, asked: tuple[PlaceRequest, KiteContract]) -> Row:
        request, contract = asked
        try:
            alone = self._market.margin_alone([request])
        except Refusal as unknown:
            raise KiteError(GENERAL, unknown.text, 500) from unknown
        premium = alone if request.side is Side.BUY and request.instrument.right is not None else 0
        return {
            "type": "equity",
            "tradingsymbol": contract.symbol,
            "exchange": contract.exchange,
            **_totals(alone, premium),
            "charges": self._charges(request),
        }

    # ------------------------------------------------------------ positions

    async def positions(self, fills: Iterable[BrokerTrade], contracts: KiteContracts) -> Row:
        """Net and of the day. What is flat stays listed all day."""
        held = {(row.contract, row.product): row.qty for row in await self._market.desk.positions()}
        flows: dict[tuple[str, Product], tuple[_Flow, _Flow]] = {}
        happened: list[BrokerTrade | _Moved] = [*fills, *self._moved]
        for fill in happened:
            bought, sold = flows.setdefault((fill.contract, fill.product), (_Flow(), _Flow()))
            flow = bought if fill.side is Side.BUY else sold
            flow.units += fill.qty
            flow.value += fill.qty * fill.price
        net, day = [], []
        for key in dict.fromkeys((*held, *flows)):
            contract = contracts.of(key[0])
            if contract is None:
                continue
            bought, sold = flows.get(key, (_Flow(), _Flow()))
            row = self._position(contract, key[1], held.get(key, 0), bought, sold)
            net.append(row)
            if bought.units or sold.units:
                day.append(self._position(contract, key[1], bought.units - sold.units, bought, sold))
        return {"net": net, "day": day}

    async def convert(self, form: Mapping[str, str], fills: Iterable[BrokerTrade], contracts: KiteContracts) -> bool:
        """Carry a part of a position under another product. Raises KiteError."""
        contract = contracts.at(form.get("exchange", ""), form.get("tradingsymbol", ""))
        try:
            side = Side(form.get("transaction_type", ""))
            held, wanted = Product(form.get("old_product", "")), Product(form.get("new_product", ""))
        except ValueError:
            raise KiteError(INPUT, "Invalid `transaction_type`, `old_product` or `new_product`.") from None
        if contract is None:
            raise KiteError(INPUT, "Invalid `tradingsymbol`.")
        qty, name = whole(form, "quantity"), contract.instrument.name
        outcome = await self._market.broker.convert(name, held, wanted, side.sign * qty)
        if not isinstance(outcome, Accepted):
            raise KiteError(INPUT, outcome.reason if isinstance(outcome, Rejected) else outcome.cause)
        price = self._average(name, held, side, fills)
        self._moved += [
            _Moved(name, held, side.opposite, qty, price),
            _Moved(name, wanted, side, qty, price),
        ]
        return True

    def _average(self, name: str, product: Product, side: Side, fills: Iterable[BrokerTrade]) -> int:
        """Paise at which the day traded; the previous close for what was held before."""
        mine = [fill for fill in fills if (fill.contract, fill.product, fill.side) == (name, product, side)]
        units = sum(fill.qty for fill in mine)
        if units:
            return sum(fill.qty * fill.price for fill in mine) // units
        quote = self._market.quote(name)
        return (quote.prev_close or 0) if quote is not None else 0

    def new_day(self) -> None:
        self._moved.clear()

    def _position(self, contract: KiteContract, product: Product, qty: int, bought: _Flow, sold: _Flow) -> Row:
        quote = self._market.quote(contract.instrument.name)
        last = (quote.ltp or quote.mark or 0) if quote is not None else 0
        close = (quote.prev_close or 0) if quote is not None else 0
        overnight = qty - (bought.units - sold.units)
        buy = _Flow(bought.units + max(overnight, 0), bought.value + max(overnight, 0) * close)
        sell = _Flow(sold.units + max(-overnight, 0), sold.value + max(-overnight, 0) * close)
        side = buy if qty > 0 else sell
        average = side.value / side.units / 100 if qty and side.units else 0
        pnl = sell.value - buy.value + qty * last
        return {
            "tradingsymbol": contract.symbol,
            "exchange": contract.exchange,
            "instrument_token": contract.token,
            "product": product.value,
            "quantity": qty,
            "overnight_quantity": overnight,
            "multiplier": 1,
            "average_price": round(average, 4),
            "close_price": rupees(close),
            "last_price": rupees(last),
            "value": (sell.value - buy.value) / 100,
            "pnl": pnl / 100,
            "m2m": pnl / 100,
            "unrealised": pnl / 100,
            "realised": 0,
            **_side("buy", buy),
            **_side("sell", sell),
            **_side("day_buy", bought, marked=False),
            **_side("day_sell", sold, marked=False),
        }


def _side(name: str, flow: _Flow, marked: bool = True) -> Row:
    price = round(flow.value / flow.units / 100, 4) if flow.units else 0
    row: Row = {f"{name}_quantity": flow.units, f"{name}_price": price, f"{name}_value": flow.value / 100}
    return {**row, f"{name}_m2m": flow.value / 100} if marked else row


def _segment(enabled: bool, opening: int, cash: int, used: int) -> Row:
    return {
        "enabled": enabled,
        "net": (cash - used) / 100,
        "available": {
            "adhoc_margin": 0,
            "cash": cash / 100,
            "opening_balance": opening / 100,
            "live_balance": (cash - used) / 100,
            "collateral": 0,
            "intraday_payin": 0,
        },
        "utilised": {"debits": used / 100, "span": used / 100, **dict.fromkeys(_UTILISED, 0)},
    }


def _totals(paise: int, premium: int = 0) -> Row:
    return {
        "span": (paise - premium) / 100,
        "exposure": 0,
        "option_premium": premium / 100,
        "additional": 0,
        "bo": 0,
        "cash": 0,
        "var": 0,
        "pnl": {"realised": 0, "unrealised": 0},
        "leverage": 1,
        "total": paise / 100,
    }


def _paise(row: Row) -> int:
    total = row["total"]
    assert isinstance(total, float | int)
    return round(total * 100)


def no_holdings() -> Sequence[Row]:
    """The rehearsed account trades derivatives only, which are never in a demat account."""
    return []
