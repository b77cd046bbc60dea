from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.brokers.paper.practice.book import MOST_LOTS, Moment, bucket, ladder, sizes, spread, touch
from optconsole.brokers.paper.practice.day import PracticeDay
from optconsole.engine.model.timeline import millis

just_above_a_tick = st.builds(lambda ticks, more: 0.05 * ticks + more, st.integers(1, 2_000), st.floats(0.0, 0.002))
premiums = st.floats(0.001, 5_000.0) | just_above_a_tick


def moment(rows: np.ndarray, value: float, out: float = 0.0, left: float = 5_000.0, since: float = 9_000.0) -> Moment:
    full = np.ones(len(rows))
    return Moment(value * full, out * full, left * full, since * full)


@settings(deadline=None)
@given(premiums, st.just(0.0) | st.floats(-10.0, 10.0), st.integers(0, 3_000))
def test_the_fair_value_lies_inside_the_book(plain_day: PracticeDay, value: float, out: float, place: int) -> None:
    sheet, rows = plain_day.sheet, np.arange(place, place + 50)
    drawn = bucket(sheet, rows, np.full(50, millis(plain_day.opens) + 5_000_000))
    best = touch(sheet, rows, moment(rows, value, out), drawn, np.ones(50, dtype=bool))
    shown = best.ask > 0
    assert (best.bid[shown] <= value * 100.0).all()
    assert (best.ask[shown] >= value * 100.0).all()
    assert (best.ask - best.bid >= sheet.tick[rows])[shown].all()
    assert (best.bid >= 0).all()


def test_a_side_nobody_would_pay_a_tick_for_is_empty(plain_day: PracticeDay) -> None:
    rows = np.arange(20, 60)
    drawn = bucket(plain_day.sheet, rows, np.full(40, millis(plain_day.opens)))
    best = touch(plain_day.sheet, rows, moment(rows, 0.02), drawn, np.ones(40, dtype=bool))
    assert (best.bid == 0).all()
    assert (best.ask == plain_day.sheet.tick[rows]).any()


@pytest.mark.parametrize(
    ("calm", "nervous"),
    [
        ({}, {"since": 5.0}),  # at the open
        ({}, {"left": 3.0}),  # minutes before expiry
        ({}, {"out": -5.0}),  # deep in the money
    ],
)
def test_makers_ask_more_when_they_cannot_be_sure(
    plain_day: PracticeDay, calm: dict[str, float], nervous: dict[str, float]
) -> None:
    rows = np.arange(20, 400)
    drawn = bucket(plain_day.sheet, rows, np.full(len(rows), millis(plain_day.opens)))
    usual = spread(plain_day.sheet, rows, moment(rows, 100.0, **calm), drawn)
    wider = spread(plain_day.sheet, rows, moment(rows, 100.0, **nervous), drawn)
    option = plain_day.sheet.is_option[rows]
    assert (wider[option] > 1.3 * usual[option]).all()


@settings(deadline=None)
@given(premiums)
def test_sizes_are_at_least_a_lot_and_never_absurd(plain_day: PracticeDay, value: float) -> None:
    rows = np.arange(4, 500)
    drawn = bucket(plain_day.sheet, rows, np.full(len(rows), millis(plain_day.opens)))
    shown = sizes(plain_day.sheet, rows, moment(rows, value), drawn, 3)
    lot = plain_day.sheet.lot[rows]
    assert (shown >= lot).all()
    assert (shown <= MOST_LOTS * lot).all()


def test_a_book_holds_still_for_its_interval_and_then_changes(plain_day: PracticeDay) -> None:
    rows = np.arange(4, 2_000)
    start = millis(plain_day.opens) + 1_000_000
    drawn = [bucket(plain_day.sheet, rows, np.full(len(rows), start + step)) for step in (0, 100, 10_000)]
    first, soon, later = (one.draw(1) for one in drawn)
    assert (first == soon).mean() > 0.5
    assert (first != later).all()


@given(
    st.integers(0, 5_000),
    st.sampled_from([-1, 1]),
    st.integers(0, 50),
    st.lists(st.floats(0.0, 0.999), min_size=16, max_size=16),
)
def test_levels_run_outward_and_stay_above_zero(ticks: int, direction: int, gap: int, draws: list[float]) -> None:
    levels = ladder(ticks * 5, 650, direction, 5, 65, gap, np.array(draws))
    prices = [price for price, _ in levels]
    assert len(levels) <= 5
    assert prices == sorted(set(prices), reverse=direction < 0)
    assert all(price >= 5 and price % 5 == 0 for price in prices)
    assert all(size >= 65 and size % 65 == 0 for _, size in levels)
    assert bool(levels) is (ticks > 0)
