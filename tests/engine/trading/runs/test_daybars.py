"""The bars of days: what the stops by yesterday's high and low, gaps and true ranges are measured by."""

from __future__ import annotations

from datetime import date

from optconsole.engine.rules.leg_levels import Span
from optconsole.engine.trading.runs.daybars import true_range, yesterday
from optconsole.engine.trading.runs.scene import RunScene
from tests.engine.trading.runs.stage import DAY, Stage, name, strategy

CALL = name(24500, "CE")
THURSDAY = date(2026, 11, 26)


def scene(stage: Stage) -> RunScene:
    runs = stage.runs
    return RunScene(stage.state, stage.master, stage.situation, "ABC", runs._days, runs._minutes)


def tick(stage: Stage, contract: str, price: int, clock: str) -> None:
    stage.to(clock)
    stage.quote(contract, price)
    stage.settle(1.0)


def test_yesterdays_high_and_low_are_those_of_the_prices_seen() -> None:
    stage = Stage(at="09:15:00")
    stage.start(strategy('entry = "15:00"\nexit = "15:15"', ce="sell CE"))
    for clock, price in (("09:15:10", 10_000), ("10:00:00", 12_500), ("11:00:00", 8_000), ("15:20:00", 9_000)):
        tick(stage, CALL, price, clock)
    stage.next_day(THURSDAY)
    assert yesterday(scene(stage), CALL) == Span(high=12_500, low=8_000)


def test_a_day_that_was_not_watched_from_its_open_says_nothing() -> None:
    stage = Stage(at="11:15:00")
    stage.start(strategy('entry = "15:00"\nexit = "15:15"', ce="sell CE"))
    tick(stage, CALL, 10_000, "11:15:10")
    stage.next_day(THURSDAY)
    assert yesterday(scene(stage), CALL) is None


def test_a_true_range_needs_as_many_days_as_it_is_of() -> None:
    stage = Stage(day=DAY, at="09:15:00")
    stage.start(strategy('entry = "15:00"\nexit = "15:15"', ce="sell CE"))
    days = [DAY, THURSDAY, date(2026, 11, 27)]
    for place, day in enumerate(days):
        if place:
            stage.next_day(day)
        tick(stage, "NIFTY", 2_450_000, "09:15:10")
        tick(stage, "NIFTY", 2_460_000, "10:00:00")
    stage.next_day(date(2026, 11, 30))
    assert true_range(scene(stage), "NIFTY", 5) is None
    assert true_range(scene(stage), "NIFTY", 2) == 10_000
