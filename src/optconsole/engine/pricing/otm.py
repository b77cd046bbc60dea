"""The out-of-the-money option in normalised units, pure Python.

With gap = |ln(F/K)| and s = volatility * sqrt(T), an undiscounted out-of-the-money price is sqrt(F K) * b(gap, s),
for calls and puts alike. b rises from 0 to exp(-gap/2); db/ds = exp(-(h^2 + t^2)/2) / sqrt(2 pi), h = gap/s, t = s/2.

Inverting b follows P. Jaeckel, "Let's Be Rational" (2015): a start from the shape of b on either side of its
inflection point, then order-four Householder steps on whichever of 1/ln b, b, ln(bound - b) is nearly straight.
"""

from __future__ import annotations

from math import exp, log, nan, sqrt

from optconsole.engine.pricing.mills import (
    HALF_ROOT_TAU,
    INV_ROOT_TAU,
    LOG_ROOT_TAU,
    ROOT_TAU,
    mills,
    mills_pair,
)

CONVERGED = 1e-4
"""Relative Newton step after which one order-four step is exact to double precision."""
MOST_STEPS = 8
LARGEST_DEVIATION = 40.0
"""Total deviation beyond which every price is its bound to the last digit."""
FARTHEST_GAP = 1000.0
"""Log-moneyness beyond which the bound itself leaves the double range."""
TINY = 1e-300
_INV_ROOT_3 = 1.0 / sqrt(3.0)


def slope(h: float, t: float) -> float:
    """db/ds, the normalised vega."""
    return INV_ROOT_TAU * exp(-0.5 * (h * h + t * t))


def tail_quantile(p: float) -> float:
    """z with N(-z) = p for 0 < p <= 0.5, to 4.5e-4 (Abramowitz & Stegun 26.2.23): good enough to start from."""
    w = sqrt(-2.0 * log(p))
    return w - (2.515517 + w * (0.802853 + w * 0.010328)) / (1.0 + w * (1.432788 + w * (0.189269 + w * 0.001308)))


def deviation(beta: float, room: float, gap: float) -> float:
    """s with b(gap, s) = beta, for 0 < beta < bound; `room` is bound - beta, known without cancellation."""
    bound = exp(-0.5 * gap)
    bend = sqrt(2.0 * gap)
    at_bend = bound * INV_ROOT_TAU * (HALF_ROOT_TAU - mills(bend))
    if beta < at_bend:
        return _below_bend(beta, gap, bend, at_bend)
    if beta > 0.5 * bound:
        return _near_bound(room, gap, _high_start(room, bound, bend, at_bend))
    if beta < 0.2:
        return _by_value(beta, gap, max((beta + 0.5 * gap) * ROOT_TAU, bend))
    return _by_value(beta, gap, _high_start(room, bound, bend, at_bend))


def _high_start(room: float, bound: float, bend: float, at_bend: float) -> float:
    """Above the bend the room left falls like a normal tail in s/2; scaled to be right at the bend."""
    at = 0.5 * bend
    scale = mills(at) * slope(at, 0.0) * bound / (bound - at_bend)
    return max(2.0 * tail_quantile(max(min(scale * room / bound, 0.49999999999999), TINY)), bend)


def _below_bend(beta: float, gap: float, bend: float, at_bend: float) -> float:
    """Below the bend: the tangent there meets zero at `knot`; a cubic above the knot, the tail's shape below it."""
    bend_slope = exp(-0.5 * gap) * INV_ROOT_TAU
    knot = max(bend - at_bend / bend_slope, TINY)
    h, t = gap / knot, 0.5 * knot
    knot_slope = slope(h, t)
    at_knot = knot_slope * mills_pair(h, t, 0.5 * gap)[0]
    if beta < at_knot:
        z = h * _INV_ROOT_3
        tail = mills(z) * slope(z, 0.0) * (beta / at_knot) ** (1.0 / 3.0)
        start = gap * _INV_ROOT_3 / tail_quantile(max(tail, TINY))
        return _in_tail(log(beta), gap, min(start, knot), knot, log(at_bend) + 1.0)
    width = at_bend - at_knot
    u = (beta - at_knot) / width
    w = 1.0 - u
    cubic = w * w * (1.0 + 2.0 * u) * knot + u * u * (1.0 + 2.0 * w) * bend
    cubic += u * w * width * (w / knot_slope - u / bend_slope)
    return _by_value(beta, gap, min(max(cubic, knot), bend))


