"""Trading days as schedules count them: days with a session of ordinary length.

An hour's session such as Muhurat is no day to enter or to be out on, and no day to expiry: an overnight run passes
over it, and days to expiry do not count it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from optconsole.engine.model.instruments import expiry_code

_ONE: Final = timedelta(days=1)
_LONGEST_BREAK: Final = 30
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class DayHours(msgspec.Struct, frozen=True, kw_only=True):
    """One day's continuous session, aware IST. ``expiring`` is when contracts that expire that day stop, if earlier.

    ``special`` names a session that is no ordinary day; empty for one of full length.
    """

    opens: datetime
    closes: datetime
    expiring: datetime | None = None
    special: str = ""


class MarketDays(msgspec.Struct, frozen=True):
    """The calendar as rules see it: ``hours`` of a day, None when the market is closed."""

    hours: Callable[[date], DayHours | None]

    def ordinary(self, day: date) -> bool:
        """Whether there is a session of ordinary length."""
        hours = self.hours(day)
        return hours is not None and not hours.special

    def following(self, day: date) -> date:
        """The first ordinary day after a day."""
        return self._step(day, _ONE)

    def preceding(self, day: date) -> date:
        """The last ordinary day before a day."""
        return self._step(day, -_ONE)

    def between(self, day: date, expiry: date) -> int:
        """Ordinary days after ``day`` up to and including ``expiry``: days to expiry, 0 on the day itself."""
        return sum(self.ordinary(day + _ONE * ahead) for ahead in range(1, (expiry - day).days + 1))

    def before_expiry(self, expiry: date, dte: int) -> date:
        """The day that has ``dte`` days to that expiry."""
        day = expiry if self.ordinary(expiry) else self.preceding(expiry)
        for _ in range(dte):
            day = self.preceding(day)
        return day

    def first_of_month(self, day: date) -> bool:
        """Whether a day is its month's first ordinary one."""
        return self.ordinary(day) and self.preceding(day).month != day.month

    def last_of_month(self, day: date) -> bool:
        """Whether a day is its month's last ordinary one."""
        return self.ordinary(day) and self.following(day).month != day.month

    def _step(self, day: date, step: timedelta) -> date:
        for _ in range(_LONGEST_BREAK):
            day += step
            if self.ordinary(day):
                return day
        raise ValueError(f"no trading day within {_LONGEST_BREAK} days of {day}: the calendar is broken")


def weekday(number: int) -> str:
    """``Monday`` for 0."""
    return _WEEKDAYS[number]


def day_text(day: date) -> str:
    """``Friday 20NOV26``: locale-free, as decisions are told."""
    return f"{weekday(day.weekday())} {expiry_code(day)}"
