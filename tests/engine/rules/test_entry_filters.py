"""Filters at entry time, and the windows of entries."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from optconsole.engine.model.strategies import Schedule
from optconsole.engine.model.triggers import Filters
from optconsole.engine.rules.entry_filters import Failed, Market, Timing, failing, may_enter, timing
from tests.engine.rules.leg_cases import FILLED, after

DAY = date(2026, 11, 23)
CALM = Market(
    day=DAY, vix=14_50, prev_close=24_400_00, open=24_522_00, price=24_644_61, flat=True, free_margin=500_00, spread=80
)


def codes(market: Market = CALM, **filters: Any) -> list[str]:
    return [failed.code for failed in failing(Filters(**filters), market)]


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"vix_min": 14_51}, "FILTER_VIX"),
        ({"vix_max": 14_49}, "FILTER_VIX"),
        ({"gap_min": 51}, "FILTER_GAP"),
        ({"gap_max": 49}, "FILTER_GAP"),
        ({"move_min": 51}, "FILTER_MOVE"),
        ({"move_max": 49}, "FILTER_MOVE"),
        ({"max_spread": 79}, "FILTER_SPREAD"),
        ({"min_free_margin": 500_01}, "FILTER_MARGIN"),
        ({"blackout": (DAY,)}, "FILTER_BLACKOUT"),
    ],
)
def test_en9_a_filter_that_fails_is_named(filters: dict[str, Any], code: str) -> None:
    assert codes(**filters) == [code]


def test_en9_values_on_the_bounds_pass() -> None:
    """Half a percent of gap, half a percent since the open."""
    assert codes(vix_min=14_50, vix_max=14_50, gap_min=50, gap_max=50, move_min=50, move_max=50) == []
    assert codes(max_spread=80, min_free_margin=500_00, only_if_flat=True, blackout=(date(2026, 11, 24),)) == []


def test_en9_every_failing_filter_is_told_with_its_value() -> None:
    failed = failing(Filters(vix_max=12_00, gap_max=10), CALM)
    assert failed == (
        Failed("FILTER_VIX", "India VIX is 14.50, above 12.00.", 14_50),
        Failed("FILTER_GAP", "The gap in percent is 0.50, above 0.10.", 50),
    )


def test_en9_an_unknown_value_passes_no_filter() -> None:
    blank = Market(day=DAY)
    assert codes(blank, vix_min=1, gap_min=-900, move_max=900, max_spread=1, min_free_margin=0, only_if_flat=True) == [
        "FILTER_VIX",
        "FILTER_GAP",
        "FILTER_MOVE",
        "FILTER_SPREAD",
        "FILTER_MARGIN",
        "FILTER_FLAT",
    ]
    assert codes(blank) == []


def test_en9_an_account_that_holds_something_is_not_flat() -> None:
    failed = failing(Filters(only_if_flat=True), Market(day=DAY, flat=False))
    assert [each.why for each in failed] == ["The account holds positions, and the run enters only if flat."]


def test_en9_a_gap_down_is_negative() -> None:
    down = Market(day=DAY, prev_close=24_400_00, open=24_278_00)
    assert codes(down, gap_min=-50) == []
    assert codes(down, gap_min=-49) == ["FILTER_GAP"]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (-0.001, Timing.EARLY),
        (0, Timing.ON_TIME),
        (0.999, Timing.ON_TIME),
        (1, Timing.LATE),
        (59.999, Timing.LATE),
        (60, Timing.MISSED),
    ],
)
def test_en1_the_window_of_an_entry_is_half_open(second: float, expected: Timing) -> None:
    schedule = Schedule(entry_at=time(9, 20), exit_at=time(15, 15), grace=60)
    assert timing(schedule, FILLED, after(second)) is expected


def test_en10_no_entry_from_its_last_moment_on() -> None:
    schedule = Schedule(entry_at=time(9, 20), exit_at=time(15, 15), no_entry_after=time(9, 20, 30))
    assert timing(schedule, FILLED, after(29.999)) is Timing.LATE
    assert timing(schedule, FILLED, after(30)) is Timing.MISSED
    assert not may_enter(schedule, after(30))
    assert may_enter(Schedule(entry_at=time(9, 20), exit_at=time(15, 15)), after(99_999))
