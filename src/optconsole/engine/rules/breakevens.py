"""Where a run breaks even at expiry, around the underlying as it was (features SX-8). Pure, exact.

Only for legs of one expiry: of several, the later ones still have a value that depends on volatility.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

import msgspec

from optconsole.engine.model.instruments import Right
from optconsole.engine.pricing import payoff as curve
from optconsole.engine.pricing.payoff import PayoffLeg


class PaidLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A leg as entered. ``right`` and ``strike`` are None for a future."""

    sign: int
    quantity: int
    entry: int
    right: Right | None = None
    strike: int | None = None


def payoff(legs: Sequence[PaidLeg], at: Fraction | int, realised: int = 0) -> Fraction:
    """Paise made at expiry with the underlying there."""
    return curve.payoff(_plain(legs), at, realised)


def break_even_band(legs: Sequence[PaidLeg], index: int, realised: int = 0) -> tuple[int | None, int | None]:
    """The break-evens nearest below and above ``index``, each rounded towards it; None where there is none."""
    zeros = curve.zeros(_plain(legs), realised)
    below = [zero for zero in zeros if zero <= index]
    above = [zero for zero in zeros if zero >= index]
    return (ceil(max(below)) if below else None, floor(min(above)) if above else None)


def _plain(legs: Sequence[PaidLeg]) -> list[PayoffLeg]:
    return [PayoffLeg(qty=leg.sign * leg.quantity, entry=leg.entry, right=leg.right, strike=leg.strike) for leg in legs]
