"""Kite's positions and holdings, worked out from the exchange's books and the day's trades."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from optconsole.brokers.rehearsal.kite.book import Row
from optconsole.brokers.rehearsal.kite.contracts import KiteContract, KiteContracts
from optconsole.brokers.rehearsal.kite.replies import INPUT, KiteError, rupees
from optconsole.brokers.rehearsal.kite.terms import whole
from optconsole.brokers.rehearsal.market import Market
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.ports import Accepted, BrokerTrade, Rejected


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


def no_holdings() -> Sequence[Row]:
    """The rehearsed account trades derivatives only, which are never in a demat account."""
    return []
