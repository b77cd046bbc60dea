"""The confirmation ladder: how much it takes to say yes. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import OrderTerms
from optconsole.engine.model.positions import PositionKey

TYPED_LOTS: Final = 20
"""Lots above which a live order that adds risk, or a live flatten, wants its lot count typed."""
FAR_PERCENT: Final = 10
"""Per cent beyond the market at which a price counts as far from it."""


class Effort(StrEnum):
    """What confirms: Enter alone, ``y``, or a word typed in full."""

    ENTER = "enter"
    YES = "yes"
    TYPED = "typed"


def reduces(state: TradingState, terms: OrderTerms) -> bool:
    """Whether the order can only make a held position smaller."""
    held = state.positions.get(str(PositionKey(terms.account, terms.product, terms.contract)))
    return held is not None and held.qty * terms.side.sign < 0 and terms.qty <= abs(held.qty)


def effort(mode: str, terms: OrderTerms, lots: int, mark: int | None, reducing: bool) -> Effort:
    """What sending an order takes: Enter on paper and in replay; live ``y``, or its lots typed when large or far."""
    if mode not in ("live", "halted"):
        return Effort.ENTER
    if reducing:
        return Effort.YES
    price = terms.price
    far = price is not None and mark is not None and (price - mark) * terms.side.sign * 100 > FAR_PERCENT * mark
    return Effort.TYPED if far or lots > TYPED_LOTS else Effort.YES
