"""The normalised out-of-the-money option over arrays: twin of `otm`, region by region.

Every function takes arrays of one shape (n,) whose prices are known to be solvable.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from optconsole.engine.pricing.mills import HALF_ROOT_TAU, INV_ROOT_TAU, LOG_ROOT_TAU, ROOT_TAU
from optconsole.engine.pricing.mills_array import Floats, mills, mills_spread
from optconsole.engine.pricing.otm import CONVERGED, MOST_STEPS, TINY, deviation, refine

_INV_ROOT_3 = 1.0 / math.sqrt(3.0)
SETTLED_IN_ONE, ONE_STEP_DEVIATION = 0.07, 2.0
"""Relative step up to which one order-four step leaves less than 5e-6, and the deviation up to which that holds."""

FEW = 40
"""Up to this many options the scalar twin is faster than another array pass."""

Indices = NDArray[np.intp]
Advance = Callable[..., tuple[Floats, Floats]]
"""(s, its columns) -> (Newton step taken, next s)."""


def deviations(beta: Floats, room: Floats, gap: Floats) -> Floats:
    """s with b(gap, s) = beta, elementwise; `room` is the bound less beta."""
    bound = np.exp(-0.5 * gap)
    bend = np.sqrt(2.0 * gap)
    at_bend = bound * (HALF_ROOT_TAU - mills(bend))
    at_bend *= INV_ROOT_TAU
    s = np.maximum((beta + 0.5 * gap) * ROOT_TAU, bend)
    plain = np.ones(beta.size, dtype=np.bool_)

    near = np.flatnonzero(beta > 0.5 * bound)
    high = np.flatnonzero((beta >= 0.2) & (beta >= at_bend) | (beta > 0.5 * bound))
    if high.size:
        s[high] = _high_start(room[high], bound[high], bend[high], at_bend[high])
    if near.size:
        plain[near] = False
        s[near] = _settle(_near_bound, s[near], room[near], gap[near], bend[near])

    below = np.flatnonzero(beta < at_bend)
    if below.size:
        s[below], tail = _below_bend(beta[below], gap[below], bend[below], at_bend[below])
        plain[below[tail]] = False
    rest = np.flatnonzero(plain)
    if rest.size:
        s[rest] = _settle(_by_value, s[rest], beta[rest], gap[rest])
    return s


def _high_start(room: Floats, bound: Floats, bend: Floats, at_bend: Floats) -> Floats:
    at = 0.5 * bend
    scale = mills(at) * np.exp(-0.5 * at * at) * INV_ROOT_TAU * bound / (bound - at_bend)
    return np.maximum(2.0 * _tail_quantile(np.clip(scale * room / bound, TINY, 0.49999999999999)), bend)


def _tail_quantile(p: Floats) -> Floats:
    w = np.sqrt(-2.0 * np.log(p))
    over = 2.515517 + w * (0.802853 + w * 0.010328)
    return w - over / (1.0 + w * (1.432788 + w * (0.189269 + w * 0.001308)))


def _below_bend(beta: Floats, gap: Floats, bend: Floats, at_bend: Floats) -> tuple[Floats, Indices]:
    """(starts above the knot and answers in the tail below it, where the tail is)."""
    bend_slope = np.exp(-0.5 * gap) * INV_ROOT_TAU
    knot = np.maximum(bend - at_bend / bend_slope, TINY)
    h, t = gap / knot, 0.5 * knot
    knot_slope = np.exp(-0.5 * (h * h + t * t))
    knot_slope *= INV_ROOT_TAU
    at_knot = knot_slope * mills_spread(h, t, 0.5 * gap)

    width = at_bend - at_knot
    u = (beta - at_knot) / width
    w = 1.0 - u
    uw = u * w
    s = w * (w + 2.0 * uw) * knot + u * (u + 2.0 * uw) * bend
    s += uw * width * (w / knot_slope - u / bend_slope)
    s = np.clip(s, knot, bend)

    tail = np.flatnonzero(beta < at_knot)
    if tail.size:
        s[tail] = _tail(beta[tail], gap[tail], h[tail], knot[tail], at_knot[tail], at_bend[tail])
    return s, tail


def _tail(beta: Floats, gap: Floats, h: Floats, knot: Floats, at_knot: Floats, at_bend: Floats) -> Floats:
    z = h * _INV_ROOT_3
    share = mills(z) * np.exp(-0.5 * z * z) * np.cbrt(beta / at_knot)
    share *= INV_ROOT_TAU
    start = gap * _INV_ROOT_3 / _tail_quantile(np.maximum(share, TINY))
    offset = np.log(at_bend) + 1.0
    return _settle(_in_tail, np.minimum(start, knot), np.log(beta) - offset, gap, knot, offset)


def _householder(newton: Floats, second: Floats, third: Floats) -> Floats:
    below = third * newton
    below /= 6.0
    below += second
    below *= newton
    below += 1.0
    step = second * newton
    step *= 0.5
    step += 1.0
    step *= newton
    step /= below
    if below.min() <= 0.0:
        step = np.where(below > 0.0, step, newton)
    return step


def _curvature(h: Floats, t: Floats, s: Floats) -> tuple[Floats, Floats]:
    """(b''/b', b'''/b')."""
    hs = h / s
    second = h * hs
    second -= 0.5 * t
    hs *= hs
    hs *= 3.0
    third = second * second
    third -= hs
    third -= 0.25
    return second, third


def _settle(advance: Advance, s: Floats, *columns: Floats) -> Floats:
    """Two steps for all; then more for those whose last Newton step was not yet small."""
    for _ in range(2):
        newton, s = advance(s, *columns)
    unsettled = np.abs(newton) > CONVERGED * s
    if unsettled.any():
        some, rest = [column[unsettled] for column in columns], s[unsettled]
        for _ in range(MOST_STEPS):
            newton, rest = advance(rest, *some)
            if not (np.abs(newton) > CONVERGED * rest).any():
                break
        s[unsettled] = rest
    return s


def _in_tail(s: Floats, target: Floats, gap: Floats, most: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """On 1 / (ln b - offset), nearly straight where b is tiny; `most` keeps ln b below the offset."""
    h, t = gap / s, 0.5 * s
    q = mills_spread(h, t, 0.5 * gap)
    here = np.log(q)
    here -= 0.5 * (h * h + t * t)
    here -= offset + LOG_ROOT_TAU
    rise, hop = 1.0 / q, 1.0 / here
    second, third = _curvature(h, t, s)
    pull = rise * (1.0 + 2.0 * hop)
    third += rise * (2.0 * rise * (1.0 + 3.0 * hop * (1.0 + hop)))
    third -= 3.0 * second * pull
    newton = (target - here) * here / target * q
    step = np.maximum(_householder(newton, second - pull, third), -0.5 * s)
    return newton, np.minimum(s + step, most)


def _by_value(s: Floats, beta: Floats, gap: Floats) -> tuple[Floats, Floats]:
    """On b itself, around the middle of its range."""
    h, t = gap / s, 0.5 * s
    newton = (beta * ROOT_TAU) * np.exp(0.5 * (h * h + t * t))
    newton -= mills_spread(h, t, 0.5 * gap)
    second, third = _curvature(h, t, s)
    return newton, s + np.maximum(_householder(newton, second, third), -0.5 * s)


def _near_bound(s: Floats, room: Floats, gap: Floats, bend: Floats) -> tuple[Floats, Floats]:
    """On the logarithm of the room left below the bound."""
    h, t = gap / s, 0.5 * s
    left = mills(np.maximum(t - h, 0.0)) + mills(t + h)
    fall = 1.0 / left
    second, third = _curvature(h, t, s)
    newton = np.log(left / room) - 0.5 * (h * h + t * t) - LOG_ROOT_TAU
    newton *= left
    third += fall * (2.0 * fall + 3.0 * second)
    step = np.maximum(_householder(newton, second + fall, third), -0.5 * s)
    return newton, np.maximum(s + step, bend)


def refined(beta: Floats, room: Floats, gap: Floats, start: Floats, steps: int) -> Floats:
    """s from a near start in one or two steps on ln b; what these leave unsettled is solved on, or cold."""
    log_beta = np.log(beta)
    move, s = _on_logarithm(start, log_beta, gap)
    if steps > 1:
        move, s = _on_logarithm(s, log_beta, gap)
        settled = move <= CONVERGED * s
    else:
        settled = (move <= SETTLED_IN_ONE * s) & (s < ONE_STEP_DEVIATION)
    if settled.all():
        return s
    cold = np.flatnonzero(~settled)
    if cold.size <= FEW:
        columns = (beta[cold], room[cold], gap[cold], s[cold])
        s[cold] = [_one(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    else:
        s[cold] = deviations(beta[cold], room[cold], gap[cold])
    return s


def _one(beta: float, room: float, gap: float, near: float) -> float:
    """One straggler: from where it has got to, or else cold."""
    s = refine(math.log(beta), gap, near) if near > TINY else math.nan
    return s if s == s else deviation(beta, room, gap)


def _on_logarithm(s: Floats, log_beta: Floats, gap: Floats) -> tuple[Floats, Floats]:
    """(the larger of Newton's and the step taken, next s); NaN from a start that is no deviation."""
    h, t = gap / s, 0.5 * s
    q = mills_spread(h, t, 0.5 * gap)
    rise = 1.0 / q
    second, third = _curvature(h, t, s)
    newton = log_beta - np.log(q)
    newton += 0.5 * (h * h + t * t)
    newton += LOG_ROOT_TAU
    newton *= q
    third += rise * (2.0 * rise - 3.0 * second)
    step = _householder(newton, second - rise, third)
    return np.maximum(np.abs(newton), np.abs(step)), s + step
