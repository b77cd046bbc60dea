"""Every answer on the hard grid is right to the last digits, or says that there is none."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from optconsole.engine.pricing import scalar
from optconsole.engine.pricing.black76 import GREEKS_KNEE, greeks
from optconsole.engine.pricing.implied import COLD_KNEE, ImpliedVols, implied_vols
from optconsole.engine.pricing.reasons import Reason
from tests.engine.pricing.grid import FORWARD, RATE, RECOVERABLE, Cell, hard_grid

STARTS = {"cold": None, "warm": 1.02, "wrong start": 7.0}


@cache
def cells() -> tuple[Cell, ...]:
    found = tuple(hard_grid())
    assert len(found) == 2163
    return found


def solved(way: str, start: str) -> ImpliedVols:
    grid = cells()
    factor = STARTS[start]
    if way == "scalar":
        pairs = [
            scalar.implied_vol(
                cell.exact.price,
                FORWARD,
                cell.strike,
                cell.years,
                RATE,
                cell.is_call,
                math.nan if factor is None else cell.vol * factor,
            )
            for cell in grid
        ]
        vols, reasons = zip(*pairs, strict=True)
        return ImpliedVols(np.array(vols), np.array(reasons, dtype=np.int8))
    assert len(grid) > COLD_KNEE
    price, strike, years, vol, is_call = map(
        np.array,
        zip(*((c.exact.price, c.strike, c.years, c.vol, c.is_call) for c in grid), strict=True),
    )
    return implied_vols(price, FORWARD, strike, years, RATE, is_call, start=None if factor is None else vol * factor)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("way", ["scalar", "array"])
class TestImpliedVol:
    def test_is_exact_where_the_price_is_time_value(self, way: str, start: str) -> None:
        answers = solved(way, start)
        for cell, vol, reason in zip(cells(), answers.vol, answers.reason, strict=True):
            if cell.is_otm:
                assert reason == Reason.SOLVED, cell
                limit = 1e-14 if cell.exact.price >= 0.01 else 1e-12
                assert vol == pytest.approx(cell.vol, rel=limit, abs=0), cell

    def test_is_as_good_as_the_rounded_price_allows_in_the_money(self, way: str, start: str) -> None:
        answers = solved(way, start)
        seen = 0
        for cell, vol, reason in zip(cells(), answers.vol, answers.reason, strict=True):
            if not cell.is_otm and cell.exact.ulp_effect < RECOVERABLE:
                seen += 1
                assert reason == Reason.SOLVED, cell
                assert abs(vol / cell.vol - 1) <= max(1.5 * cell.exact.ulp_effect, 1e-14), cell
        assert seen == 338

    def test_says_so_where_the_price_holds_no_volatility(self, way: str, start: str) -> None:
        answers = solved(way, start)
        flagged = [
            bool(math.isnan(vol)) and reason in (Reason.NO_INFORMATION, Reason.PRICE_AT_INTRINSIC)
            for cell, vol, reason in zip(cells(), answers.vol, answers.reason, strict=True)
            if cell.holds_nothing
        ]
        assert flagged == [True] * 416

    def test_is_never_wrong_without_saying_so(self, way: str, start: str) -> None:
        answers = solved(way, start)
        given = np.array([cell.vol for cell in cells()])
        unflagged = answers.reason == Reason.SOLVED
        assert np.isnan(answers.vol[~unflagged]).all()
        assert (np.abs(answers.vol / given - 1)[unflagged] <= 1e-6).all()


def test_one_warm_step_is_good_to_five_millionths_from_wherever_it_starts() -> None:
    grid = [cell for cell in cells() if cell.is_otm]
    price, strike, years, vol, is_call = map(
        np.array, zip(*((c.exact.price, c.strike, c.years, c.vol, c.is_call) for c in grid), strict=True)
    )
    for away in (0.9, 0.931, 0.95, 0.98, 1.02, 1.05, 1.069, 1.08, 1.3):
        found = implied_vols(price, FORWARD, strike, years, RATE, is_call, start=vol * away, steps=1)
        assert np.abs(found.vol / vol - 1).max() <= 5e-6


@pytest.mark.parametrize("way", ["scalar", "array"])
def test_greeks_agree_with_sixty_digits(way: str) -> None:
    grid = [cell for cell in cells() if cell.is_otm]
    assert len(grid) > GREEKS_KNEE
    strike, years, vol, is_call = map(
        np.array, zip(*((c.strike, c.years, c.vol, c.is_call) for c in grid), strict=True)
    )
    if way == "array":
        found = greeks(FORWARD, strike, years, RATE, vol, is_call)
        table = np.array([found.price, found.delta, found.gamma, found.vega, found.theta, found.rho]).T
    else:
        table = np.array([scalar.greeks(FORWARD, c.strike, c.years, RATE, c.vol, c.is_call) for c in grid], dtype=float)
    for cell, row in zip(grid, table, strict=True):
        # The exponent of a tail price is rounded too: 700 * 2^-53 relative at 1e-300.
        limit = 1e-13 if cell.exact.price >= 0.01 else 1e-12
        assert row[:4] == pytest.approx(cell.exact[:4], rel=limit, abs=0), cell
        decay = abs(RATE * cell.exact.price) + abs(cell.exact.theta)
        assert row[4] == pytest.approx(cell.exact.theta, rel=limit, abs=limit * decay), cell
        assert row[5] == pytest.approx(cell.exact.rho, rel=limit, abs=0), cell
