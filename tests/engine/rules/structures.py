"""Strategies as traders write them, for tests of the rules that check and plan them."""

from __future__ import annotations

import re
from datetime import date, time
from typing import TypeVar

import msgspec

from optconsole.engine.market.contracts import expiries
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import (
    Breakout,
    Edge,
    EntryWait,
    LegStop,
    Measure,
    Reentry,
    ReentryMode,
    StopKind,
    Unit,
)
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Holding, Leg, Schedule, Strategy
from optconsole.engine.model.strikes import ExpiryRule, PremiumStrike, RelativeStrike, Series, StepStrike
from optconsole.engine.model.triggers import Entry, Range
from optconsole.engine.rules.faults import MarketFacts
from optconsole.engine.rules.lint import lint_strategy

Words = TypeVar("Words", bound=msgspec.Struct)
DAY = Schedule(entry_at=time(9, 20), exit_at=time(15, 15))
STOP = LegStop(move=Measure(2_500, Unit.PERCENT))
MONTHLY = ExpiryRule(series=Series.MONTHLY)


def sold(id: str = "ce", right: Right | None = Right.CALL, **more: object) -> Leg:
    return msgspec.structs.replace(Leg(id=id, side=Side.SELL, right=right), **more)


def bought(id: str = "hedge", right: Right | None = Right.CALL, **more: object) -> Leg:
    return msgspec.structs.replace(Leg(id=id, side=Side.BUY, right=right), **more)


def strategy(*legs: Leg, **more: object) -> Strategy:
    base = Strategy(name="TEST", underlying="NIFTY", legs=legs or (sold(),), schedule=DAY)
    return msgspec.structs.replace(base, **more)


def changed(what: Words, **fields: object) -> Words:
    return msgspec.structs.replace(what, **fields)


NIFTY_STBT = strategy(
    *(
        sold(
            right.lower(),
            Right(right),
            strike=PremiumStrike(100_00),
            stop=LegStop(move=Measure(20_00)),
            wait=EntryWait(move=Measure(600, Unit.PERCENT)),
            on_stop=Reentry(mode=ReentryMode.COST, times=2),
        )
        for right in ("CE", "PE")
    ),
    name="NIFTY_STBT",
    schedule=Schedule(
        entry_at=time(9, 19),
        exit_at=time(9, 18),
        holding=Holding.OVERNIGHT,
        non_expiry_only=True,
        weekdays=(0, 1, 2, 3, 4),
    ),
)
"""The owner's reference strategy."""

CONDOR = strategy(
    sold("ce", Right.CALL, strike=StepStrike(4), stop=STOP),
    sold("pe", Right.PUT, strike=StepStrike(4), stop=STOP),
    bought("ce-hedge", Right.CALL, strike=RelativeStrike("ce", 4), hedges=("ce",)),
    bought("pe-hedge", Right.PUT, strike=RelativeStrike("pe", 4), hedges=("pe",)),
    name="CONDOR",
)

BREAKOUT = strategy(
    sold("ce", Right.CALL, breakout=Breakout(Edge.LOW), stop=LegStop(kind=StopKind.RANGE)),
    sold("pe", Right.PUT, breakout=Breakout(Edge.HIGH), stop=LegStop(kind=StopKind.RANGE)),
    name="BREAKOUT",
    entry=Entry(range=Range(start=time(9, 16), end=time(9, 30))),
)

LAZY = strategy(
    sold("ce", Right.CALL, stop=STOP, on_stop=Reentry(mode=ReentryMode.LAZY, arms=("late",))),
    sold("late", Right.CALL, lazy=True, strike=RelativeStrike("ce", 2), stop=STOP),
    name="LAZY",
)

CALENDAR = strategy(
    sold("near", Right.CALL),
    bought("far", Right.CALL, expiry=ExpiryRule(offset=1), strike=RelativeStrike("near", 0), hedges=("near",)),
    bought("future", None, expiry=MONTHLY),
    name="CALENDAR",
    schedule=Schedule(entry_at=time(9, 20), exit_at=time(15), holding=Holding.POSITIONAL, entry_dte=4, exit_dte=0),
)

SOUND = (NIFTY_STBT, CONDOR, BREAKOUT, LAZY, CALENDAR)


def faults(of: Strategy, facts: MarketFacts | None = None) -> list[tuple[str, str]]:
    """Code and field of each fault; every one is told in a sentence and names a field that is there."""
    found = lint_strategy(of, facts) if facts is not None else lint_strategy(of)
    for fault in found:
        assert fault.text.endswith(".")
        field_of(of, fault.path)
    return [(fault.code, fault.path) for fault in found]


def field_of(what: object, path: str) -> object:
    """The value of a field such as ``legs[0].stop.move``."""
    for step in re.findall(r"\w+", path):
        what = what[int(step)] if isinstance(what, tuple) else getattr(what, step)
    return what


TODAY = date(2026, 11, 18)
LISTED = {name: [expiry for expiry, _ in expiries(name, TODAY)] for name in ("NIFTY", "BANKNIFTY")}
FACTS = MarketFacts(
    today=TODAY,
    listed=LISTED,
    strikes={("NIFTY", day): range(22_000_00, 27_000_00, 50_00) for day in LISTED["NIFTY"]},
    lots={"NIFTY": 65, "BANKNIFTY": 30},
    freeze={"NIFTY": 1_800, "BANKNIFTY": 600},
    accounts=frozenset({"own", "father"}),
    opens=time(9, 15),
    closes=time(15, 40),
)