def householder(newton: float, second: float, third: float) -> float:
    """The order-four step, from the Newton step and the objective's f''/f' and f'''/f'."""
    below = 1.0 + newton * (second + third * newton / 6.0)
    return newton * (1.0 + 0.5 * second * newton) / below if below > 0.0 else newton


def _in_tail(log_beta: float, gap: float, s: float, most: float, offset: float) -> float:
    """Solve on 1 / (ln b - offset), nearly straight where b is tiny; `most` keeps ln b below the offset."""
    target = log_beta - offset
    for _ in range(MOST_STEPS):
        h, t = gap / s, 0.5 * s
        q = mills_pair(h, t, 0.5 * gap)[0]
        here = log(q) - 0.5 * (h * h + t * t) - LOG_ROOT_TAU - offset
        rise, hs = 1.0 / q, h / s
        bend = h * hs - 0.5 * t
        pull = rise * (1.0 + 2.0 / here)
        newton = (target - here) * here / target * q
        third = bend * bend - 3.0 * hs * hs - 0.25
        third += 2.0 * rise * rise * (1.0 + 3.0 / here * (1.0 + 1.0 / here)) - 3.0 * bend * pull
        s = min(s + max(householder(newton, bend - pull, third), -0.5 * s), most)
        if abs(newton) < CONVERGED * s:
            break
    return s


def _by_value(beta: float, gap: float, s: float) -> float:
    """Solve on b itself, around the middle of its range."""
    for _ in range(MOST_STEPS):
        h, t = gap / s, 0.5 * s
        newton = beta / slope(h, t) - mills_pair(h, t, 0.5 * gap)[0]
        hs = h / s
        bend = h * hs - 0.5 * t
        s += max(householder(newton, bend, bend * bend - 3.0 * hs * hs - 0.25), -0.5 * s)
        if abs(newton) < CONVERGED * s:
            break
    return s


def _near_bound(room: float, gap: float, s: float) -> float:
    """Solve on the logarithm of the room left below the bound."""
    floor = sqrt(2.0 * gap)
    for _ in range(MOST_STEPS):
        h, t = gap / s, 0.5 * s
        left = mills(t - h) + mills(t + h)
        fall, hs = 1.0 / left, h / s
        bend = h * hs - 0.5 * t
        newton = log(slope(h, t) * left / room) * left
        third = bend * bend - 3.0 * hs * hs - 0.25 + fall * (2.0 * fall + 3.0 * bend)
        s = max(s + max(householder(newton, bend + fall, third), -0.5 * s), floor)
        if abs(newton) < CONVERGED * s:
            break
    return s


def refine(log_beta: float, gap: float, s: float) -> float:
    """Solve on ln b from a near start; NaN when three steps do not settle (then solve cold)."""
    half_gap = 0.5 * gap
    for _ in range(3):
        h, t = gap / s, 0.5 * s
        q = mills_pair(h, t, half_gap)[0]
        if not q > 0.0:
            return nan
        rise, hs = 1.0 / q, h / s
        bend = h * hs - 0.25 * s
        newton = (log_beta - log(q) + 0.5 * (h * h + t * t) + LOG_ROOT_TAU) * q
        third = bend * bend - 3.0 * hs * hs - 0.25 + 2.0 * rise * rise - 3.0 * bend * rise
        s += householder(newton, bend - rise, third)
        if not s > 0.0:
            return nan
        if abs(newton) < CONVERGED * s:
            return s
    return nan
