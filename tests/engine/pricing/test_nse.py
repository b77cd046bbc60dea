"""The exchange's display convention, on figures it published."""

from __future__ import annotations

import numpy as np
import pytest

from optconsole.engine.pricing.nse import nse_iv, nse_ivs, nse_years
from optconsole.engine.pricing.reasons import Reason

SPOT = 24_206.9
# strike, is_call, last price, published volatility in points: NIFTY, 10 July 2026, expiry 14 July 2026
PUBLISHED = [
    (22_350, False, 1.5, 30.9),
    (24_000, False, 31.9, 11.12),
    (24_000, True, 246.4, 8.16),
    (24_200, False, 88.05, 10.28),
    (25_000, True, 1.55, 13.35),
    (26_300, True, 0.4, 27.05),
]


@pytest.mark.parametrize(("strike", "is_call", "price", "points"), PUBLISHED)
def test_published_figures_come_back(strike: float, is_call: bool, price: float, points: float) -> None:
    vol, reason = nse_iv(price, SPOT, strike, nse_years(4), is_call)
    assert reason is Reason.SOLVED
    assert vol * 100 == pytest.approx(points, abs=0.0101)


def test_a_whole_column_gives_the_same() -> None:
    strike, is_call, price, _ = map(np.array, zip(*PUBLISHED * 20, strict=True))
    column = nse_ivs(price, SPOT, strike, nse_years(4), is_call)
    singly = [nse_iv(p, SPOT, k, nse_years(4), c)[0] for k, c, p, _ in PUBLISHED * 20]
    assert column.vol == pytest.approx(singly, rel=1e-9)


def test_days_are_whole_calendar_days_and_expiry_day_counts_as_one() -> None:
    assert (nse_years(4), nse_years(1), nse_years(0)) == (4 / 365, 1 / 365, 1 / 365)
