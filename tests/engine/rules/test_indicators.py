"""Indicators against series worked out by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.timeline import IST
from optconsole.engine.model.trigger_state import Candle
from optconsole.engine.rules.indicators import Trend, atr, ema, rsi, supertrend, vwap

OPENS = datetime(2026, 11, 23, 9, 15, tzinfo=IST)


def bars(*rows: tuple[int, int, int] | tuple[int, int, int, int], day: int = 0) -> list[Candle]:
    """(high, low, close[, volume]) of five-minute candles."""
    return [
        Candle(
            start=OPENS + timedelta(days=day, minutes=5 * place),
            open=close,
            high=high,
            low=low,
            close=close,
            volume=volume[0] if volume else None,
        )
        for place, (high, low, close, *volume) in enumerate(rows)
    ]


TURNS = bars((10, 8, 9), (12, 9, 11), (11, 7, 8), (15, 14, 15), (12, 8, 9))


def test_ema_begins_with_the_mean_and_halves_the_way_to_each_value() -> None:
    assert ema([1, 2, 3, 4, 5, 9], 3) == [None, None, 2, 3, 4, 6.5]


def test_rsi_is_smoothed_as_wilder_did() -> None:
    """Changes +1, -1, +2, 0: gains 0.5, 1.25, 0.625 against losses 0.5, 0.25, 0.125."""
    assert rsi([10, 11, 10, 12, 12], 2) == [None, None, 50, pytest.approx(250 / 3), pytest.approx(250 / 3)]


def test_rsi_of_what_only_rises_falls_or_stands() -> None:
    assert rsi([1, 2, 3], 2)[-1] == 100
    assert rsi([3, 2, 1], 2)[-1] == 0
    assert rsi([2, 2, 2], 2)[-1] == 50
    assert rsi([], 2) == []


def test_atr_counts_gaps() -> None:
    """True ranges 2, 3, 4, and 7 for the gap from 8 to 15."""
    assert atr(TURNS, 2) == [None, 2.5, 3.25, 5.125, 6.0625]


def test_supertrend_turns_up_above_its_upper_line_and_down_below_its_lower() -> None:
    assert supertrend(TURNS, 2, 1) == [
        None,
        Trend(13.0, False),
        Trend(12.25, False),
        Trend(9.375, True),
        Trend(16.0625, False),
    ]


def test_vwap_weighs_typical_prices_by_volume() -> None:
    assert vwap(bars((12, 9, 9, 100), (15, 12, 12, 300))) == [10, 12.25]


def test_vwap_begins_anew_each_day_and_is_unknown_without_volume() -> None:
    assert vwap([*bars((12, 9, 9, 100)), *bars((33, 27, 30, 5), day=1)]) == [10, 30]
    assert vwap(bars((12, 9, 9))) == [None]


PRICES = st.lists(st.integers(1, 1_000), min_size=1, max_size=40)


@given(PRICES, st.integers(1, 10))
def test_an_average_lies_between_the_extremes_and_rsi_between_its_ends(prices: list[int], period: int) -> None:
    for value in ema(prices, period):
        assert value is None or min(prices) - 1e-6 <= value <= max(prices) + 1e-6
    strengths = rsi(prices, period)
    assert len(strengths) == len(prices)
    assert all(value is None or -1e-9 <= value <= 100 + 1e-9 for value in strengths)


@given(PRICES, st.integers(1, 5))
def test_a_trend_s_line_is_below_the_close_when_up_and_above_it_when_down(prices: list[int], period: int) -> None:
    candles = bars(*((price + 1, price - 1, price) for price in prices))
    for candle, trend in zip(candles, supertrend(candles, period, 1.5), strict=True):
        if trend is not None:
            assert candle.close >= trend.line if trend.up else candle.close <= trend.line
