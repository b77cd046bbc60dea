"""The range whose break enters a leg."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.leg_rules import Breakout, Edge
from optconsole.engine.model.timeline import IST
from optconsole.engine.model.trigger_state import RangeSeen
from optconsole.engine.model.triggers import Range
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.ranges import Phase, began_late, broken, phase, track
from optconsole.engine.rules.triggers import Fired

RULE = Range(start=time(9, 16), end=time(9, 30))
DAYS = Range(start=time(14, 0), end=time(10, 0), start_dte=4, end_dte=2)
HIGH, LOW = Breakout(Edge.HIGH, of_option=True), Breakout(Edge.LOW, of_option=True)


def at(hour: int, minute: int, second: int = 0, milli: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour, minute, second, milli * 1000, IST)


def tracked(*prices: tuple[datetime, int]) -> RangeSeen | None:
    seen = None
    for moment, price in prices:
        seen = track(RULE, seen, price, moment)
    return seen


def test_en4_the_tick_of_092959_belongs_to_the_range_and_the_first_above_its_high_from_0930_enters() -> None:
    seen = tracked((at(9, 16), 100_00), (at(9, 29, 59), 112_40), (at(9, 30), 150_00))
    assert seen is not None
    assert (seen.high, seen.low) == (112_40, 100_00)
    assert broken(RULE, HIGH, seen, 112_40, at(9, 30)) is None
    fired = broken(RULE, HIGH, seen, 112_45, at(9, 30))
    assert isinstance(fired, Fired)
    assert (fired.value, fired.level) == (112_45, 112_40)


def test_en4_nothing_breaks_a_range_that_has_not_ended() -> None:
    assert broken(RULE, HIGH, tracked((at(9, 16), 100_00)), 200_00, at(9, 29, 59, 999)) is None


def test_en4_the_low_is_broken_strictly_below() -> None:
    seen = tracked((at(9, 20), 100_00))
    assert broken(RULE, LOW, seen, 100_00, at(9, 31)) is None
    assert isinstance(broken(RULE, LOW, seen, 99_95, at(9, 31)), Fired)


def test_en4_prices_before_the_start_do_not_count() -> None:
    assert tracked((at(9, 15, 59, 999), 500_00)) is None
    assert tracked((at(9, 15, 59), 500_00), (at(9, 16), 100_00)) == RangeSeen(
        high=100_00, low=100_00, first=at(9, 16), last=at(9, 16)
    )


def test_en4_an_unknown_price_or_an_empty_range_is_told() -> None:
    assert isinstance(broken(RULE, HIGH, None, 100_00, at(9, 31)), Blind)
    assert isinstance(broken(RULE, HIGH, tracked((at(9, 20), 1)), None, at(9, 31)), Blind)
    assert tracked((at(9, 20), 1)) == track(RULE, tracked((at(9, 20), 1)), None, at(9, 21))


@pytest.mark.parametrize(
    ("moment", "dte", "where"),
    [
        (at(15, 0), 5, Phase.BEFORE),
        (at(13, 59), 4, Phase.BEFORE),
        (at(14, 0), 4, Phase.INSIDE),
        (at(9, 15), 3, Phase.INSIDE),
        (at(9, 59, 59), 2, Phase.INSIDE),
        (at(10, 0), 2, Phase.AFTER),
        (at(9, 15), 1, Phase.AFTER),
        (at(11, 0), None, Phase.BEFORE),
    ],
)
def test_en4_a_range_may_span_days_by_dte(moment: datetime, dte: int | None, where: Phase) -> None:
    assert phase(DAYS, moment, dte) is where


def test_en4_a_start_after_the_open_is_found_out() -> None:
    seen = tracked((at(9, 16, 4), 100_00))
    assert seen is not None
    assert not began_late(RULE, seen, timedelta(seconds=5))
    assert began_late(RULE, seen, timedelta(seconds=3))


@given(st.lists(st.tuples(st.integers(0, 20 * 60), st.integers(1, 500_00)), max_size=12), st.randoms())
def test_en4_the_order_of_prices_is_irrelevant(ticks: list[tuple[int, int]], order: object) -> None:
    moments = [(at(9, 13) + timedelta(seconds=second), price) for second, price in ticks]
    shuffled = list(moments)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert tracked(*moments) == tracked(*shuffled)
    inside = [price for second, price in ticks if 3 * 60 <= second < 17 * 60]
    seen = tracked(*moments)
    assert (None if seen is None else (seen.high, seen.low)) == ((max(inside), min(inside)) if inside else None)
