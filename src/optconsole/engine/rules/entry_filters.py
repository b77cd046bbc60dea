"""Filters that are looked at once, at entry time (features EN-9), and windows (EN-1, EN-10). Pure.

Every filter that fails is told with what was seen. An unknown value passes no filter.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from optconsole.engine.model.strategies import Schedule
from optconsole.engine.model.triggers import Filters
from optconsole.engine.rules.distances import WHOLE_BP
from optconsole.engine.rules.pretrade import price_in


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """What filters look at. VIX in hundredths, prices and margin paise, ``spread`` basis points of the widest leg."""

    day: date
    vix: int | None = None
    prev_close: int | None = None
    open: int | None = None
    price: int | None = None
    flat: bool | None = None
    free_margin: int | None = None
    spread: int | None = None


class Failed(msgspec.Struct, frozen=True):
    """A filter that does not let the run in: a stable code, a sentence, and the value seen, None if unknown."""

    code: str
    why: str
    value: int | None = None


class Timing(StrEnum):
    """How an instant lies to an entry time: too early, on its second, later but within grace, or missed."""

    EARLY = "early"
    ON_TIME = "on-time"
    LATE = "late"
    MISSED = "missed"


def failing(filters: Filters, market: Market) -> tuple[Failed, ...]:
    """Every filter that fails, with its value; none when the run may enter."""
    gap = _change(market.prev_close, market.open)
    move = _change(market.open, market.price)
    found = [
        *_outside("FILTER_VIX", "India VIX", market.vix, filters.vix_min, filters.vix_max),
        *_outside("FILTER_GAP", "The gap in percent", gap, filters.gap_min, filters.gap_max),
        *_outside("FILTER_MOVE", "The move since the open in percent", move, filters.move_min, filters.move_max),
        *_outside("FILTER_SPREAD", "The widest spread in percent", market.spread, None, filters.max_spread),
        *_outside("FILTER_MARGIN", "The free margin", market.free_margin, filters.min_free_margin, None),
    ]
    if market.day in filters.blackout:
        found.append(Failed("FILTER_BLACKOUT", f"{market.day:%d %b %Y} is blacked out."))
    if filters.only_if_flat and not market.flat:
        words = "is not known to be flat" if market.flat is None else "holds positions"
        found.append(Failed("FILTER_FLAT", f"The account {words}, and the run enters only if flat."))
    return tuple(found)


def timing(schedule: Schedule, planned: datetime, now: datetime) -> Timing:
    """EN-1, EN-10: windows are half open, and ``no_entry_after`` ends this one early."""
    if now < planned:
        return Timing.EARLY
    if now >= planned + timedelta(seconds=schedule.grace) or not may_enter(schedule, now):
        return Timing.MISSED
    return Timing.ON_TIME if now < planned + timedelta(seconds=1) else Timing.LATE


def may_enter(schedule: Schedule, now: datetime) -> bool:
    """EN-10: whether a trigger that comes true now may still enter."""
    return schedule.no_entry_after is None or now.time() < schedule.no_entry_after


def _change(start: int | None, end: int | None) -> int | None:
    """The change in basis points, rounded to the nearest; None unless both are known."""
    if start is None or end is None or start <= 0:
        return None
    return (2 * (end - start) * WHOLE_BP + start) // (2 * start)


def _outside(code: str, what: str, value: int | None, low: int | None, high: int | None) -> Iterator[Failed]:
    if low is None and high is None:
        return
    if value is None:
        yield Failed(code, f"{what} is unknown, and this run enters only within bounds of it.")
    elif low is not None and value < low:
        yield Failed(code, f"{what} is {price_in(value)}, below {price_in(low)}.", value)
    elif high is not None and value > high:
        yield Failed(code, f"{what} is {price_in(value)}, above {price_in(high)}.", value)
