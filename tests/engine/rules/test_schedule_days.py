"""Which days a schedule runs on, and what it says of those it does not (SC-1)."""

from __future__ import annotations

from datetime import date, datetime, time

import msgspec
import pytest

from optconsole.engine.model.strategies import Schedule
from optconsole.engine.model.strikes import ExpiryRule, Series
from optconsole.engine.model.timeline import IST
from optconsole.engine.rules.schedules import NotToday, Planned, plan
from tests.engine.rules.november import DAYS, listed

INTRADAY = Schedule(entry_at=time(9, 20), exit_at=time(15, 15))
MONDAY, THURSDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 19), date(2026, 11, 20)
HOLIDAY, EXPIRY = date(2026, 11, 24), date(2026, 11, 23)


def on(schedule: Schedule, day: date, *rules: ExpiryRule) -> Planned | NotToday:
    return plan(schedule, day, DAYS, listed(day), rules or (ExpiryRule(),), "NIFTY")


def planned(schedule: Schedule, day: date, *rules: ExpiryRule) -> Planned:
    answer = on(schedule, day, *rules)
    assert isinstance(answer, Planned), answer
    return answer


def why(schedule: Schedule, day: date, *rules: ExpiryRule) -> str:
    answer = on(schedule, day, *rules)
    assert isinstance(answer, NotToday), answer
    return answer.code


def changed(schedule: Schedule, **fields: object) -> Schedule:
    return msgspec.structs.replace(schedule, **fields)


def at(day: date, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=IST)


@pytest.mark.parametrize(
    ("fields", "day", "code"),
    [
        ({}, HOLIDAY, "CLOSED"),
        ({}, date(2026, 11, 21), "CLOSED"),
        ({"weekdays": (0, 4)}, THURSDAY, "WEEKDAY"),
        ({"weekdays": (0, 3)}, THURSDAY, None),
        ({"dates": (FRIDAY,)}, THURSDAY, "DATE"),
        ({"dates": (THURSDAY,)}, THURSDAY, None),
        ({"except_dates": (THURSDAY,)}, THURSDAY, "EXCEPT_DATE"),
        ({"months": (1, 12)}, THURSDAY, "MONTH"),
        ({"months": (11,)}, THURSDAY, None),
        ({"dte": (0, 1)}, THURSDAY, "DTE"),
        ({"dte": (2,)}, THURSDAY, None),
        ({"dte": (0,)}, EXPIRY, None),
        ({"non_expiry_only": True}, EXPIRY, "EXPIRY_DAY"),
        ({"expiry_only": True}, EXPIRY, None),
        ({"expiry_only": True}, THURSDAY, "NOT_EXPIRY_DAY"),
        ({"first_day_of_month": True}, date(2026, 11, 2), None),
        ({"first_day_of_month": True}, date(2026, 11, 3), "MONTH_DAY"),
        ({"last_day_of_month": True}, date(2026, 11, 30), None),
        ({"last_day_of_month": True}, date(2026, 11, 27), "MONTH_DAY"),
        ({"first_day_of_month": True, "last_day_of_month": True}, date(2026, 11, 30), None),
    ],
)
def test_a_day_is_one_of_the_strategys_or_says_why_not(fields: dict[str, object], day: date, code: str | None) -> None:
    answer = on(changed(INTRADAY, **fields), day)
    assert (answer.code if isinstance(answer, NotToday) else None) == code


def test_days_to_expiry_are_told_when_they_do_not_fit() -> None:
    answer = on(changed(INTRADAY, dte=(0, 1)), THURSDAY)
    assert answer == NotToday("DTE", "2 trading days are left to Monday 23NOV26, and the strategy runs with 0, 1.")


def test_days_to_expiry_are_those_of_the_first_legs_expiry() -> None:
    rule = ExpiryRule(series=Series.MONTHLY, offset=1)
    assert why(changed(INTRADAY, dte=(2,)), THURSDAY, rule, ExpiryRule()) == "DTE"
    assert planned(changed(INTRADAY, dte=(26,)), THURSDAY, rule, ExpiryRule()).expiry == date(2026, 12, 29)


def test_weekly_legs_of_an_underlying_without_weeks_say_so() -> None:
    answer = plan(INTRADAY, THURSDAY, DAYS, listed(THURSDAY, "BANKNIFTY"), (ExpiryRule(),), "BANKNIFTY")
    assert isinstance(answer, NotToday)
    assert answer.code == "NO_WEEKLY"
