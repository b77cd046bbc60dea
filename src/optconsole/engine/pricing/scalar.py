"""Black-76 for one option, pure Python: price, Greeks, implied volatility cold and warm.

Same definitions and answers as the array twins `black76` and `implied`; faster than them for a few options.
Units: the price in the currency of forward and strike; delta per unit of forward; vega per 1.00 of volatility;
theta per year; rho per 1.00 of rate with the forward held.
"""

from __future__ import annotations

from math import exp, expm1, inf, log, log1p, nan, sqrt, ulp
from typing import NamedTuple

from optconsole.engine.pricing.mills import INV_ROOT_TAU, mills_pair
from optconsole.engine.pricing.otm import FARTHEST_GAP, LARGEST_DEVIATION, TINY, deviation, refine, slope
from optconsole.engine.pricing.reasons import BLUR_LIMIT, Reason

FARTHEST = 1e4
"""Deviations from the money beyond which an option's time value is zero to the last digit."""
SUSPECT_SHARE = 1e-6
"""Time value (or room below the bound) under this share of the price: only then can rounding blur the answer, for
vega times volatility is never much below either."""
LEAST, MOST = 1e-100, 1e100
"""Forwards and strikes outside are no money; inside, no product of two leaves the double range."""
FARTHEST_DECAY = 200.0
"""Rate times years from which on there is no discount to speak of; below it, the same holds."""
SMALLEST = 2.3e-308
"""Normalised prices below this have lost digits of their own."""
ROUNDING = 2.0
"""Last digits of the price by which a quote at intrinsic value may seem to lie off it."""
_SOLVED = Reason.SOLVED


class Greeks(NamedTuple):
    """Price and sensitivities in the units of this module."""

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float


UNKNOWN = Greeks(nan, nan, nan, nan, nan, nan)


def log_gap(forward: float, strike: float) -> float:
    """|ln(forward/strike)|, exact also where the two nearly agree."""
    return log1p((strike - forward) / forward if forward < strike else (forward - strike) / strike)


def greeks(forward: float, strike: float, years: float, rate: float, vol: float, is_call: bool) -> Greeks:
    """Price and Greeks at a known volatility (0 allowed); all NaN for an input that is no option."""
    if not (LEAST < forward < MOST and LEAST < strike < MOST and 0.0 <= years < inf):
        return UNKNOWN
    if not (0.0 <= vol < inf and abs(rate * years) < FARTHEST_DECAY):
        return UNKNOWN
    return greeks_at(forward, strike, forward - strike, log_gap(forward, strike), years, rate, vol, is_call)


def greeks_at(
    forward: float,
    strike: float,
    excess: float,
    gap: float,
    years: float,
    rate: float,
    vol: float,
    is_call: bool,
) -> Greeks:
    """`greeks` for checked input whose `excess` F - K and `gap` |ln(F/K)| are known apart, perhaps more exactly."""
    root_t = sqrt(years)
    s = vol * root_t
    if not TINY < s < LARGEST_DEVIATION:
        s = TINY if s < 1.0 else LARGEST_DEVIATION
    h, t = gap / s, 0.5 * s
    if h > FARTHEST:
        h = FARTHEST
    spread, far = mills_pair(h, t, h * t)
    if s <= TINY:
        spread = 0.0
    discount = exp(-rate * years)
    scale = discount * sqrt(forward) * sqrt(strike) * INV_ROOT_TAU * exp(-0.5 * (h * h + t * t))
    in_money = excess > 0.0 if is_call else excess < 0.0
    price = scale * spread + (discount * abs(excess) if in_money else 0.0)
    nearer = excess < 0.0 or (excess == 0.0 and is_call)
    wing = scale / forward * (far + spread if nearer else far)
    delta = discount - wing if in_money else wing
    if not is_call:
        delta = -delta
    if s <= TINY:
        return Greeks(price, delta, nan, nan, nan, -years * price)
    vega = scale * root_t
    theta = rate * price - 0.5 * vega * vol / years
    return Greeks(price, delta, scale / forward / forward / s, vega, theta, -years * price)


def implied_vol(
    price: float, forward: float, strike: float, years: float, rate: float, is_call: bool, start: float = nan
) -> tuple[float, Reason]:
    """(volatility, SOLVED), or (NaN, why not). `start` is a volatility to begin from, such as the last one."""
    if not (0.0 <= price < inf and LEAST < forward < MOST and LEAST < strike < MOST):
        return nan, Reason.BAD_INPUT
    gap = log_gap(forward, strike)
    return implied_at(price, forward, strike, forward - strike, gap, years, rate, is_call, start)


def implied_at(
    price: float,
    forward: float,
    strike: float,
    excess: float,
    gap: float,
    years: float,
    rate: float,
    is_call: bool,
    start: float = nan,
) -> tuple[float, Reason]:
    """`implied_vol` for a checked price, forward and strike; `excess` and `gap` as for `greeks_at`."""
    growth = -rate * years
    if not (abs(growth) < FARTHEST_DECAY and abs(years) < inf and gap < FARTHEST_GAP):
        return nan, Reason.BAD_INPUT
    if years <= 0.0:
        return nan, Reason.EXPIRED
    held = excess if is_call else -excess
    time_value, shortfall = price, expm1(growth)
    if held > 0.0:
        # Two exact differences instead of discount * held: the price's own rounding stays the only blur.
        time_value = (price - held) - held * shortfall
    if time_value <= ROUNDING * ulp(price):
        below = time_value < -ROUNDING * ulp(price)
        return nan, Reason.PRICE_BELOW_INTRINSIC if below else Reason.PRICE_AT_INTRINSIC
    scale = sqrt(forward) * sqrt(strike) * (1.0 + shortfall)
    beta = time_value / scale
    room = (forward if forward < strike else strike) / scale * (1.0 + shortfall) - beta
    if room <= 0.0:
        return nan, Reason.PRICE_ABOVE_BOUND
    if beta < SMALLEST:
        return nan, Reason.NO_INFORMATION
    root_t = sqrt(years)
    s = refine(log(beta), gap, start * root_t) if start * root_t > TINY else nan
    if s != s:
        s = deviation(beta, room, gap)
    suspect = time_value < SUSPECT_SHARE * price or room < SUSPECT_SHARE
    # Where the last digit of the price alone moves the answer by more than the limit, there is no answer.
    if suspect and ulp(price) > BLUR_LIMIT * scale * slope(gap / s, 0.5 * s) * s:
        return nan, Reason.NO_INFORMATION
    return s / root_t, _SOLVED
