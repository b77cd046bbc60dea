"""The calendar as schedules see it."""

from __future__ import annotations

from datetime import date

from optconsole.engine.market.calendar import Calendar
from optconsole.engine.rules.market_days import DayHours, MarketDays

INDEX = "NIFTY"
"""Whose contracts say when those that expire on a day stop trading."""


def market_days(calendar: Calendar) -> MarketDays:
    """Trading days with the hours of each."""

    def hours(day: date) -> DayHours | None:
        session = calendar.session(day)
        if session is None:
            return None
        ends = calendar.last_trade(INDEX, day)
        short = session.special if not calendar.is_full_day(day) else ""
        return DayHours(
            opens=session.opens,
            closes=session.closes,
            expiring=ends if ends < session.closes else None,
            special=short,
        )

    return MarketDays(hours)
