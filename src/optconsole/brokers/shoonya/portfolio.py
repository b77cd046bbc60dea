"""What Shoonya says of an account beyond the books: holdings, margins before an order, changes of product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from optconsole.brokers.shoonya import bodies, rows, words
from optconsole.brokers.shoonya.refusals import converted
from optconsole.brokers.shoonya.replies import Row
from optconsole.brokers.shoonya.wire import Wire
from optconsole.brokers.transport.coerce import units
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.ports import BrokerUnreachable, PlaceOutcome, PlaceRequest, Rejected

DELIVERY: Final = "C"
_ADDED: Final = ("btstqty", "holdqty", "unplgdqty", "benqty", "dpqty")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """Shares in the depository. ``sellable`` units by Shoonya's formula, ``cost`` paise a unit."""

    symbol: str
    sellable: int
    cost: int | None


class OrderMargin(msgspec.Struct, frozen=True, kw_only=True):
    """Paise: what the account would use with the order, what it uses now, and what the order adds."""

    after: int
    before: int
    order: int
    remark: str


class SpanMargin(msgspec.Struct, frozen=True, kw_only=True):
    """Paise of SPAN and exposure margin of a set of positions by themselves."""

    span: int
    exposure: int


class Portfolio:
    """Questions about one account, and the change of a position's product."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def holdings(self) -> list[Holding]:
        """Raises LoginLost, BrokerUnreachable."""
        fields = {"actid": self._wire.account, "prd": DELIVERY}
        return [_holding(row) for row in await self._wire.rows("Holdings", fields, "holdings")]

    async def order_margin(self, request: PlaceRequest, listed: Listed) -> OrderMargin:
        """What one order would need. Raises LoginLost, BrokerUnreachable."""
        leg = bodies.place(self._wire.user, self._wire.account, listed.segment, listed.symbol, request)
        fields = {name: value for name, value in leg.items() if name in bodies.MARGIN_KEYS}
        said = await self._wire.fields("GetOrderMargin", {"actid": self._wire.account, **fields}, "margin")
        return OrderMargin(
            after=rows.amount(said, "marginused"),
            before=rows.amount(said, "marginusedprev"),
            order=rows.amount(said, "ordermargin"),
            remark=rows.stranger(str(said.get("remarks") or "")),
        )

    async def span(self, held: Sequence[tuple[Listed, Product, int]]) -> SpanMargin:
        """Margin of positions (contract, product, signed units) without orders. Raises LoginLost, BrokerUnreachable."""
        fields = {"actid": self._wire.account, "pos": [_position(*each) for each in held]}
        said = await self._wire.fields("SpanCalc", fields, "span")
        return SpanMargin(span=rows.amount(said, "span"), exposure=rows.amount(said, "expo"))

    async def convert(
        self, listed: Listed, side: Side, qty: int, old: Product, new: Product, *, overnight: bool = False
    ) -> PlaceOutcome:
        """Change the product of an open position; ``overnight`` for one that was carried forward."""
        if old is new:
            return Rejected("SAME_PRODUCT", f"The position is {new.value} already.")
        fields = {
            "uid": self._wire.user,
            "actid": self._wire.account,
            "exch": listed.segment,
            "tsym": bodies.order_symbol(listed.symbol),
            "qty": str(qty),
            "prd": words.PRODUCT_WORDS[new],
            "prevprd": words.PRODUCT_WORDS[old],
            "trantype": words.SIDE_WORDS[side],
            "postype": "CF" if overnight else "Day",
            "ordersource": bodies.SOURCE,
        }
        return await self._wire.order("ProductConversion", fields, converted)


def _holding(row: Row) -> Holding:
    try:
        names = row["exch_tsym"]
        sellable = sum(units(row.get(name) or "0") for name in _ADDED) - units(row.get("usedqty") or "0")
        cost = rows.amount(row, "upldprc") if row.get("upldprc") else None
        return Holding(symbol=rows.stranger(str(names[0]["tsym"])), sellable=sellable, cost=cost)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BrokerUnreachable("A row of Shoonya's holdings cannot be read.") from error


def _position(listed: Listed, product: Product, qty: int) -> dict[str, str]:
    """A row of SpanCalc."""
    instrument = listed.instrument
    expiry = instrument.expiry
    stock = listed.segment == "NFO" and instrument.underlying not in words.INDICES
    kind = ("FUT" if instrument.kind is Kind.FUTURE else "OPT") + ("STK" if stock else "IDX")
    return {
        "prd": words.PRODUCT_WORDS[product],
        "exch": listed.segment,
        "instname": kind,
        "symname": instrument.underlying,
        "exd": f"{expiry.day:02d}-{_MONTHS[expiry.month - 1]}-{expiry.year}" if expiry else "",
        "optt": instrument.right.value if instrument.right else "XX",
        "strprc": bodies.price(instrument.strike) if instrument.strike else "-1",
        "buyqty": "0",
        "sellqty": "0",
        "netqty": str(qty),
    }
