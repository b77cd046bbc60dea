"""Fair values: a volatility surface that breathes with India VIX, and Black-76 on the forward.

Variance accrues in trading time (a night and a session make a day, weekends nothing), so the volatility
that calendar time implies dips over weekends and rises on expiry day, as the market's does. Shape of the
smile: two straight wings joined by a hyperbola in units of the expected move; slopes measured on a NIFTY
weekly and monthly of August 2025.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from optconsole.brokers.paper.practice.noise import Reals

CARRY: Final = 0.065
"""Yearly growth of the forward over spot, and the discount rate."""
DAYS_A_YEAR: Final = 252.0
LONG_VIX: Final = 16.5
"""Level, in points of India VIX, towards which long expiries lean."""
REVERSION_DAYS: Final = 90.0
BEND: Final = 2.5
WING_END: Final = 10.0
EDGE: Final = 15.0
LEAST_DEVIATION: Final = 1e-5
# Numerical Recipes (2nd ed., 6.2), erfcc: complementary error function to a relative 1.2e-7.
_ERFC: Final = (
    0.17087277,
    -0.82215223,
    1.48851587,
    -1.13520398,
    0.27886807,
    -0.18628806,
    0.09678418,
    0.37409196,
    1.00002368,
    -1.26551223,
)


class Fair(NamedTuple):
    """``value`` rupees; ``reach`` how far the strike lies from the forward, in expected moves, positive above."""

    value: Reals
    reach: Reals


def cumulative(x: Reals) -> Reals:
    """Normal distribution function to a relative 1.2e-7 in both tails: far finer than a tick."""
    z = np.abs(x) * np.sqrt(0.5)
    t = 1.0 / (1.0 + 0.5 * z)
    poly = np.full_like(t, _ERFC[0])
    for coefficient in _ERFC[1:]:
        poly = poly * t + coefficient
    half = 0.5 * t * np.exp(poly - z * z)
    return np.asarray(np.where(x < 0.0, half, 1.0 - half), dtype=np.float64)


def level_volatility(vix: Reals, implied: Reals, days: Reals) -> Reals:
    """At-the-money volatility a trading year for ``days`` of trading time: short from VIX, long from its norm."""
    near = np.exp(-days / REVERSION_DAYS)
    return np.asarray(implied / 100.0 * vix**near * LONG_VIX ** (1.0 - near), dtype=np.float64)


def smile(reach: Reals, days: Reals) -> Reals:
    """Volatility of a strike over that at the money. Puts below the money cost more; wings flatten with time.

    Beyond `WING_END` expected moves the wings stop rising: straight for ever, they would make farther strikes dearer.
    """
    reach = reach / (1.0 + (reach / WING_END) ** 4) ** 0.25
    short = np.exp(-days / 12.0)
    tilt = 0.06 + 0.04 * (1.0 - short)
    wing = 0.15 + 0.17 * short
    return np.asarray(1.0 - tilt * reach + wing * (np.sqrt(reach * reach + BEND * BEND) - BEND), dtype=np.float64)


def forward(spot: Reals, years: Reals) -> Reals:
    """Spot grown at the carry for ``years`` of calendar time."""
    return np.asarray(spot * np.exp(CARRY * years), dtype=np.float64)


def option_value(ahead: Reals, strike: Reals, sign: Reals, years: Reals, volatility: Reals, days: Reals) -> Fair:
    """European options on the forward ``ahead``; ``sign`` +1 call, -1 put; ``volatility`` at the money.

    The out-of-the-money side is priced and the other follows from parity, which therefore holds exactly.
    """
    move = np.maximum(volatility * np.sqrt(np.maximum(days, 0.0) / DAYS_A_YEAR), LEAST_DEVIATION)
    gap = np.log(strike / ahead)
    reach = np.clip(gap / move, -EDGE, EDGE)
    deviation = move * smile(reach, days)
    side = np.where(gap < 0.0, -1.0, 1.0)
    upper = -gap / deviation + 0.5 * deviation
    out = side * (ahead * cumulative(side * upper) - strike * cumulative(side * (upper - deviation)))
    out = np.maximum(out, 0.0)
    value = np.exp(-CARRY * years) * (out + np.maximum(sign * (ahead - strike), 0.0))
    return Fair(value, reach)
