"""Entries that wait for a level or for the straddle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.trigger_state import CrossSeen
from optconsole.engine.model.triggers import (
    Cross,
    Entry,
    IndicatorKind,
    IndicatorTrigger,
    LevelTrigger,
    Momentum,
    StraddleTrigger,
)
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.triggers import Answer, Fired, cross, straddle, waited_for

UP = LevelTrigger(level=24_500_00, cross=Cross.UP)
DOWN = LevelTrigger(level=24_500_00, cross=Cross.DOWN)


def crossing(rule: LevelTrigger, *prices: int | None) -> list[Answer]:
    seen, answers = CrossSeen(), []
    for price in prices:
        seen, answer = cross(rule, seen, price)
        answers.append(answer)
    return answers


@pytest.mark.parametrize(
    ("rule", "near", "at", "beyond"),
    [(UP, 24_499_95, 24_500_00, 24_510_00), (DOWN, 24_500_05, 24_500_00, 24_490_00)],
)
def test_en5_fires_on_reaching_the_level_from_the_near_side(
    rule: LevelTrigger, near: int, at: int, beyond: int
) -> None:
    assert isinstance(crossing(rule, near, at)[-1], Fired)
    assert isinstance(crossing(rule, near, beyond)[-1], Fired)
    assert crossing(rule, near, near) == [None, None]


@pytest.mark.parametrize(("rule", "beyond"), [(UP, 24_510_00), (DOWN, 24_490_00)])
def test_en5_a_price_beyond_from_the_start_has_not_crossed(rule: LevelTrigger, beyond: int) -> None:
    assert crossing(rule, beyond, 24_500_00, beyond) == [None, None, None]


def test_en5_an_unknown_price_is_told_and_forgets_nothing() -> None:
    _, dark, answer = crossing(UP, 24_400_00, None, 24_501_00)
    assert isinstance(dark, Blind)
    assert isinstance(answer, Fired)


def test_en5_says_on_which_closes_it_looked() -> None:
    answer = crossing(LevelTrigger(level=100_00, cross=Cross.UP, candle=5), 99_00, 101_00)[-1]
    assert isinstance(answer, Fired)
    assert answer.why == "The reference crossed 100.00 up at the close of 5 minutes, at 101.00."


@given(st.lists(st.integers(90, 110), max_size=12))
def test_en5_fires_exactly_when_a_price_at_or_above_follows_one_below(prices: list[int]) -> None:
    answers = crossing(LevelTrigger(level=100, cross=Cross.UP), *prices)
    expected = [price >= 100 and any(p < 100 for p in prices[:place]) for place, price in enumerate(prices)]
    assert [isinstance(answer, Fired) for answer in answers] == expected


@pytest.mark.parametrize(
    ("rule", "price", "fires"),
    [
        (StraddleTrigger(level=300_00), 300_00, True),
        (StraddleTrigger(level=300_00), 299_95, False),
        (StraddleTrigger(level=300_00, cross=Cross.DOWN), 300_00, True),
        (StraddleTrigger(level=300_00, cross=Cross.DOWN), 300_05, False),
        (StraddleTrigger(move=1_000), 330_00, True),
        (StraddleTrigger(move=1_000), 329_95, False),
        (StraddleTrigger(move=-1_000), 270_00, True),
        (StraddleTrigger(move=-1_000), 270_05, False),
        (StraddleTrigger(level=340_00, move=1_000), 335_00, False),
    ],
)
def test_en6_stands_at_its_level_and_has_moved_since_the_open(rule: StraddleTrigger, price: int, fires: bool) -> None:
    assert isinstance(straddle(rule, price, 300_00), Fired) is fires


def test_en6_is_blind_without_its_prices() -> None:
    assert isinstance(straddle(StraddleTrigger(level=1), None), Blind)
    assert isinstance(straddle(StraddleTrigger(move=1), 300_00), Blind)


def test_all_triggers_given_are_waited_for() -> None:
    entry = Entry(
        momentum=Momentum(amount=1),
        level=UP,
        straddle=StraddleTrigger(level=1),
        indicators=(
            IndicatorTrigger(kind=IndicatorKind.RSI, cross=Cross.UP),
            IndicatorTrigger(kind=IndicatorKind.VWAP, cross=Cross.UP),
        ),
        signal="tv",
        approve_within=60,
    )
    everything = ("momentum", "level", "straddle", "indicator-1", "indicator-2", "signal", "approval")
    assert waited_for(entry, ()) == everything
    assert waited_for(entry, everything[1:]) == ("momentum",)
    assert waited_for(Entry(), ()) == ()
