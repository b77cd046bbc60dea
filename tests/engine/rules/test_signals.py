"""What an indicator says to an entry."""

from __future__ import annotations

import pytest

from optconsole.engine.model.trigger_state import Candle
from optconsole.engine.model.triggers import Cross, IndicatorKind, IndicatorTrigger
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.signals import signal
from optconsole.engine.rules.triggers import Fired
from tests.engine.rules.test_indicators import TURNS, bars

UP, DOWN = Cross.UP, Cross.DOWN
TREND = {"kind": IndicatorKind.SUPERTREND, "period": 2, "multiple": 100}


def fires(rule: IndicatorTrigger, candles: list[Candle]) -> bool:
    answer = signal(rule, candles)
    assert not isinstance(answer, Blind), answer
    return isinstance(answer, Fired)


@pytest.mark.parametrize(("count", "up", "down"), [(3, False, False), (4, True, False), (5, False, True)])
def test_supertrend_signals_on_the_candle_of_the_turn_only(count: int, up: bool, down: bool) -> None:
    assert fires(IndicatorTrigger(cross=UP, **TREND), TURNS[:count]) is up  # type: ignore[arg-type]
    assert fires(IndicatorTrigger(cross=DOWN, **TREND), TURNS[:count]) is down  # type: ignore[arg-type]


def closes(*prices: int) -> list[Candle]:
    return bars(*((price, price, price, 100) for price in prices))


def test_ema_cross_signals_where_the_fast_average_crosses_the_slow_one() -> None:
    """With periods 1 and 2 the fast one is the close itself: 9 lies below 9.5, 12 above 11.17, 13 is no new cross."""
    rule = IndicatorTrigger(kind=IndicatorKind.EMA_CROSS, cross=UP, fast=1, slow=2)
    assert not fires(rule, closes(10, 9, 8))
    assert fires(rule, closes(10, 9, 12))
    assert not fires(rule, closes(10, 9, 12, 13))
    down = IndicatorTrigger(kind=IndicatorKind.EMA_CROSS, cross=DOWN, fast=1, slow=2)
    assert fires(down, closes(9, 10, 8))


def test_rsi_signals_when_it_crosses_its_level() -> None:
    """Closes 10, 11, 10 give 50, and 12 after them 83.33."""
    rule = IndicatorTrigger(kind=IndicatorKind.RSI, cross=UP, period=2, level=70_00)
    assert fires(rule, closes(10, 11, 10, 12))
    assert not fires(rule, closes(10, 11, 10, 12, 12))
    answer = signal(rule, closes(10, 11, 10, 12), place=2)
    assert isinstance(answer, Fired)
    assert (answer.name, answer.value, answer.level) == ("indicator-2", 8_333, 7_000)


def test_vwap_signals_when_the_close_crosses_it() -> None:
    rule = IndicatorTrigger(kind=IndicatorKind.VWAP, cross=UP)
    assert fires(rule, closes(10, 8, 12))
    assert not fires(rule, closes(10, 8, 12, 13))


def test_vwap_does_not_compare_todays_first_close_with_yesterday() -> None:
    rule = IndicatorTrigger(kind=IndicatorKind.VWAP, cross=UP)
    candles = [*closes(10, 8), *bars((14, 6, 14, 100), day=1)]
    assert isinstance(signal(rule, candles), Blind)


@pytest.mark.parametrize("kind", list(IndicatorKind))
def test_too_few_candles_are_told(kind: IndicatorKind) -> None:
    rule = IndicatorTrigger(kind=kind, cross=UP)
    assert isinstance(signal(rule, []), Blind)
    assert isinstance(signal(rule, closes(1)), Blind)


def test_an_index_without_volume_has_no_vwap() -> None:
    rule = IndicatorTrigger(kind=IndicatorKind.VWAP, cross=UP)
    assert isinstance(signal(rule, bars((1, 1, 1), (2, 2, 2))), Blind)
