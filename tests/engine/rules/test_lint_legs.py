"""Legs that contradict themselves: each has its code and its field, and only those have."""

from __future__ import annotations

from datetime import date, time

import pytest

from optconsole.engine.model.leg_rules import (
    Breakout,
    Edge,
    EntryWait,
    LegStop,
    LockStep,
    Measure,
    Reentry,
    ReentryMode,
    StopKind,
    Trail,
    TrailKind,
    Unit,
)
from optconsole.engine.model.strikes import (
    CheapStrike,
    DeltaStrike,
    ExactStrike,
    ExpiryRule,
    Pick,
    PremiumStrike,
    Series,
    StepStrike,
    VolatilityStrike,
)
from tests.engine.rules.structures import MONTHLY, STOP, bought, faults, sold, strategy

POINTS = Measure(20_00)


LEGS = [
    (sold("CE"), "BAD_ID", "id"),
    (sold(""), "BAD_ID", "id"),
    (sold(lots=0), "BAD_LOTS", "lots"),
    (sold(lots=1_001), "BAD_LOTS", "lots"),
    (sold(right=None, expiry=MONTHLY, strike=StepStrike(1)), "FUTURE_STRIKE", "strike"),
    (sold(right=None), "NO_WEEKLY", "expiry.series"),
    (sold(expiry=ExpiryRule(series=Series.FIXED)), "BAD_EXPIRY", "expiry.day"),
    (sold(expiry=ExpiryRule(day=date(2026, 12, 1))), "BAD_EXPIRY", "expiry.day"),
    (sold(expiry=ExpiryRule(offset=-1)), "BAD_EXPIRY", "expiry"),
    (sold(strike=ExactStrike(0)), "BAD_STRIKE", "strike.strike"),
    (sold(strike=PremiumStrike(0)), "BAD_STRIKE", "strike.amount"),
    (sold(strike=PremiumStrike(100_00, Pick.WITHIN)), "BAD_STRIKE", "strike.upper"),
    (sold(strike=PremiumStrike(100_00, Pick.WITHIN, upper=90_00)), "BAD_STRIKE", "strike.upper"),
    (sold(strike=PremiumStrike(100_00, upper=110_00)), "BAD_STRIKE", "strike.upper"),
    (sold(strike=PremiumStrike(1, Pick.WITHIN, upper=2, fallback=Pick.WITHIN)), "BAD_STRIKE", "strike.fallback"),
    (sold(strike=DeltaStrike(0)), "BAD_STRIKE", "strike.amount"),
    (sold(strike=DeltaStrike(300, 200)), "BAD_STRIKE", "strike.amount"),
    (sold(strike=CheapStrike(0)), "BAD_STRIKE", "strike.most"),
    (sold(strike=VolatilityStrike(0)), "BAD_STRIKE", "strike.multiple"),
    (sold(wait=EntryWait(move=Measure(0))), "BAD_VALUE", "wait.move"),
    (sold(breakout=Breakout(Edge.LOW)), "NO_RANGE", "breakout"),
    (sold(stop=LegStop()), "BAD_STOP", "stop.move"),
    (sold(stop=LegStop(move=Measure(-5))), "BAD_STOP", "stop.move"),
    (sold(stop=LegStop(kind=StopKind.DAY_HIGH, move=POINTS)), "BAD_STOP", "stop.move"),
    (bought(stop=LegStop(move=Measure(10_000, Unit.PERCENT))), "STOP_NEVER", "stop.move"),
    (sold(stop=LegStop(kind=StopKind.RANGE)), "NO_RANGE", "stop.kind"),
    (sold(target=Measure(0)), "BAD_TARGET", "target"),
    (sold(target=Measure(10_001, Unit.PERCENT)), "TARGET_NEVER", "target"),
    (bought(target=Measure(100_001, Unit.PERCENT)), "TARGET_NEVER", "target"),
    (sold(trail=Trail(move=POINTS, every=POINTS)), "NO_STOP", "trail"),
    (sold(stop=STOP, trail=Trail(move=POINTS)), "BAD_TRAIL", "trail.every"),
    (sold(trail=Trail(kind=TrailKind.PEAK, move=Measure(0))), "BAD_TRAIL", "trail.move"),
    (sold(locks=(LockStep(Measure(0), Measure(-5)),)), "BAD_LOCK", "locks[0].profit"),
    (sold(locks=(LockStep(Measure(10), Measure(10)),)), "BAD_LOCK", "locks[0].keep"),
    (sold(locks=(LockStep(Measure(10), Measure(1)), LockStep(Measure(10), Measure(5)))), "BAD_LOCK", "locks[1].profit"),
    (sold(exit_at=time(9, 20)), "EXIT_TIME", "exit_at"),
    (sold(exit_at=time(15, 16)), "EXIT_TIME", "exit_at"),
    (sold(on_stop=Reentry(mode=ReentryMode.COST)), "NO_STOP", "on_stop"),
    (sold(on_target=Reentry(mode=ReentryMode.COST)), "NO_TARGET", "on_target"),
    (sold(stop=STOP, on_stop=Reentry(mode=ReentryMode.COST, times=0)), "BAD_VALUE", "on_stop.times"),
    (sold(stop=STOP, on_stop=Reentry(mode=ReentryMode.COST, times=21)), "BAD_VALUE", "on_stop.times"),
    (sold(stop=STOP, on_stop=Reentry(mode=ReentryMode.COST, delay=-1)), "BAD_VALUE", "on_stop.delay"),
    (sold(stop=STOP, on_stop=Reentry(mode=ReentryMode.LAZY)), "NO_LAZY_LEG", "on_stop.arms"),
    (sold(stop=STOP, on_stop=Reentry(mode=ReentryMode.MOMENTUM)), "NO_WAIT", "on_stop.wait"),
    (
        sold(stop=STOP, on_stop=Reentry(mode=ReentryMode.COST, not_before=time(10), not_after=time(10))),
        "NO_REENTRY_WINDOW",
        "on_stop.not_after",
    ),
]


@pytest.mark.parametrize(("leg", "code", "path"), LEGS)
def test_a_leg_that_contradicts_itself_is_told(leg: object, code: str, path: str) -> None:
    assert faults(strategy(leg)) == [(code, f"legs[0].{path}")]


@pytest.mark.parametrize(
    "leg",
    [
        sold(stop=LegStop(move=Measure(15_000, Unit.PERCENT))),
        sold(target=Measure(10_000, Unit.PERCENT)),
        bought(target=Measure(100_000, Unit.PERCENT)),
        bought(stop=LegStop(move=Measure(9_900, Unit.PERCENT))),
        sold(trail=Trail(kind=TrailKind.PEAK, move=POINTS), on_stop=Reentry(mode=ReentryMode.COST)),
        sold(strike=PremiumStrike(90_00, Pick.WITHIN, upper=110_00, fallback=Pick.CLOSEST)),
    ],
)
def test_a_leg_that_is_sound_has_no_fault(leg: object) -> None:
    assert faults(strategy(leg)) == []
