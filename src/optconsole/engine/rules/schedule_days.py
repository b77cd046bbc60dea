"""Which days a schedule runs on (SC-1): weekdays, dates, months, month ends, days to expiry, expiry days.

All filters must agree. Each one that does not is told in its own words, the plainest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.strategies import Holding, Schedule
from optconsole.engine.rules.expiries import ChosenExpiry
from optconsole.engine.rules.market_days import DayHours, MarketDays, day_text, weekday


def refuse_day(schedule: Schedule, day: date, days: MarketDays) -> DayHours:
    """The session of a day that the calendar's filters let pass.

    Raises Refusal: CLOSED, SPECIAL_SESSION (unless ``dates`` names the day), EXCEPT_DATE, DATE, WEEKDAY, MONTH,
    MONTH_DAY.
    """
    hours = days.hours(day)
    if hours is None:
        raise Refusal("CLOSED", f"The market is closed on {day_text(day)}.")
    if hours.special and day not in schedule.dates:
        raise Refusal(
            "SPECIAL_SESSION",
            f"{day_text(day)} is a special session ({hours.special}); name the date to trade on it.",
        )
    refuse_date(schedule, day)
    _refuse_month_end(schedule, day, days)
    return hours


def refuse_date(schedule: Schedule, day: date) -> None:
    """The filters that need no calendar. Raises Refusal: EXCEPT_DATE, DATE, WEEKDAY, MONTH."""
    if day in schedule.except_dates:
        raise Refusal("EXCEPT_DATE", f"{day_text(day)} is one of the dates left out.")
    if schedule.dates and day not in schedule.dates:
        raise Refusal("DATE", f"{day_text(day)} is not one of the dates to run on.")
    if schedule.weekdays and day.weekday() not in schedule.weekdays:
        wanted = ", ".join(weekday(number) for number in sorted(schedule.weekdays))
        raise Refusal("WEEKDAY", f"{day_text(day)} is not one of the weekdays to run on ({wanted}).")
    if schedule.months and day.month not in schedule.months:
        wanted = ", ".join(str(month) for month in sorted(schedule.months))
        raise Refusal("MONTH", f"{day_text(day)} is not in one of the months to run in ({wanted}).")


def refuse_expiry(schedule: Schedule, day: date, first: ChosenExpiry, listed: Sequence[date]) -> None:
    """The filters by expiry. ``first`` is the first leg's. Raises Refusal: EXPIRY_DAY, NOT_EXPIRY_DAY, DTE."""
    if schedule.non_expiry_only and day in listed:
        raise Refusal("EXPIRY_DAY", f"{day_text(day)} is an expiry day.")
    if schedule.expiry_only and day not in listed:
        raise Refusal("NOT_EXPIRY_DAY", f"{day_text(day)} is not an expiry day.")
    if schedule.dte and first.dte not in schedule.dte:
        wanted = ", ".join(str(dte) for dte in sorted(schedule.dte))
        raise Refusal("DTE", f"{_left(first)}, and the strategy runs with {wanted}.")
    if schedule.holding is not Holding.POSITIONAL:
        return
    if schedule.entry_dte is None:
        raise Refusal("NO_DTE_WINDOW", "A positional strategy needs entry_dte and exit_dte, trading days to expiry.")
    if first.dte != schedule.entry_dte:
        raise Refusal("DTE", f"{_left(first)}, and the strategy enters with {schedule.entry_dte}.")


def _refuse_month_end(schedule: Schedule, day: date, days: MarketDays) -> None:
    ends = []
    if schedule.first_day_of_month:
        ends.append(("first", days.first_of_month))
    if schedule.last_day_of_month:
        ends.append(("last", days.last_of_month))
    if ends and not any(is_end(day) for _, is_end in ends):
        wanted = " or ".join(name for name, _ in ends)
        raise Refusal("MONTH_DAY", f"{day_text(day)} is not the {wanted} trading day of its month.")


def _left(first: ChosenExpiry) -> str:
    days = "day is" if first.dte == 1 else "days are"
    return f"{first.dte} trading {days} left to {day_text(first.expiry)}"
