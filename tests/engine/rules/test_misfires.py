"""An entry's window is half-open; what comes late is told as late, and what was missed is not made up for (SC-6)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.strategies import Misfire
from optconsole.engine.model.timeline import IST
from optconsole.engine.rules.misfires import Timing, due
from optconsole.engine.rules.schedules import Planned

T = datetime(2026, 11, 23, 9, 20, tzinfo=IST)
PLANNED = Planned(
    trade_date=T.date(),
    entry_at=T,
    entry_until=T + timedelta(seconds=60),
    triggers_until=T + timedelta(hours=5),
    exit_at=T + timedelta(hours=6),
    expiry=date(2026, 11, 23),
    dte=0,
)


def timing(seconds: float, misfire: Misfire = Misfire.SKIP, up: float | None = None) -> Timing:
    since = None if up is None else T + timedelta(seconds=up)
    return due(T + timedelta(seconds=seconds), PLANNED, misfire, since).timing


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-0.001, Timing.EARLY),
        (0, Timing.DUE),
        (0.999, Timing.DUE),
        (1, Timing.LATE),
        (59.999, Timing.LATE),
        (60, Timing.MISSED),
        (7200, Timing.MISSED),
    ],
)
def test_the_window_is_half_open_and_late_begins_after_its_second(seconds: float, expected: Timing) -> None:
    assert timing(seconds) is expected
    assert timing(seconds, Misfire.SKIP, up=-3600) is expected, "an engine that was up all along"


@pytest.mark.parametrize(
    ("misfire", "inside", "outside", "at_the_end"),
    [
        (Misfire.SKIP, Timing.MISSED, Timing.MISSED, Timing.MISSED),
        (Misfire.RUN_WITHIN_GRACE, Timing.LATE, Timing.MISSED, Timing.MISSED),
        (Misfire.ASK, Timing.ASK, Timing.ASK, Timing.MISSED),
    ],
)
def test_an_engine_that_was_down_does_what_the_strategy_says(
    misfire: Misfire, inside: Timing, outside: Timing, at_the_end: Timing
) -> None:
    assert timing(40, misfire, up=30) is inside
    assert timing(400, misfire, up=300) is outside
    assert timing(5 * 3600, misfire, up=300) is at_the_end


def test_a_late_entry_says_how_late_and_enters() -> None:
    answer = due(T + timedelta(seconds=12, milliseconds=345), PLANNED, Misfire.SKIP)
    assert (answer.enters, answer.lag_ms) == (True, 12_345)
    assert answer.text == "The entry of 09:20:00 is 12 s late, within its grace."


def test_a_missed_entry_says_until_when_it_could_be_made() -> None:
    answer = due(T + timedelta(seconds=75), PLANNED, Misfire.RUN_WITHIN_GRACE)
    assert not answer.enters
    assert answer.text == "The entry of 09:20:00 is 75 s late; it could be made until 09:21:00."


@given(st.integers(-100_000, 100_000), st.sampled_from(list(Misfire)), st.none() | st.integers(-90, 90))
def test_nothing_enters_outside_its_window(ms: int, misfire: Misfire, up: int | None) -> None:
    since = None if up is None else T + timedelta(seconds=up)
    answer = due(T + timedelta(milliseconds=ms), PLANNED, misfire, since)
    assert answer.lag_ms == ms
    if answer.enters:
        assert 0 <= ms < 60_000
