"""The whole picture of a set of legs: payoff curve, break-evens, what can be made and lost, and the odds of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
import numpy as np

from optconsole.engine.model.previews import PayoffPicture, PayoffPoint
from optconsole.engine.pricing import odds
from optconsole.engine.pricing.mills_array import Floats
from optconsole.engine.pricing.payoff import (
    Curve,
    PayoffLeg,
    carry_rate,
    crossings,
    extremes,
    first_expiry,
    kinks,
    leg_vol,
    payoff,
    sample,
    tail,
    value,
    zeros,
)

POINTS: Final = 61
"""Places of a curve besides strikes and break-evens."""
_SAME: Final = 1e-7
"""Years within which two legs expire together."""


class MarketLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A leg and its market price now, None while unknown."""

    name: str
    leg: PayoffLeg
    price: int | None


class _Shape(msgspec.Struct, frozen=True):
    """A curve's figures, in paise."""

    roots: tuple[float, ...]
    lowest: float
    highest: float
    made: Curve


def priced(legs: Sequence[MarketLeg], spot: int, forwards: Sequence[tuple[float, float]]) -> tuple[float, list[str]]:
    """(carry rate, names of options whose price implies no volatility)."""
    carry = carry_rate(spot, forwards)
    return carry, [
        each.name
        for each in legs
        if each.leg.strike is not None
        and each.leg.qty
        and each.leg.vol is None
        and (each.price is None or leg_vol(each.leg, each.price, spot, carry) is None)
    ]


def with_vols(legs: Sequence[MarketLeg], spot: int, carry: float) -> list[PayoffLeg]:
    """The legs at the volatilities of their prices; one that implies none takes what the others imply together."""
    own = [
        each.leg
        if each.leg.vol is not None or each.price is None
        else msgspec.structs.replace(each.leg, vol=leg_vol(each.leg, each.price, spot, carry))
        for each in legs
        if each.leg.qty
    ]
    usual = odds.blended_vol(own, spot, carry)
    return [leg if leg.vol is not None else msgspec.structs.replace(leg, vol=usual) for leg in own]


def picture(
    legs: Sequence[MarketLeg],
    spot: int,
    forwards: Sequence[tuple[float, float]],
    until: datetime | None,
    realised: int = 0,
) -> PayoffPicture:
    """All figures of the legs that are open; closed ones are those of no units, and count by ``realised`` only.

    ``forwards`` are (years, paise) of the legs' expiries, ``until`` when the first of them ends. Raises ValueError
    where no leg is open or the spot is not above zero.
    """
    carry, dark = priced(legs, spot, forwards)
    plain = with_vols(legs, spot, carry)
    if not plain or spot <= 0:
        raise ValueError("a payoff needs an open leg and a spot above zero")
    ahead, vol = first_expiry(plain), odds.blended_vol(plain, spot, carry)
    missing = tuple(f"No volatility follows from the price of {name}." for name in dark)
    bare = PayoffPicture(spot=spot, until=until, carry=carry, vol=vol, missing=missing)
    shape = _shape(plain, spot, carry, ahead, realised)
    if shape is None:
        return bare
    slope = tail(plain)
    profit, loss = _bound(shape.highest, slope > 0), _bound(-shape.lowest, slope < 0)
    made = shape.made
    return msgspec.structs.replace(
        bare,
        points=_points(plain, spot, carry, realised, shape, vol, ahead),
        break_evens=tuple(round(each) for each in shape.roots),
        max_profit=profit,
        endless_profit=slope > 0,
        max_loss=loss,
        endless_loss=slope < 0,
        reward_to_risk=profit / loss if profit and loss else None,
        chance=None
        if vol is None
        else odds.chance_of_profit(shape.roots, lambda at: float(made(np.array([at]))[0]), spot, carry, ahead, vol),
        moves=() if vol is None else odds.expected_moves(spot, carry, ahead, vol),
    )


def _bound(amount: float, endless: bool) -> int | None:
    """A bound in whole paise; a strategy that cannot lose (or make) anything loses nothing."""
    return None if endless else max(round(amount), 0)


def _shape(legs: Sequence[PayoffLeg], spot: int, carry: float, ahead: float, realised: int) -> _Shape | None:
    """Exact where all legs expire together; else on the curve of that day. None where a later leg has no price."""

    def made(at: Floats) -> Floats:
        return value(legs, at, carry, ahead, realised)

    if all(leg.years - ahead < _SAME for leg in legs):
        knots = [payoff(legs, each, realised) for each in kinks(legs)]
        roots = tuple(float(each) for each in zeros(legs, realised))
        return _Shape(roots, float(min(knots)), float(max(knots)), lambda at: value(legs, at, carry, 1e9, realised))
    spots = sample(float(spot), kinks(legs))
    if np.isnan(made(spots)).any():
        return None
    lowest, highest = extremes(made, spots)
    return _Shape(tuple(crossings(made, spots, tail(legs))), lowest, highest, made)


def _points(
    legs: Sequence[PayoffLeg],
    spot: int,
    carry: float,
    realised: int,
    shape: _Shape,
    vol: float | None,
    ahead: float,
) -> tuple[PayoffPoint, ...]:
    """The curve where it matters: three deviations around, every strike, every break-even, the spot itself."""
    low, high = 0.9 * spot, 1.1 * spot
    if vol is not None:
        move = odds.expected_moves(spot, carry, ahead, vol, (3,))[0]
        low, high = float(move.low), float(move.high)
    special = [float(each) for each in kinks(legs) if each] + [each for each in shape.roots if each >= 1.0]
    near = [each for each in special if 0.5 * spot < each < 1.5 * spot]
    low, high = min([low, *near]) * 0.995, max([high, *near]) * 1.005
    places = np.unique(np.round(np.concatenate((np.linspace(low, high, POINTS), np.array([*special, float(spot)])))))
    at_expiry, now = shape.made(places), value(legs, places, carry, 0.0, realised)
    return tuple(
        PayoffPoint(int(at), round(float(then)), None if np.isnan(here) else round(float(here)))
        for at, then, here in zip(places, at_expiry, now, strict=True)
    )
