"""Triggers, overall exits and flags of a strategy that contradict one another."""

from __future__ import annotations

from datetime import time

import pytest

from optconsole.engine.model.leg_rules import Breakout, Edge, EntryWait, Measure
from optconsole.engine.model.overall_rules import (
    Again,
    Band,
    Level,
    Overall,
    OverallReentry,
    OverallTrail,
    ProfitLock,
    Rung,
)
from optconsole.engine.model.strategies import CostShift, Execution, SquareOff, Strategy
from optconsole.engine.model.triggers import (
    Cross,
    Entry,
    Filters,
    IndicatorKind,
    IndicatorTrigger,
    LevelTrigger,
    Momentum,
    Range,
    StraddleTrigger,
)
from tests.engine.rules.structures import BREAKOUT, CALENDAR, DAY, NIFTY_STBT, STOP, changed, faults, sold, strategy

POINTS = Measure(20_00)
NIGHT = NIFTY_STBT.schedule
WINDOW = CALENDAR.schedule
MORNING = Range(start=time(9, 16), end=time(9, 30))


def entering(*legs: object, **entry: object) -> Strategy:
    return strategy(*legs, entry=changed(Entry(), **entry))


def overall(**fields: object) -> Strategy:
    return strategy(overall=changed(Overall(), **fields))


def ranged(**fields: object) -> Strategy:
    return changed(BREAKOUT, entry=Entry(range=changed(MORNING, **fields)))


WHOLE = [
    (strategy(name=" "), [("BAD_NAME", "name")]),
    (strategy(underlying=""), [("BAD_NAME", "underlying")]),
    (
        entering(sold(wait=EntryWait(move=POINTS), breakout=Breakout(Edge.LOW)), range=MORNING),
        [("ENTRY_CONFLICT", "legs[0].wait")],
    ),
    (
        entering(sold(wait=EntryWait(move=POINTS)), momentum=Momentum(amount=500)),
        [("ENTRY_CONFLICT", "legs[0].wait")],
    ),
    (
        entering(sold(breakout=Breakout(Edge.LOW)), momentum=Momentum(amount=500), range=MORNING),
        [("ENTRY_CONFLICT", "entry.range"), ("ENTRY_CONFLICT", "legs[0].breakout")],
    ),
    (entering(range=MORNING), [("UNUSED", "entry.range")]),
    (ranged(end=time(9, 16)), [("BAD_RANGE", "entry.range.end")]),
    (ranged(end=time(15, 15)), [("BAD_RANGE", "entry.range.end")]),
    (ranged(start_dte=2), [("BAD_RANGE", "entry.range")]),
    (ranged(start_dte=1, end_dte=2), [("BAD_RANGE", "entry.range.end")]),
    (ranged(start_dte=1, end_dte=1, end=time(9, 16)), [("BAD_RANGE", "entry.range.end")]),
    (changed(BREAKOUT, schedule=NIGHT), [("BAD_RANGE", "entry.range")]),
    (
        changed(BREAKOUT, schedule=changed(DAY, no_entry_after=time(9, 30))),
        [("NO_ENTRY_WINDOW", "schedule.no_entry_after")],
    ),
    (entering(momentum=Momentum(amount=0)), [("BAD_TRIGGER", "entry.momentum.amount")]),
    (entering(level=LevelTrigger(level=0, cross=Cross.UP)), [("BAD_TRIGGER", "entry.level.level")]),
    (entering(straddle=StraddleTrigger()), [("BAD_TRIGGER", "entry.straddle")]),
    (entering(straddle=StraddleTrigger(level=1, move=1)), [("BAD_TRIGGER", "entry.straddle")]),
    (
        entering(indicators=(IndicatorTrigger(kind=IndicatorKind.EMA_CROSS, cross=Cross.UP, fast=21, slow=21),)),
        [("BAD_TRIGGER", "entry.indicators[0].fast")],
    ),
    (
        entering(indicators=(IndicatorTrigger(kind=IndicatorKind.VWAP, cross=Cross.UP, candle=0),)),
        [("BAD_TRIGGER", "entry.indicators[0].candle")],
    ),
    (entering(approve_within=0), [("NO_ENTRY_WINDOW", "entry.approve_within")]),
    (entering(filters=Filters(vix_min=20_00, vix_max=15_00)), [("NO_DAY", "entry.filters.vix_min")]),
    (
        strategy(sold(stop=STOP), move_to_cost=CostShift.ALL, square_off=SquareOff.COMPLETE),
        [("UNUSED", "move_to_cost")],
    ),
    (strategy(move_to_cost=CostShift.ALL), [("NO_STOP", "move_to_cost")]),
    (overall(stop=Level(0)), [("BAD_LEVEL", "overall.stop.amount")]),
    (overall(target=Level(-1)), [("BAD_LEVEL", "overall.target.amount")]),
    (overall(trail=OverallTrail(1_000, 500)), [("NO_STOP", "overall.trail")]),
    (overall(stop=Level(4_000), trail=OverallTrail(0, 500)), [("BAD_TRAIL", "overall.trail")]),
    (overall(lock=ProfitLock(at=5_000, keep=5_000)), [("BAD_LOCK", "overall.lock.keep")]),
    (overall(lock=ProfitLock(at=5_000, keep=3_000, every=1_000)), [("BAD_LOCK", "overall.lock.every")]),
    (overall(lock=ProfitLock()), [("BAD_LOCK", "overall.lock")]),
    (overall(band=Band(low=2, high=2)), [("BAD_BAND", "overall.band.low")]),
    (overall(ladder=(Rung(100, 60), Rung(100, 30))), [("BAD_LADDER", "overall.ladder[1].profit")]),
    (overall(ladder=(Rung(100, 60), Rung(200, 50))), [("BAD_LADDER", "overall.ladder")]),
    (overall(ladder=(Rung(100, 0),)), [("BAD_LADDER", "overall.ladder[0].percent")]),
    (overall(on_stop=OverallReentry()), [("NO_STOP", "overall.on_stop")]),
    (overall(on_target=OverallReentry()), [("NO_TARGET", "overall.on_target")]),
    (overall(stop=Level(1), on_stop=OverallReentry(times=0)), [("BAD_VALUE", "overall.on_stop.times")]),
    (overall(stop=Level(1), on_stop=OverallReentry(how=Again.MOMENTUM)), [("NO_WAIT", "overall.on_stop.move")]),
    (strategy(reentry_shared_max=0), [("BAD_VALUE", "reentry_shared_max")]),
    (strategy(execution=Execution(patience=0)), [("BAD_VALUE", "execution")]),
]


@pytest.mark.parametrize(("of", "expected"), WHOLE)
def test_a_strategy_that_contradicts_itself_is_told(of: Strategy, expected: list[tuple[str, str]]) -> None:
    assert faults(of) == expected


@pytest.mark.parametrize(
    "of",
    [
        ranged(start_dte=3, end_dte=1, start=time(9, 30), end=time(9, 16)),
        changed(ranged(start_dte=1, end_dte=1), schedule=changed(WINDOW, exit_dte=0)),
        overall(stop=Level(4_000), trail=OverallTrail(1_000, 500), lock=ProfitLock(every=1_000, move=500)),
        overall(lock=ProfitLock(at=5_000, keep=3_000, every=1_000, move=500), on_stop=OverallReentry()),
        overall(ladder=(Rung(100, 50), Rung(200, 50)), band=Band(low=1)),
        entering(straddle=StraddleTrigger(move=-500), momentum=Momentum(amount=-500)),
    ],
)
def test_a_strategy_that_is_sound_has_no_fault(of: Strategy) -> None:
    assert faults(of) == []
