"""The real calendar and listing of NIFTY in 2026, as the rules about days and schedules see them."""

from __future__ import annotations

from datetime import date
from functools import cache

from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import expiries
from optconsole.engine.rules.market_days import DayHours, MarketDays

_CALENDAR = Calendar.load()


@cache
def hours(day: date) -> DayHours | None:
    session = _CALENDAR.session(day)
    if session is None:
        return None
    return DayHours(
        opens=session.opens,
        closes=session.closes,
        expiring=_CALENDAR.last_trade("NIFTY", day),
        special="" if _CALENDAR.is_full_day(day) else session.special,
    )


@cache
def listed(day: date, underlying: str = "NIFTY") -> tuple[date, ...]:
    return tuple(expiry for expiry, _ in expiries(underlying, day))


DAYS = MarketDays(hours)
