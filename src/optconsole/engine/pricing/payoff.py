"""What a set of legs makes: at the first expiry, and at any moment before it, wherever the underlying is.

Paise and signed units; years are of 365 days. At the last trade a leg is worth its intrinsic value exactly. Before it,
Black-76 on the forward that the spot grows to at one carry rate for all legs, discounted at the same rate: the forward
of each expiry then runs into the spot, calls and puts keep to parity, and wings that cover one another far out do so to
the last paisa, so that no condor and no calendar ever seems to lose without end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import exp, log
from typing import Final

import msgspec
import numpy as np

from optconsole.engine.model.instruments import Right
from optconsole.engine.pricing.black76 import greeks
from optconsole.engine.pricing.mills_array import Floats
from optconsole.engine.pricing.reasons import Reason
from optconsole.engine.pricing.scalar import implied_vol

WILDEST_CARRY: Final = 1.0
"""A carry rate beyond this a year is no carry: hours before an expiry a stale spot alone would make thousands."""
_FARTHEST: Final = 8.0
"""Multiples of the spot beyond which every option has become a straight line."""
_GRID: Final = 480
_NARROWER: Final = 33

Curve = Callable[[Floats], Floats]
"""Paise made, by where the underlying is."""


class PayoffLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A leg held or planned: signed units at ``entry`` paise each, ``years`` before its last trade.

    ``right`` and ``strike`` are None for a future; ``vol`` is a fraction a year, None while no price implies one.
    """

    qty: int
    entry: int
    years: float = 0.0
    right: Right | None = None
    strike: int | None = None
    vol: float | None = None


# ------------------------------------------------------------ at one expiry: exact


def payoff(legs: Sequence[PayoffLeg], at: Fraction | int, realised: int = 0) -> Fraction:
    """Paise made with the underlying there once every leg has expired."""
    return Fraction(realised) + sum((leg.qty * (_intrinsic(leg, Fraction(at)) - leg.entry) for leg in legs), Fraction())


def kinks(legs: Sequence[PayoffLeg]) -> list[int]:
    """Where the payoff at expiry may bend: nothing, and every strike."""
    return sorted({0, *(leg.strike for leg in legs if leg.strike is not None and leg.qty)})


def tail(legs: Sequence[PayoffLeg]) -> int:
    """Paise made for each paisa the underlying rises above all strikes; below them it ends at nothing."""
    return sum(leg.qty for leg in legs if leg.right is not Right.PUT)


def zeros(legs: Sequence[PayoffLeg], realised: int = 0) -> list[Fraction]:
    """Every break-even at expiry, rising: in each line between two strikes, at each strike, and in the upper tail."""
    knots = [Fraction(each) for each in kinks(legs)]
    values = [payoff(legs, knot, realised) for knot in knots]
    found = [knot for knot, value in zip(knots, values, strict=True) if value == 0]
    for left, right, low, high in zip(knots, knots[1:], values, values[1:], strict=False):
        if low * high < 0:
            found.append(left + (right - left) * low / (low - high))
    slope = tail(legs)
    if values[-1] * slope < 0:
        found.append(knots[-1] - values[-1] / slope)
    return sorted(found)


def _intrinsic(leg: PayoffLeg, at: Fraction) -> Fraction:
    if leg.right is None or leg.strike is None:
        return at
    return max(at - leg.strike if leg.right is Right.CALL else leg.strike - at, Fraction())


# ------------------------------------------------------------ before it: Black-76 on one carry rate


def carry_rate(spot: int, forwards: Sequence[tuple[float, float]]) -> float:
    """The one rate a year at which the spot grows to the forwards, given as (years, paise), the far ones weighing most.

    Zero without any.
    """
    known = [(years, log(forward / spot)) for years, forward in forwards if years > 0 and forward > 0 and spot > 0]
    weight = sum(years * years for years, _ in known)
    rate = sum(years * grown for years, grown in known) / weight if weight else 0.0
    return max(-WILDEST_CARRY, min(rate, WILDEST_CARRY))


def forward_at(spot: float, carry: float, years: float) -> float:
    """What the spot grows to: itself at the expiry."""
    return spot * exp(carry * max(years, 0.0))


