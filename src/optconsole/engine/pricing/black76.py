"""Black-76 price and Greeks at a known volatility, over arrays.

Units as in the scalar twin: price in the currency of forward and strike; delta per unit of forward; vega per 1.00
of volatility; theta per year; rho per 1.00 of rate with the forward held. F. Black (1976).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from optconsole.engine.pricing import scalar
from optconsole.engine.pricing.mills import INV_ROOT_TAU
from optconsole.engine.pricing.mills_array import Bools, Floats, mills_pair
from optconsole.engine.pricing.otm import LARGEST_DEVIATION, TINY

GREEKS_KNEE = 60
"""Up to this many options a Python loop over the scalar twin is the faster way (benchmarks/pricing.py)."""
BLOCK = 4096
"""Options worked on at a time: the intermediate arrays of one block stay in the cache."""


@dataclass(frozen=True, slots=True)
class GreekArrays:
    """Price and sensitivities, each of shape (n,); NaN where the input is no option."""

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    rho: Floats


def flat_inputs(*values: ArrayLike) -> list[Floats]:
    """The arguments as one-dimensional float arrays of one common length."""
    arrays = [np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in values]
    sizes = [array.size for array in arrays]
    size = max(sizes) if min(sizes) else 0
    return [array if array.shape == (size,) else np.broadcast_to(array, (size,)) for array in arrays]


def greeks(
    forward: ArrayLike, strike: ArrayLike, years: ArrayLike, rate: ArrayLike, vol: ArrayLike, is_call: ArrayLike
) -> GreekArrays:
    """Price and Greeks of every option; each argument an array of shape (n,) or one number for all."""
    f, k, t, r, v, c = flat_inputs(forward, strike, years, rate, vol, is_call)
    call = c != 0.0
    if f.size <= GREEKS_KNEE:
        columns = zip(f.tolist(), k.tolist(), t.tolist(), r.tolist(), v.tolist(), call.tolist(), strict=True)
        table = np.array([scalar.greeks(*row) for row in columns], dtype=np.float64).reshape(-1, 6).T
    else:
        table = np.empty((6, f.size))
        with np.errstate(all="ignore"):
            for start in range(0, f.size, BLOCK):
                cut = slice(start, start + BLOCK)
                _fill(table[:, cut], f[cut], k[cut], t[cut], r[cut], v[cut], call[cut])
    return GreekArrays(*table)


def _fill(out: Floats, forward: Floats, strike: Floats, years: Floats, rate: Floats, vol: Floats, call: Bools) -> None:
    """Write price, delta, gamma, vega, theta, rho of one block into `out`, shape (6, n)."""
    low = np.minimum(forward, strike)
    excess = forward - strike
    width = np.abs(excess)
    gap = np.log1p(width / low)
    root_t = np.sqrt(years)
    s = vol * root_t
    np.maximum(s, TINY, out=s)
    np.minimum(s, LARGEST_DEVIATION, out=s)
    h = gap / s
    np.minimum(h, scalar.FARTHEST, out=h)
    t = 0.5 * s
    spread, far = mills_pair(h, t, h * t)
    spread *= s > TINY
    growth = -rate * years
    discount = np.exp(growth)
    scale = np.exp(-0.5 * (h * h + t * t))
    scale *= discount
    scale *= np.sqrt(forward) * np.sqrt(strike)
    scale *= INV_ROOT_TAU
    above = excess > 0.0
    in_money = (above == call) & (excess != 0.0)

    price = scale * spread
    price += np.where(in_money, discount * width, 0.0)
    far += np.where((excess < 0.0) | ((excess == 0.0) & call), spread, 0.0)  # N(+-d1) is the nearer wing there
    far *= scale
    far /= forward
    delta = np.where(in_money, discount - far, far)
    vega = scale * root_t
    theta = vega * vol
    theta /= years
    theta *= -0.5
    theta += rate * price
    out[0] = price
    out[1] = np.where(call, delta, -delta)
    out[2] = scale / (forward * forward) / s
    out[3] = vega
    out[4] = theta
    out[5] = -years * price
    still = s <= TINY
    if still.any():  # no gamma, vega or theta where no time or no volatility is left
        out[2:5, still] = np.nan
    fine = (low > scalar.LEAST) & (width < scalar.MOST) & (np.abs(growth) < scalar.FARTHEST_DECAY)
    fine &= (years >= 0.0) & (years < np.inf) & (vol >= 0.0) & (vol < np.inf)
    if not fine.all():
        out[:, ~fine] = np.nan
