"""What a strike must offer to be traded (features 1.2): spread, open interest, volume, premium.

What is asked for and unknown is not offered: a floor that cannot be checked is not met.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from optconsole.engine.model.strikes import Liquidity, PriceKind
from optconsole.engine.rules.strike_rows import Candidate


class Verdict(StrEnum):
    """What became of a strike that was looked at."""

    CHOSEN = "chosen"
    FARTHER = "farther"
    """Would do, but another one fits better."""
    UNFIT = "unfit"
    """Does not meet the rule itself: the wrong side of a bound, outside a range."""
    NO_PRICE = "no-price"
    NO_DELTA = "no-delta"
    WIDE_SPREAD = "wide-spread"
    NO_SPREAD = "no-spread"
    LOW_OI = "low-oi"
    LOW_VOLUME = "low-volume"
    LOW_PREMIUM = "low-premium"


_WHOLE_BP: Final = 10_000


def lacking(row: Candidate, asked: Liquidity, price: PriceKind) -> Verdict | None:
    """The first thing a strike does not offer; None when it offers all that is asked."""
    if asked.max_spread:
        spread = spread_bp(row)
        if spread is None:
            return Verdict.NO_SPREAD
        if spread > asked.max_spread:
            return Verdict.WIDE_SPREAD
    if below(row.oi, asked.min_oi):
        return Verdict.LOW_OI
    if below(row.volume, asked.min_volume):
        return Verdict.LOW_VOLUME
    if below(row.premium(price), asked.min_premium):
        return Verdict.LOW_PREMIUM
    return None


def spread_bp(row: Candidate) -> int | None:
    """Ask minus bid in basis points of their middle, rounded up; None unless both sides are quoted."""
    if row.bid is None or row.ask is None or row.bid <= 0:
        return None
    return -(-(row.ask - row.bid) * 2 * _WHOLE_BP // (row.ask + row.bid))


def below(value: int | None, floor: int) -> bool:
    """Whether a floor is asked for and not met; unknown does not meet one."""
    return floor > 0 and (value is None or value < floor)
