"""Black-Scholes-Merton with a continuous dividend yield, through the forward F = S exp((r - q) T).

Units: delta and gamma per unit of spot; vega per 1.00 of volatility; theta per year; rho and dividend rho per 1.00
of rate and of yield. R. Merton (1973); the Greeks follow from those of Black-76 by the chain rule.
"""

from __future__ import annotations

from math import exp, expm1, inf, nan
from typing import NamedTuple

from optconsole.engine.pricing import scalar
from optconsole.engine.pricing.reasons import Reason


class SpotGreeks(NamedTuple):
    """Price and sensitivities in the units of this module."""

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float
    dividend_rho: float


UNKNOWN = SpotGreeks(nan, nan, nan, nan, nan, nan, nan)


def greeks(
    spot: float, strike: float, years: float, rate: float, dividend: float, vol: float, is_call: bool
) -> SpotGreeks:
    """Price and Greeks at a known volatility (0 allowed); all NaN for an input that is no option."""
    carried = _carried(spot, strike, years, rate, dividend)
    if carried is None or not (years >= 0.0 and 0.0 <= vol < inf):
        return UNKNOWN
    forward, excess, gap = carried
    at = scalar.greeks_at(forward, strike, excess, gap, years, rate, vol, is_call)
    growth = exp((rate - dividend) * years)
    delta = at.delta * growth
    held = spot * delta
    return SpotGreeks(
        price=at.price,
        delta=delta,
        gamma=at.gamma * growth * growth,
        vega=at.vega,
        theta=at.theta - (rate - dividend) * held,
        rho=years * (held - at.price),
        dividend_rho=-years * held,
    )


def implied_vol(
    price: float,
    spot: float,
    strike: float,
    years: float,
    rate: float,
    dividend: float,
    is_call: bool,
    start: float = nan,
) -> tuple[float, Reason]:
    """(volatility, SOLVED), or (NaN, why not)."""
    carried = _carried(spot, strike, years, rate, dividend)
    if carried is None or not 0.0 <= price < inf:
        return nan, Reason.BAD_INPUT
    forward, excess, gap = carried
    return scalar.implied_at(price, forward, strike, excess, gap, years, rate, is_call, start)


def _carried(
    spot: float, strike: float, years: float, rate: float, dividend: float
) -> tuple[float, float, float] | None:
    """(F, F - K, |ln(F/K)|) with the digits that forming F first would lose; None for what is no option."""
    carry = (rate - dividend) * years
    if not (scalar.LEAST < spot < scalar.MOST and scalar.LEAST < strike < scalar.MOST and abs(years) < inf):
        return None
    if not (abs(carry) < scalar.FARTHEST_DECAY and abs(rate * years) < scalar.FARTHEST_DECAY):
        return None
    log_spot = scalar.log_gap(spot, strike)
    log_forward = carry + (log_spot if spot > strike else -log_spot)
    forward = spot * exp(carry)
    if not (scalar.LEAST < forward < scalar.MOST and abs(log_forward) < scalar.FARTHEST_DECAY):
        return None
    return forward, strike * expm1(log_forward), abs(log_forward)
