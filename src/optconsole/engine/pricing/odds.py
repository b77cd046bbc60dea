"""How likely a payoff is to be a profit: lognormal, at the one volatility that the legs imply together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import exp, inf, log, sqrt
from statistics import NormalDist

from optconsole.engine.model.previews import Move
from optconsole.engine.pricing.payoff import PayoffLeg, forward_at
from optconsole.engine.pricing.scalar import greeks

_NORMAL = NormalDist()


def blended_vol(legs: Sequence[PayoffLeg], spot: float, carry: float) -> float | None:
    """The legs' volatilities weighed by their vegas, so that the options nearest the money say most. None without."""
    known = [
        (leg.vol, abs(leg.qty) * _vega(leg, leg.vol, spot, carry))
        for leg in legs
        if leg.vol is not None and leg.qty and leg.strike is not None and leg.years > 0
    ]
    weight = sum(vega for _, vega in known)
    if not known:
        return None
    if weight <= 0.0:
        return sum(vol for vol, _ in known) / len(known)
    return sum(vol * vega for vol, vega in known) / weight


def _vega(leg: PayoffLeg, vol: float, spot: float, carry: float) -> float:
    strike, forward = float(leg.strike or 0), forward_at(spot, carry, leg.years)
    vega = greeks(forward, strike, leg.years, carry, vol, True).vega
    return vega if vega > 0 else 0.0  # neither NaN nor nothing weighs anything


def below(price: float, spot: float, carry: float, years: float, vol: float) -> float:
    """The chance that the underlying ends under ``price``, its forward being what it is expected to be."""
    if price <= 0.0:
        return 0.0
    spread = vol * sqrt(max(years, 0.0))
    middle = forward_at(spot, carry, years)
    if spread <= 0.0:
        return 1.0 if middle < price else 0.0
    return _NORMAL.cdf(log(price / middle) / spread + spread / 2)


def chance_of_profit(
    roots: Sequence[float], made: Callable[[float], float], spot: float, carry: float, years: float, vol: float
) -> float:
    """The chance of a payoff above nothing. ``roots`` are all its break-evens, rising; ``made`` tells it anywhere."""
    edges = [0.0, *(each for each in roots if each > 0.0), inf]
    total = 0.0
    for low, high in pairwise(edges):
        inside = 2 * max(low, spot) if high == inf else (low + high) / 2
        if made(inside) > 0.0:
            upper = 1.0 if high == inf else below(high, spot, carry, years, vol)
            total += upper - below(low, spot, carry, years, vol)
    return min(max(total, 0.0), 1.0)


def expected_moves(
    spot: float, carry: float, years: float, vol: float, sigmas: Sequence[int] = (1, 2)
) -> tuple[Move, ...]:
    """Bands in which the underlying ends with the chances of one and two deviations, 68.3 and 95.4 %."""
    spread = vol * sqrt(max(years, 0.0))
    middle = forward_at(spot, carry, years) * exp(-spread * spread / 2)
    return tuple(
        Move(count, round(middle * exp(-count * spread)), round(middle * exp(count * spread))) for count in sigmas
    )