def leg_vol(leg: PayoffLeg, price: int, spot: int, carry: float) -> float | None:
    """The volatility that a leg's price implies on the strategy's carry; None for a future, or where none does."""
    if leg.right is None or leg.strike is None or leg.years <= 0:
        return None
    forward, call = forward_at(spot, carry, leg.years), leg.right is Right.CALL
    vol, reason = implied_vol(float(price), forward, float(leg.strike), leg.years, carry, call)
    return vol if reason is Reason.SOLVED else None


def value(legs: Sequence[PayoffLeg], spots: Floats, carry: float, ahead: float = 0.0, realised: int = 0) -> Floats:
    """Paise made ``ahead`` years from now with the underlying at each of ``spots``, which are above zero.

    NaN where an option that still lives then has no volatility. ``ahead`` is at most ``first_expiry``: what an expired
    leg was worth depends on where the underlying was that day.
    """
    total = np.full(spots.shape, float(realised))
    for leg in legs:
        if leg.qty:
            total += leg.qty * (_worth(leg, spots, carry, leg.years - ahead) - leg.entry)
    return total


def first_expiry(legs: Sequence[PayoffLeg]) -> float:
    """Years until the first leg expires; closed legs do not count."""
    return max(min((leg.years for leg in legs if leg.qty), default=0.0), 0.0)


def _worth(leg: PayoffLeg, spots: Floats, carry: float, left: float) -> Floats:
    if leg.right is None or leg.strike is None:
        return spots * exp(carry * max(left, 0.0))
    call = leg.right is Right.CALL
    if left <= 0:
        return np.maximum(spots - leg.strike if call else leg.strike - spots, 0.0)
    if leg.vol is None:
        return np.full(spots.shape, np.nan)
    return greeks(spots * exp(carry * left), float(leg.strike), left, carry, leg.vol, float(call)).price


# ------------------------------------------------------------ a curve's own figures


def sample(spot: float, strikes: Sequence[int]) -> Floats:
    """Places at which a curve is looked at first: near nothing, every strike, and up to where all is straight."""
    most = _FARTHEST * max(spot, *(float(each) for each in strikes), 1.0)
    around = np.linspace(0.5 * spot, 1.5 * spot, _GRID)
    wide = np.geomspace(1.0, most, _GRID // 4)
    return np.unique(np.concatenate((around, wide, np.array([each for each in strikes if each > 0], dtype=np.float64))))


def crossings(curve: Curve, spots: Floats, slope: int) -> list[float]:
    """Where a curve goes through nothing between the ``spots``, or above them on its straight way up or down."""
    values = curve(spots)
    found = [float(each) for each in spots[values == 0.0]]
    turns = np.flatnonzero(values[:-1] * values[1:] < 0.0)
    found += [_root(curve, float(spots[place]), float(spots[place + 1])) for place in turns]
    if values[-1] * slope < 0:
        found.append(float(spots[-1] - values[-1] / slope))
    return sorted(found)


def extremes(curve: Curve, spots: Floats) -> tuple[float, float]:
    """(lowest, highest) of a curve between the ``spots``."""
    return -_highest(curve, spots, -1.0), _highest(curve, spots, 1.0)


def _highest(curve: Curve, spots: Floats, sign: float) -> float:
    """The highest of ``sign`` times the curve: the best place, then ever closer around it."""
    best = -np.inf
    for _ in range(4):
        values = sign * curve(spots)
        place = int(np.argmax(values))
        best = max(best, float(values[place]))
        low, high = spots[max(place - 1, 0)], spots[min(place + 1, len(spots) - 1)]
        spots = np.linspace(low, high, _NARROWER)
    return best


def _root(curve: Curve, low: float, high: float) -> float:
    """The place between two of different sign, to far below a paisa."""
    for _ in range(8):
        spots = np.linspace(low, high, _NARROWER)
        values = curve(spots)
        turns = np.flatnonzero(values[:-1] * values[1:] <= 0.0)
        if not len(turns) or high - low < 1e-3:
            break
        low, high = float(spots[turns[0]]), float(spots[turns[0] + 1])
    return (low + high) / 2
