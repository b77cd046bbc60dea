"""Positions and their exact profit and loss in paise."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from optconsole.engine.model.orders import Product


def position_name(account: str, product: Product, contract: str) -> str:
    """The text form of a position's key."""
    return f"{account}/{product}/{contract}"


class Basis(StrEnum):
    """Where the price comes from at which a contract was carried into a day."""

    CLOSE = "close"
    """The last price that the engine saw the day before."""
    PREVIOUS = "previous"
    """The exchange's own close of the day before; it has the last word."""
    FIRST = "first"
    """The first price of the day, where no close is known at all."""


class Base(msgspec.Struct, frozen=True):
    """What one unit was worth, in paise, as the day before ended."""

    price: int
    basis: Basis


class PositionKey(msgspec.Struct, frozen=True, order=True, gc=False):
    """Positions are kept per account, product and contract."""

    account: str
    product: Product
    contract: str

    def __str__(self) -> str:
        return position_name(self.account, self.product, self.contract)


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Open quantity (signed units) and everything that happened to it.

    ``cost`` is signed paise paid for the open quantity (negative for a short: premium received); ``realised`` and
    ``charges`` are paise. Realised plus unrealised is always cash in minus cash out plus the mark, to the paisa.
    ``carried_qty`` and ``carried_cost`` are quantity and cost as they came over from the day before.
    """

    key: PositionKey
    lot: int
    qty: int = 0
    cost: int = 0
    realised: int = 0
    charges: int = 0
    bought: int = 0
    bought_value: int = 0
    sold: int = 0
    sold_value: int = 0
    carried_qty: int = 0
    carried_cost: int = 0

    @property
    def average(self) -> float | None:
        """Average price of the open quantity in paise; None when flat. For display only."""
        return self.cost / self.qty if self.qty else None

    def unrealised(self, mark: int | None) -> int | None:
        """Paise gained on the open quantity at ``mark``; None when there is quantity but no price."""
        if self.qty == 0:
            return 0
        return None if mark is None else self.qty * mark - self.cost

    def day_profit(self, mark: int | None, base: int | None) -> int | None:
        """Paise made since the day before ended, after charges; None when a price that is needed is missing.

        ``base`` is what the carried quantity was worth a unit then: what it had gained by that time is not today's.
        """
        open_profit = self.unrealised(mark)
        if open_profit is None or (base is None and self.carried_qty):
            return None
        before = 0 if base is None else self.carried_qty * base - self.carried_cost
        return self.realised - self.charges + open_profit - before

    def carried(self) -> Position:
        """What goes into a new day: the open quantity at its cost, and nothing of what happened."""
        return Position(
            key=self.key,
            lot=self.lot,
            qty=self.qty,
            cost=self.cost,
            carried_qty=self.qty,
            carried_cost=self.cost,
        )

    def traded(self, signed_qty: int, price: int, charges: int = 0) -> Position:
        """The position after a fill of ``signed_qty`` units (sells negative) at ``price`` paise."""
        held, cost, realised = self.qty, self.cost, self.realised
        if held * signed_qty < 0:
            closing = signed_qty if abs(signed_qty) <= abs(held) else -held
            closed_cost = cost * closing // -held
            cost += (signed_qty - closing) * price - closed_cost
            realised -= closing * price + closed_cost
        else:
            cost += signed_qty * price
        buys, sells = (signed_qty, 0) if signed_qty > 0 else (0, -signed_qty)
        paid, got = (value, 0) if (value := signed_qty * price) > 0 else (0, -value)
        return Position(
            key=self.key,
            lot=self.lot,
            qty=held + signed_qty,
            cost=cost,
            realised=realised,
            charges=self.charges + charges,
            bought=self.bought + buys,
            bought_value=self.bought_value + paid,
            sold=self.sold + sells,
            sold_value=self.sold_value + got,
            carried_qty=self.carried_qty,
            carried_cost=self.carried_cost,
        )
