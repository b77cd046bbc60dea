"""Closed candles, folded from prices."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.timeline import IST
from optconsole.engine.model.trigger_state import Candle, Forming
from optconsole.engine.rules.candles import add, begins, closes_at, settle

OPENS = datetime(2026, 11, 23, 9, 15, tzinfo=IST)


def at(seconds: float) -> datetime:
    return OPENS + timedelta(seconds=seconds)


def folded(minutes: int, *ticks: tuple[float, int] | tuple[float, int, int]) -> tuple[Forming | None, list[Candle]]:
    forming: Forming | None = None
    closed = []
    for second, price, *volume in ticks:
        forming, done = add(forming, price, at(second), OPENS, minutes, volume[0] if volume else None)
        if done is not None:
            closed.append(done)
    return forming, closed


def test_a_candle_closes_with_the_first_price_of_the_next() -> None:
    forming, closed = folded(1, (0, 100), (20, 105), (40, 98), (59.999, 101), (60, 110))
    assert closed == [Candle(start=OPENS, open=100, high=105, low=98, close=101)]
    assert forming is not None
    assert forming.candle == Candle(start=at(60), open=110, high=110, low=110, close=110)


def test_candles_are_counted_from_the_opening() -> None:
    assert begins(at(59 * 60), OPENS, 60) == OPENS
    assert begins(at(60 * 60), OPENS, 60) == OPENS.replace(hour=10)
    assert closes_at(Candle(start=OPENS, open=1, high=1, low=1, close=1), 60) == OPENS.replace(hour=10)


def test_an_interval_without_a_price_makes_no_candle() -> None:
    _, closed = folded(1, (0, 100), (200, 101), (240, 102))
    assert [candle.start for candle in closed] == [OPENS, at(180)]


def test_a_candle_whose_time_is_over_is_handed_out_once_though_no_price_comes() -> None:
    forming, _ = folded(1, (0, 100))
    assert settle(forming, at(59.999), 1) == (forming, None)
    told, candle = settle(forming, at(60), 1)
    assert candle == Candle(start=OPENS, open=100, high=100, low=100, close=100)
    assert settle(told, at(61), 1) == (told, None)
    assert told is not None
    assert add(told, 500, at(59), OPENS, 1) == (told, None), "a price that comes too late changes nothing"
    assert add(told, 101, at(60), OPENS, 1)[1] is None


def test_nothing_settles_before_a_price_has_come() -> None:
    assert settle(None, at(60), 1) == (None, None)


def test_a_price_of_an_earlier_candle_changes_nothing() -> None:
    forming, _ = folded(1, (0, 100), (60, 110))
    assert forming is not None
    assert add(forming, 1, at(59), OPENS, 1) == (forming, None)


def test_volume_is_what_was_traded_in_the_candle() -> None:
    forming, closed = folded(1, (0, 100, 1_000), (30, 101, 1_300), (61, 102, 1_450), (119, 102, 1_500), (121, 1, 1_500))
    assert [candle.volume for candle in closed] == [300, 200]
    assert forming is not None
    assert forming.candle.volume == 0


def test_volume_that_starts_anew_counts_from_nothing() -> None:
    _, closed = folded(1, (0, 100, 9_000), (61, 100, 50), (122, 100, 60))
    assert [candle.volume for candle in closed] == [0, 50]


def test_a_source_without_volume_has_none() -> None:
    _, closed = folded(1, (0, 100), (61, 100))
    assert closed[0].volume is None


@given(
    st.lists(st.tuples(st.integers(0, 1_800), st.integers(1, 10_000)), min_size=1, max_size=30),
    st.sampled_from([1, 3, 5]),
)
def test_candles_hold_exactly_the_prices_of_their_time(ticks: list[tuple[int, int]], minutes: int) -> None:
    ordered = sorted(ticks, key=lambda tick: tick[0])
    forming, closed = folded(minutes, *ordered)
    assert forming is not None
    for candle in [*closed, forming.candle]:
        inside = [price for second, price in ordered if begins(at(second), OPENS, minutes) == candle.start]
        assert (candle.open, candle.high, candle.low, candle.close) == (inside[0], max(inside), min(inside), inside[-1])
    starts = [candle.start for candle in closed]
    assert starts == sorted(set(starts))
