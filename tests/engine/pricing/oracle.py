"""Prices and Greeks with sixty digits, from the textbook formulas and nothing of ours."""

from __future__ import annotations

import math
from typing import NamedTuple

import mpmath as mp

DIGITS = 60


class Exact(NamedTuple):
    """One option to sixty digits, each number then rounded to the nearest double."""

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float
    dividend_rho: float
    time_value_share: float
    ulp_effect: float
    """Relative change of volatility when the price moves by its last digit."""


def exact_bsm(
    spot: float, strike: float, years: float, rate: float, dividend: float, vol: float, is_call: bool
) -> Exact:
    with mp.workdps(DIGITS):
        s, k, t, r, q, v = map(mp.mpf, (spot, strike, years, rate, dividend, vol))
        w = 1 if is_call else -1
        root = v * mp.sqrt(t)
        d1 = (mp.log(s / k) + (r - q) * t) / root + root / 2
        d2 = d1 - root
        held, owed = s * mp.exp(-q * t), k * mp.exp(-r * t)
        n1, n2 = _normal(w * d1), _normal(w * d2)
        density = mp.exp(-d1 * d1 / 2) / mp.sqrt(2 * mp.pi)
        price = w * (held * n1 - owed * n2)
        vega = held * density * mp.sqrt(t)
        theta = -vega * v / (2 * t) + w * (q * held * n1 - r * owed * n2)
        time_value = price - max(w * (held - owed), mp.mpf(0))
        rounded = float(price)
        return Exact(
            price=rounded,
            delta=float(w * held * n1 / s),
            gamma=float(held * density / (s * s * root)),
            vega=float(vega),
            theta=float(theta),
            rho=float(w * t * owed * n2),
            dividend_rho=float(-w * t * held * n1),
            time_value_share=float(time_value / price) if price else 0.0,
            ulp_effect=float(math.ulp(rounded) / (vega * v)) if vega > 0 else math.inf,
        )


def exact_black(forward: float, strike: float, years: float, rate: float, vol: float, is_call: bool) -> Exact:
    """Black-76: a spot that yields the rate; theta and rho with the forward held."""
    found = exact_bsm(forward, strike, years, rate, rate, vol, is_call)
    return found._replace(rho=-years * found.price, dividend_rho=0.0)


def _normal(z: mp.mpf) -> mp.mpf:
    return mp.erfc(-z / mp.sqrt(2)) / 2
