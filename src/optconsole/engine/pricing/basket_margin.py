"""Margin around a basket of orders: before, after, and on the way, leg by leg in the order in which they leave.

The order matters (features OE-13): a call sold before the one that covers it needs the margin of a naked call for as
long as that takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from optconsole.engine.pricing.margin import Forwards, Margin, MarginLeg, MarginParams, Portfolio


class BasketMargin(msgspec.Struct, frozen=True, kw_only=True):
    """Margins of what is held ``before``, after each order in turn (``steps``), and of all together, ``final``.

    ``apart`` are paise for every order by itself with what is held, as if none covered another; ``bought`` the
    premium of the options bought, which is cash.
    """

    before: Margin
    steps: tuple[Margin, ...]
    apart: int
    bought: int

    @property
    def final(self) -> Margin:
        """After the last order."""
        return self.steps[-1] if self.steps else self.before

    @property
    def peak(self) -> int:
        """The most that is blocked at any moment, in paise."""
        return max(self.before.total, *(each.total for each in self.steps), 0)


def basket_margin(
    held: Sequence[MarginLeg],
    orders: Sequence[MarginLeg],
    forwards: Forwards,
    spots: Mapping[str, int],
    now: datetime,
    params: MarginParams,
) -> BasketMargin:
    """The margins of ``orders``, taken as filled one after another on top of ``held``. Raises as portfolio_margin."""

    together, holding = Portfolio(forwards, spots, now, params), {leg.instrument.name: leg for leg in netted(held)}
    for name, leg in holding.items():
        together.put(name, leg)
    before, alone, steps = together.margin(), 0, []
    for order in orders:
        name = order.instrument.name
        known = holding.get(name)
        together.put(name, _joined(known, order))
        alone += max(together.margin().total - before.total, 0)
        together.put(name, known or msgspec.structs.replace(order, qty=0))
    for order in orders:
        name = order.instrument.name
        holding[name] = _joined(holding.get(name), order)
        together.put(name, holding[name])
        steps.append(together.margin())
    bought = sum(order.qty * order.price for order in orders if order.qty > 0 and order.instrument.strike is not None)
    return BasketMargin(before=before, steps=tuple(steps), apart=alone, bought=bought)


def netted(legs: Sequence[MarginLeg]) -> list[MarginLeg]:
    """One leg for each contract: the clearing house knows only what is left of it. The last price counts."""
    found: dict[str, MarginLeg] = {}
    for leg in legs:
        found[leg.instrument.name] = _joined(found.get(leg.instrument.name), leg)
    return [leg for leg in found.values() if leg.qty]


def _joined(known: MarginLeg | None, leg: MarginLeg) -> MarginLeg:
    return leg if known is None else msgspec.structs.replace(leg, qty=known.qty + leg.qty)
