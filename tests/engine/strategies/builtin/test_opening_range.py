"""The seller of the option that a break of the morning's range leaves behind, in a run."""

from __future__ import annotations

from optconsole.engine.model.runs import RunStatus
from optconsole.engine.strategies.builtin import OpeningRangeSeller
from tests.engine.trading.runs.registered import HEAD, RegisteredStage, registered


def morning(*spots: int, **params: object) -> RegisteredStage:
    """A run whose underlying was at these prices before its entry at 09:20."""
    stage = RegisteredStage(OpeningRangeSeller, at="09:15:00")
    stage.start(registered(OpeningRangeSeller, HEAD, **params))
    for place, spot in enumerate(spots):
        stage.now = stage.now.replace(minute=16 + place)
        stage.market(spot * 100)
        stage.settle()
    stage.to("09:20:00")
    return stage


def moved(stage: RegisteredStage, spot: int, clock: str) -> None:
    stage.market(spot * 100)
    stage.to(clock)


def test_a_break_of_the_high_sells_the_put_and_a_return_sells_nothing_more() -> None:
    stage = morning(24_480, 24_520, 24_500, stop=500)
    assert stage.run().status is RunStatus.WAITING
    moved(stage, 24_519, "09:25:00")
    assert stage.held() == {}
    moved(stage, 24_530, "09:25:05")
    assert stage.held() == {"24500 PE": -65}
    moved(stage, 24_470, "09:25:10")
    assert stage.held() == {"24500 PE": -65}


def test_a_break_of_the_low_sells_the_call_so_many_strikes_out() -> None:
    stage = morning(24_480, 24_520, 24_500, steps=2)
    moved(stage, 24_470, "09:21:00")
    assert stage.held() == {"24550 CE": -65}


def test_a_break_within_the_buffer_is_none() -> None:
    stage = morning(24_480, 24_520, 24_500, buffer=0.1)
    moved(stage, 24_540, "09:21:00")
    assert stage.held() == {}
    moved(stage, 24_546, "09:22:00")
    assert list(stage.held().values()) == [-65]


def test_a_range_wider_than_asked_skips_the_day() -> None:
    stage = morning(24_300, 24_600, 24_500)
    assert stage.said(RunStatus.SKIPPED) == "STRATEGY_SKIPPED"
    assert "1.22 % wide" in stage.run().text
