"""The range whose break enters a leg (features EN-4). Pure.

A range is half open: with an end of 09:30 a price of 09:29:59 belongs to it and one of 09:30:00 may break it. Prices
are placed by their own time, not by when they are looked at.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from optconsole.engine.model.leg_rules import Breakout, Edge
from optconsole.engine.model.trigger_state import RangeSeen
from optconsole.engine.model.triggers import Range
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.pretrade import price_in
from optconsole.engine.rules.triggers import Answer, Fired

RANGE = "range"


class Phase(StrEnum):
    """Where an instant lies."""

    BEFORE = "before"
    INSIDE = "inside"
    AFTER = "after"


def phase(rule: Range, at: datetime, dte: int | None = None) -> Phase:
    """Where the instant lies; ``dte`` (trading days to expiry on its day) places it for a range over several days.

    A day whose DTE is unknown lies before such a range, so that nothing breaks out.
    """
    if _days_left(rule.start_dte, dte) > 0 or (_days_left(rule.start_dte, dte) == 0 and at.time() < rule.start):
        return Phase.BEFORE
    if _days_left(rule.end_dte, dte) < 0 or (_days_left(rule.end_dte, dte) == 0 and at.time() >= rule.end):
        return Phase.AFTER
    return Phase.INSIDE


def track(
    rule: Range, seen: RangeSeen | None, price: int | None, at: datetime, dte: int | None = None
) -> RangeSeen | None:
    """The running high and low after a price of that instant; unchanged for one outside the range or unknown."""
    if price is None or phase(rule, at, dte) is not Phase.INSIDE:
        return seen
    if seen is None:
        return RangeSeen(high=price, low=price, first=at, last=at)
    return RangeSeen(
        high=max(seen.high, price), low=min(seen.low, price), first=min(seen.first, at), last=max(seen.last, at)
    )


def began_late(rule: Range, seen: RangeSeen, patience: timedelta) -> bool:
    """Whether the first price came so long after the start that highs or lows may be missing: a late start marks a
    wrong range, and its caller says so."""
    begin = seen.first.replace(hour=rule.start.hour, minute=rule.start.minute, second=rule.start.second, microsecond=0)
    return seen.first - begin > patience


def broken(
    rule: Range, breakout: Breakout, seen: RangeSeen | None, price: int | None, at: datetime, dte: int | None = None
) -> Answer:
    """Whether this price, after the range, lies beyond the leg's edge; at the edge it does not yet."""
    if phase(rule, at, dte) is not Phase.AFTER:
        return None
    if seen is None:
        return Blind(why="No price was seen inside the range, so it has no edge to break.")
    if price is None:
        return Blind(why="The price is unknown, so the break of its range is not watched.")
    level, high = (seen.high, True) if breakout.edge is Edge.HIGH else (seen.low, False)
    if price <= level if high else price >= level:
        return None
    why = f"The price {price_in(price)} broke the range's {breakout.edge} {price_in(level)}."
    return Fired(RANGE, price, level, why)


def _days_left(day: int | None, dte: int | None) -> int:
    """Trading days until the day of an edge of the range: 0 on it, negative after it."""
    if day is None:
        return 0
    return 1 if dte is None else dte - day
