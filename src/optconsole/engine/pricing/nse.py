"""The implied volatility as the exchange publishes it: a display convention, not a trading one.

NSE's option chain uses Black-Scholes on the index spot with a rate of 10 %, no dividend, the last traded price and
whole calendar days over 365, one day on the expiry day itself. The put and call figures of one strike differ by
design, because 10 % is not the market's carry.
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from optconsole.engine.pricing import bsm
from optconsole.engine.pricing.reasons import Reason

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from optconsole.engine.pricing.implied import ImpliedVols

RATE = 0.10
DAYS_A_YEAR = 365


def nse_years(days_to_expiry: int) -> float:
    """The exchange's time to expiry from whole calendar days between today and the expiry date."""
    return max(days_to_expiry, 1) / DAYS_A_YEAR


def nse_iv(price: float, spot: float, strike: float, years: float, is_call: bool) -> tuple[float, Reason]:
    """(volatility, SOLVED) by the exchange's convention, or (NaN, why not)."""
    return bsm.implied_vol(price, spot, strike, years, RATE, 0.0, is_call)


def nse_ivs(price: ArrayLike, spot: float, strike: ArrayLike, years: float, is_call: ArrayLike) -> ImpliedVols:
    """The same for many strikes of one expiry at once."""
    from optconsole.engine.pricing.implied import implied_vols  # loads numpy, which one figure does not need

    return implied_vols(price, spot * exp(RATE * years), strike, years, RATE, is_call)
