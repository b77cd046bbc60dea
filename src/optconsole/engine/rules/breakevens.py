"""Where a run breaks even at expiry, around the underlying as it was (features SX-8). Pure, exact.

Only for legs of one expiry: of several, the later ones still have a value that depends on volatility.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

import msgspec

from optconsole.engine.model.instruments import Right


class PaidLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A leg as entered. ``right`` and ``strike`` are None for a future."""

    sign: int
    quantity: int
    entry: int
    right: Right | None = None
    strike: int | None = None


def payoff(legs: Sequence[PaidLeg], at: Fraction | int, realised: int = 0) -> Fraction:
    """Paise made at expiry with the underlying there."""
    total = Fraction(realised)
    for leg in legs:
        total += leg.sign * leg.quantity * (_worth(leg, Fraction(at)) - leg.entry)
    return total


def break_even_band(legs: Sequence[PaidLeg], index: int, realised: int = 0) -> tuple[int | None, int | None]:
    """The break-evens nearest below and above ``index``, each rounded towards it; None where there is none."""
    zeros = _zeros(legs, realised)
    below = [zero for zero in zeros if zero <= index]
    above = [zero for zero in zeros if zero >= index]
    return (ceil(max(below)) if below else None, floor(min(above)) if above else None)


def _worth(leg: PaidLeg, at: Fraction) -> Fraction:
    if leg.right is None or leg.strike is None:
        return at
    beyond = at - leg.strike if leg.right is Right.CALL else leg.strike - at
    return max(beyond, Fraction(0))


def _zeros(legs: Sequence[PaidLeg], realised: int) -> list[Fraction]:
    """Every underlying from zero up at which the payoff, a line between two strikes, is nothing."""
    knots = sorted({Fraction(0), *(Fraction(leg.strike) for leg in legs if leg.strike is not None)})
    values = [payoff(legs, knot, realised) for knot in knots]
    found = [knot for knot, value in zip(knots, values, strict=True) if value == 0]
    for left, right, low, high in zip(knots, knots[1:], values, values[1:], strict=False):
        if low * high < 0:
            found.append(left + (right - left) * low / (low - high))
    slope = payoff(legs, knots[-1] + 1, realised) - values[-1]
    if values[-1] * slope < 0:
        found.append(knots[-1] - values[-1] / slope)
    return found
