"""A whole expiry at once: forward by parity, implied volatility and Greeks of every quote, and the strip figures.

Money is paise throughout (strikes, forward, straddle, vega, theta); gamma is the change of delta per rupee of the
underlying. Greeks are Black-76 on the parity forward: vega per volatility point, theta per calendar day.
Unknown is NaN in an array and None elsewhere, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf

import numpy as np
from numpy.typing import NDArray

from optconsole.engine.pricing.black76 import greeks
from optconsole.engine.pricing.implied import implied_vols
from optconsole.engine.pricing.ladder import Ladder, nearest_strike
from optconsole.engine.pricing.mills_array import Bools, Floats
from optconsole.engine.pricing.open_interest import max_pain, put_call_ratio
from optconsole.engine.pricing.parity import Forward, parity_forward
from optconsole.engine.pricing.reasons import Reason

PAISE = 100.0
DAYS_A_YEAR = 365.0
POINTS = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class SolvedSide:
    """Calls or puts, each array of one entry per strike. `price` (paise) is what was solved; `reason` says why an
    `iv` is NaN (BAD_INPUT: no price or no forward)."""

    price: Floats
    iv: Floats
    reason: NDArray[np.int8]
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SolvedChain:
    """One expiry at one moment. `atm` indexes the strike nearest the forward; `straddle` and `synthetic` (paise)
    are call + put and strike + call - put there."""

    strikes: tuple[int, ...]
    years: float
    rate: float
    forward: Forward
    calls: SolvedSide
    puts: SolvedSide
    atm: int | None
    straddle: float | None
    synthetic: float | None
    put_call_ratio: float | None
    max_pain: int | None


def solve_chain(
    ladder: Ladder,
    years: float,
    *,
    rate: float = 0.0,
    forward: Forward | None = None,
    previous: SolvedChain | None = None,
    steps: int = 2,
) -> SolvedChain:
    """Solve every quote of `ladder`, `years` before expiry.

    `forward` replaces the parity forward, for a reference of the caller's own. `previous`, a solution of the same
    strikes, is where the solver starts from; `steps` as in `implied_vols`.
    """
    if forward is None:
        forward = parity_forward(ladder, years, rate)
    prices = np.array([*ladder.calls.prices(), *ladder.puts.prices()], dtype=np.float64)
    both = _solve_quotes(ladder, prices, years, rate, forward.value, _start(ladder, previous), steps)
    calls, puts = _part(both, slice(0, ladder.size)), _part(both, slice(ladder.size, None))
    atm = None if forward.value is None or not ladder.strikes else nearest_strike(ladder.strikes, forward.value)
    straddle, synthetic = _strip(ladder, calls, puts, atm)
    return SolvedChain(
        strikes=ladder.strikes,
        years=years,
        rate=rate,
        forward=forward,
        calls=calls,
        puts=puts,
        atm=atm,
        straddle=straddle,
        synthetic=synthetic,
        put_call_ratio=put_call_ratio(ladder),
        max_pain=max_pain(ladder),
    )


def _start(ladder: Ladder, previous: SolvedChain | None) -> Floats | None:
    if previous is None or previous.strikes != ladder.strikes:
        return None
    return np.concatenate((previous.calls.iv, previous.puts.iv))


def _solve_quotes(
    ladder: Ladder,
    prices: Floats,
    years: float,
    rate: float,
    forward: float | None,
    start: Floats | None,
    steps: int,
) -> SolvedSide:
    """Calls then puts in one pass, shape (2 n,)."""
    strikes = np.array(ladder.strikes * 2, dtype=np.float64)
    is_call = np.arange(prices.size) < ladder.size
    money = np.nan if forward is None else forward
    implied = implied_vols(prices, money, strikes, years, rate, is_call, start=start, steps=steps)
    at = greeks(money, strikes, years, rate, implied.vol, is_call)
    delta = _settled_delta(at.delta, implied.reason, strikes, money, exp(-rate * max(years, 0.0)), is_call)
    return SolvedSide(
        price=prices,
        iv=implied.vol,
        reason=implied.reason,
        delta=delta,
        gamma=at.gamma * PAISE,
        vega=at.vega / POINTS,
        theta=at.theta / DAYS_A_YEAR,
    )


def _settled_delta(
    delta: Floats, reason: NDArray[np.int8], strikes: Floats, forward: float, discount: float, is_call: Bools
) -> Floats:
    """A quote at or below intrinsic value has no volatility but moves with the forward: delta +-1, discounted."""
    bare = (reason >= Reason.PRICE_BELOW_INTRINSIC) & (reason <= Reason.NO_INFORMATION)
    bare &= np.where(is_call, strikes < forward, strikes > forward)
    return np.where(bare, np.where(is_call, discount, -discount), delta)


def _part(both: SolvedSide, cut: slice) -> SolvedSide:
    return SolvedSide(
        price=both.price[cut],
        iv=both.iv[cut],
        reason=both.reason[cut],
        delta=both.delta[cut],
        gamma=both.gamma[cut],
        vega=both.vega[cut],
        theta=both.theta[cut],
    )


def _strip(ladder: Ladder, calls: SolvedSide, puts: SolvedSide, atm: int | None) -> tuple[float | None, float | None]:
    """(straddle, synthetic future) at the money."""
    if atm is None:
        return None, None
    call, put = float(calls.price[atm]), float(puts.price[atm])
    if not (abs(call) < inf and abs(put) < inf):
        return None, None
    return call + put, ladder.strikes[atm] + call - put
