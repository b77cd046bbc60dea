"""What the practice market must know of the calendar, asked of whoever knows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument

SETTLING_IN: Final = timedelta(minutes=5)
"""A first practice session starts this long after the open, when every contract has a book."""
COUNTED: Final = timedelta(days=400)
"""Sessions are counted this far ahead; beyond, a year has 252."""
LONGEST_BREAK: Final = 15
"""Days between two sessions beyond which the calendar must be wrong."""


class Hours(Protocol):
    """A session's first and last moment, aware IST."""

    @property
    def opens(self) -> datetime: ...

    @property
    def closes(self) -> datetime: ...


class TradingDays(Protocol):
    """The exchange calendar."""

    def is_trading_day(self, day: date, /) -> bool: ...

    def session(self, day: date, /) -> Hours | None: ...


Listing = Callable[[str, date, int], Sequence[Instrument]]
"""Contracts of (underlying, day, spot in paise)."""


def next_hours(calendar: TradingDays, after: date) -> tuple[date, Hours]:
    """The first session on a date later than ``after``. Raises Refusal(NO_SESSION)."""
    return _search(calendar, after, +1)


def last_hours(calendar: TradingDays, before: date) -> tuple[date, Hours]:
    """The last session on a date earlier than ``before``. Raises Refusal(NO_SESSION)."""
    return _search(calendar, before, -1)


def _search(calendar: TradingDays, start: date, step: int) -> tuple[date, Hours]:
    for distance in range(1, LONGEST_BREAK + 1):
        day = start + timedelta(days=step * distance)
        hours = calendar.session(day)
        if hours is not None:
            return day, hours
    raise Refusal(
        "NO_SESSION",
        f"The calendar has no session within {LONGEST_BREAK} days of {start:%d %b %Y}; choose another date.",
    )


def first_moment(now: datetime, calendar: TradingDays) -> datetime:
    """Where a fresh practice market begins: now while the real market is open, else soon after its next open."""
    hours = calendar.session(now.date())
    if hours is not None and hours.opens <= now < hours.closes:
        return now
    if hours is None or now >= hours.closes:
        _, hours = next_hours(calendar, now.date())
    return hours.opens + SETTLING_IN


def trading_days_between(calendar: TradingDays, after: date, until: date) -> float:
    """Sessions later than ``after`` and not later than ``until``; a usual share of the days beyond `COUNTED`."""
    near = min(until, after + COUNTED)
    count = sum(calendar.is_trading_day(after + timedelta(days=n)) for n in range(1, (near - after).days + 1))
    return count + (until - near).days * 252.0 / 365.0
