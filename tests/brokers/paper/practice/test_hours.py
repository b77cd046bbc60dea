from __future__ import annotations

from datetime import date, datetime

import pytest

from optconsole.brokers.paper.practice.hours import first_moment, last_hours, next_hours, trading_days_between
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import IST


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=IST)


@pytest.mark.parametrize(
    ("now", "starts"),
    [
        (at(23, 11, 30), at(23, 11, 30)),  # market open: now
        (at(23, 9, 15), at(23, 9, 15)),
        (at(23, 3), at(23, 9, 20)),  # before the open: today
        (at(23, 15, 40), at(25, 9, 20)),  # at the close: after the holiday of the 24th
        (at(24, 12), at(25, 9, 20)),  # on the holiday
        (at(27, 20), at(30, 9, 20)),  # Friday evening: Monday
        (at(28, 10), at(30, 9, 20)),  # Saturday
    ],
)
def test_a_fresh_market_begins_now_or_soon_after_the_next_open(
    calendar: Calendar, now: datetime, starts: datetime
) -> None:
    assert first_moment(now, calendar) == starts


def test_the_next_session_skips_weekend_and_holiday(calendar: Calendar) -> None:
    assert next_hours(calendar, date(2026, 11, 20))[0] == date(2026, 11, 23)
    assert next_hours(calendar, date(2026, 11, 23))[0] == date(2026, 11, 25)
    assert last_hours(calendar, date(2026, 11, 25))[0] == date(2026, 11, 23)


class Never:
    """A calendar whose exchange is closed for good."""

    def is_trading_day(self, day: date) -> bool:
        return False

    def session(self, day: date) -> None:
        return None


def test_a_calendar_without_sessions_is_refused_instead_of_searched_for_ever() -> None:
    with pytest.raises(Refusal, match="NO_SESSION"):
        next_hours(Never(), date(2026, 11, 20))


def test_nights_to_an_expiry_count_sessions(calendar: Calendar) -> None:
    assert trading_days_between(calendar, date(2026, 11, 23), date(2026, 11, 23)) == 0.0
    assert trading_days_between(calendar, date(2026, 11, 20), date(2026, 11, 25)) == 2.0  # 23rd and 25th


def test_far_expiries_are_counted_by_the_usual_number_of_sessions_a_year(calendar: Calendar) -> None:
    assert trading_days_between(calendar, date(2026, 1, 1), date(2027, 1, 1)) == pytest.approx(252.0, abs=6.0)
