"""Black-76 implied volatility over arrays: cold from the price alone, or warm from the last volatility.

The twin of `scalar.implied_vol`; the method is described in `otm`. Every answer comes with a `Reason`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optconsole.engine.pricing import otm_array, scalar
from optconsole.engine.pricing.black76 import BLOCK, flat_inputs
from optconsole.engine.pricing.mills import INV_ROOT_TAU
from optconsole.engine.pricing.mills_array import Bools, Floats
from optconsole.engine.pricing.otm import FARTHEST_GAP
from optconsole.engine.pricing.reasons import BLUR_LIMIT, Reason

COLD_KNEE = 60
WARM_KNEE = 40
"""Up to this many options a Python loop over the scalar twin is the faster way (benchmarks/pricing.py)."""
HOPELESS = 1e3
"""Time value in last digits of the price below which the answer is blurred whatever it is."""


@dataclass(frozen=True, slots=True)
class ImpliedVols:
    """vol: shape (n,), NaN where reason is not SOLVED; reason: the `Reason` codes, shape (n,)."""

    vol: Floats
    reason: NDArray[np.int8]


def implied_vols(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike,
    is_call: ArrayLike,
    *,
    start: ArrayLike | None = None,
    steps: int = 2,
) -> ImpliedVols:
    """Volatility of every option; each argument an array of shape (n,) or one number for all.

    `start` holds volatilities to begin from (NaN: none), such as those of the last tick. Two `steps` from there are
    exact, one step is good to 5e-6; whatever has not settled by then is solved cold, so a bad start costs time only.
    """
    p, f, k, t, r, c = flat_inputs(price, forward, strike, years, rate, is_call)
    call = c != 0.0
    size = p.size
    first = None if start is None else np.broadcast_to(np.asarray(start, dtype=np.float64), (size,))
    if size <= (COLD_KNEE if first is None else WARM_KNEE):
        return _one_by_one(p, f, k, t, r, call, first)
    vol, reason = np.empty(size), np.empty(size, dtype=np.int8)
    with np.errstate(all="ignore"):
        for at in range(0, size, BLOCK):
            cut = slice(at, at + BLOCK)
            block = (p[cut], f[cut], k[cut], t[cut], r[cut], call[cut])
            vol[cut], reason[cut] = _solve(*block, None if first is None else first[cut], steps)
    return ImpliedVols(vol, reason)


def _one_by_one(
    price: Floats, forward: Floats, strike: Floats, years: Floats, rate: Floats, call: Bools, start: Floats | None
) -> ImpliedVols:
    first = np.full(price.size, np.nan) if start is None else start
    columns = (price, forward, strike, years, rate, call, first)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    answers = [scalar.implied_vol(*row) for row in rows]
    vols, reasons = zip(*answers, strict=True) if answers else ((), ())
    return ImpliedVols(np.array(vols, dtype=np.float64), np.array(reasons, dtype=np.int8))


def _solve(
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    rate: Floats,
    call: Bools,
    start: Floats | None,
    steps: int,
) -> tuple[Floats, NDArray[np.int8]]:
    """One block: reduce to the out-of-the-money side, solve what can be solved, name the rest."""
    low = np.minimum(forward, strike)
    width = np.maximum(forward, strike) - low
    gap = np.log1p(width / low)
    growth = -rate * years
    shortfall = np.expm1(growth)
    discount = 1.0 + shortfall
    held = np.where((forward > strike) == call, width, 0.0)
    time_value = (price - held) - held * shortfall
    digit = np.spacing(price)
    scale = np.sqrt(forward) * np.sqrt(strike)
    room = low / scale
    scale *= discount
    beta = time_value / scale
    room -= beta
    root_t = np.sqrt(years)
    sound = (time_value > HOPELESS * digit) & (beta >= scalar.SMALLEST) & (room > 0.0)
    sound &= (years > 0.0) & (np.abs(growth) < scalar.FARTHEST_DECAY)
    sound &= (gap < FARTHEST_GAP) & (low > scalar.LEAST) & (width < scalar.MOST)
    if sound.all():
        s = _deviations(beta, room, gap, None if start is None else start * root_t, steps)
        reason = np.zeros(price.size, dtype=np.int8)
    else:
        s = np.full(price.size, np.nan)
        reason = np.zeros(price.size, dtype=np.int8)
        good, bad = np.flatnonzero(sound), np.flatnonzero(~sound)
        first = None if start is None else start[good] * root_t[good]
        s[good] = _deviations(beta[good], room[good], gap[good], first, steps)
        columns = (price, forward, strike, years, growth, time_value, digit, room, gap)
        reason[bad] = _reasons(*(column[bad] for column in columns))
    suspect = (time_value < scalar.SUSPECT_SHARE * price) | (room < scalar.SUSPECT_SHARE)
    if suspect.any():
        at = np.flatnonzero(suspect & sound)
        at = at[_blurred(digit[at], scale[at], gap[at], s[at])]
        s[at], reason[at] = np.nan, Reason.NO_INFORMATION
    return s / root_t, reason


def _deviations(beta: Floats, room: Floats, gap: Floats, start: Floats | None, steps: int) -> Floats:
    if start is None:
        return otm_array.deviations(beta, room, gap)
    return otm_array.refined(beta, room, gap, start, steps)


def _blurred(digit: Floats, scale: Floats, gap: Floats, s: Floats) -> Bools:
    """Whether the last digit of the price alone moves the answer by more than BLUR_LIMIT."""
    h, t = gap / s, 0.5 * s
    vega = INV_ROOT_TAU * np.exp(-0.5 * (h * h + t * t))
    blurred: Bools = digit > BLUR_LIMIT * scale * vega * s
    return blurred


def _reasons(
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    growth: Floats,
    time_value: Floats,
    digit: Floats,
    room: Floats,
    gap: Floats,
) -> NDArray[np.int8]:
    """Why each unsound quote has no volatility; what is written last weighs most."""
    usable = (
        (price >= 0.0)
        & (forward > scalar.LEAST)
        & (strike > scalar.LEAST)
        & np.isfinite(price + years)
        & (gap < FARTHEST_GAP)
    )
    usable &= (forward < scalar.MOST) & (strike < scalar.MOST) & (np.abs(growth) < scalar.FARTHEST_DECAY)
    named = np.full(price.size, Reason.NO_INFORMATION, dtype=np.int8)
    named[room <= 0.0] = Reason.PRICE_ABOVE_BOUND
    named[time_value <= scalar.ROUNDING * digit] = Reason.PRICE_AT_INTRINSIC
    named[time_value < -scalar.ROUNDING * digit] = Reason.PRICE_BELOW_INTRINSIC
    named[years <= 0.0] = Reason.EXPIRED
    named[~usable] = Reason.BAD_INPUT
    return named
