"""The hard grid: a minute to two years, 1 % to 300 %, half to twice the forward, both sides."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from tests.engine.pricing.oracle import Exact, exact_black

MINUTE = 1 / (365 * 24 * 60)
FORWARD = 24_000.0
RATE = 0.065
TIMES = (MINUTE, 5 * MINUTE, 60 * MINUTE, 1 / 365, 7 / 365, 30 / 365, 0.5, 2.0)
VOLS = (0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0)
MONEYNESS = (
    *(0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0),
    *(1.0001, 1.001, 1.01, 1.02, 1.05, 1.1, 1.25, 1.5, 2.0),
)
RECOVERABLE = 1e-6
NOTHING_LEFT = 0.1


class Cell(NamedTuple):
    strike: float
    years: float
    vol: float
    is_call: bool
    exact: Exact

    @property
    def is_otm(self) -> bool:
        return self.exact.time_value_share > 0.5

    @property
    def holds_nothing(self) -> bool:
        """One last digit of the price moves the volatility by more than a tenth."""
        return not self.is_otm and self.exact.ulp_effect > NOTHING_LEFT


def hard_grid() -> list[Cell]:
    """All cells with a price of at least 1e-300."""
    cells = []
    for years, vol, ratio, is_call in itertools.product(TIMES, VOLS, MONEYNESS, (True, False)):
        strike = FORWARD * ratio
        exact = exact_black(FORWARD, strike, years, RATE, vol, is_call)
        if exact.price >= 1e-300:
            cells.append(Cell(strike, years, vol, is_call, exact))
    return cells
