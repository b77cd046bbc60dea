"""Trading days, sessions, phases, and the time left to an expiry."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.timeline import IST
from optconsole.engine.model.vitals import MarketPhase

CALENDAR = Calendar.load()
DAYS = st.dates(date(2021, 1, 1), date(2027, 12, 31))


def at(day: str, clock: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), IST)


@pytest.mark.parametrize("day", ["2026-11-24", "2026-12-25", "2026-01-15", "2026-11-22", "2024-11-20", "2027-01-26"])
def test_the_market_is_closed_on(day: str) -> None:
    assert not CALENDAR.is_trading_day(date.fromisoformat(day))
    assert CALENDAR.session(date.fromisoformat(day)) is None


@pytest.mark.parametrize("day", ["2026-11-23", "2026-02-01", "2025-10-21", "2026-11-08", "2024-01-20", "2025-02-01"])
def test_the_market_is_open_on(day: str) -> None:
    assert CALENDAR.is_trading_day(date.fromisoformat(day))
    assert CALENDAR.is_trading_day(date.fromisoformat(day), "BSE")


def test_a_year_without_a_published_list_is_uncertain() -> None:
    assert CALENDAR.certain(date(2026, 12, 31))
    assert not CALENDAR.certain(date(2027, 1, 1))
    uncertain = CALENDAR.session(date(2027, 3, 3))
    assert uncertain is not None
    assert uncertain.provisional


@given(DAYS)
def test_next_and_previous_are_strict_and_lead_back(day: date) -> None:
    after, before = CALENDAR.next_trading_day(day), CALENDAR.previous_trading_day(day)
    assert before < day < after
    assert CALENDAR.is_trading_day(after)
    assert CALENDAR.is_trading_day(before)
    assert CALENDAR.previous_trading_day(after) == (day if CALENDAR.is_trading_day(day) else before)


@given(DAYS, st.integers(0, 60), st.integers(0, 60))
def test_trading_days_between_add_up(start: date, first: int, second: int) -> None:
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    total = CALENDAR.trading_days_between(start, end)
    assert total == CALENDAR.trading_days_between(start, middle) + CALENDAR.trading_days_between(middle, end)


def test_days_to_expiry_leave_the_holiday_out() -> None:
    monday = date(2026, 11, 23)
    assert CALENDAR.trading_days_between(monday, monday) == 0
    assert CALENDAR.trading_days_between(monday, date(2026, 12, 1)) == 5


@pytest.mark.parametrize(
    ("day", "closes"),
    [
        ("2026-07-31", "15:30"),
        ("2026-08-03", "15:40"),
        ("2026-12-04", "15:40"),
        ("2026-12-07", "15:45"),
        ("2026-02-01", "15:30"),
    ],
)
def test_the_close_depends_on_the_day(day: str, closes: str) -> None:
    session = CALENDAR.session(date.fromisoformat(day))
    assert session is not None
    assert session.opens == at(day, "09:15")
    assert session.closes == at(day, closes)


def test_a_special_session_says_its_name_and_whether_its_hours_are_sure() -> None:
    last, coming = CALENDAR.session(date(2025, 10, 21)), CALENDAR.session(date(2026, 11, 8))
    assert last is not None
    assert coming is not None
    assert (last.special, last.provisional, last.closes) == ("Muhurat", False, at("2025-10-21", "14:45"))
    assert (coming.special, coming.provisional) == ("Muhurat", True)
    assert coming.closes - coming.opens == timedelta(hours=1)


@pytest.mark.parametrize(
    ("day", "clock", "phase", "until"),
    [
        ("2026-11-23", "08:59:59", MarketPhase.CLOSED, ("2026-11-23", "09:00")),
        ("2026-11-23", "09:00:00", MarketPhase.PRE_OPEN, ("2026-11-23", "09:15")),
        ("2026-11-23", "09:15:00", MarketPhase.OPEN, ("2026-11-23", "15:40")),
        ("2026-11-23", "15:39:59", MarketPhase.OPEN, ("2026-11-23", "15:40")),
        ("2026-11-23", "15:40:00", MarketPhase.CLOSED, ("2026-11-25", "09:00")),
        ("2026-11-24", "11:00:00", MarketPhase.HOLIDAY, ("2026-11-25", "09:00")),
        ("2026-11-22", "11:00:00", MarketPhase.CLOSED, ("2026-11-23", "09:00")),
        ("2025-08-29", "09:05:00", MarketPhase.CLOSED, ("2025-08-29", "09:15")),
        ("2025-10-21", "14:00:00", MarketPhase.OPEN, ("2025-10-21", "14:45")),
        ("2025-10-21", "10:00:00", MarketPhase.CLOSED, ("2025-10-21", "13:45")),
    ],
)
def test_phase_and_its_end(day: str, clock: str, phase: MarketPhase, until: tuple[str, str]) -> None:
    assert CALENDAR.phase(at(day, clock)) == (phase, at(*until))


@given(st.dates(date(2021, 1, 1), date(2027, 12, 20)), st.times())
def test_a_phase_ends_later_and_in_another_phase(day: date, clock: time) -> None:
    now = datetime.combine(day, clock, IST)
    phase, ends = CALENDAR.phase(now)
    assert ends is not None
    assert ends > now
    after = CALENDAR.phase(ends)[0]
    assert after is not phase
    assert (after is MarketPhase.CLOSED) is (phase is MarketPhase.OPEN)


def test_phase_reads_a_moment_in_any_zone() -> None:
    moment = at("2026-11-23", "09:15")
    assert CALENDAR.phase(moment.astimezone(UTC)) == CALENDAR.phase(moment)


@pytest.mark.parametrize(
    ("underlying", "day", "clock"),
    [
        ("NIFTY", "2026-07-28", "15:30"),
        ("NIFTY", "2026-11-23", "15:40"),
        ("SENSEX", "2026-12-31", "15:30"),
        ("NIFTY", "2026-12-08", "15:30"),
        ("RELIANCE", "2026-12-29", "15:45"),
    ],
)
def test_expiring_index_contracts_stop_before_the_close_from_december_2026(
    underlying: str, day: str, clock: str
) -> None:
    assert CALENDAR.last_trade(underlying, date.fromisoformat(day)) == at(day, clock)


def test_years_are_calendar_minutes_of_365_days() -> None:
    ends = at("2026-12-01", "15:40")
    assert CALENDAR.years_to(ends, ends - timedelta(minutes=5)) == pytest.approx(5 / 1440 / 365, rel=1e-12)
    assert CALENDAR.years_to(ends, ends - timedelta(days=365)) == 1.0
    assert CALENDAR.years_to(ends, ends + timedelta(seconds=1)) == 0.0


def test_it_agrees_with_every_day_the_exchange_published_a_bhavcopy_for(shared_data: Path) -> None:
    path = shared_data / "calendar/nse_trading_days_2019-08_2025-12.csv"
    published = {date.fromisoformat(row["date"]) for row in csv.DictReader(path.read_text().splitlines())}
    # The file misses a day that traded, and the Muhurat days of 2021.
    published |= {date(2022, 8, 8), date(2021, 11, 4)}
    day, wrong = date(2021, 1, 1), []
    while day <= date(2025, 12, 31):
        if CALENDAR.is_trading_day(day) != (day in published):
            wrong.append(day)
        day += timedelta(days=1)
    assert wrong == []


def test_it_agrees_with_the_exchange_s_own_holiday_list_of_2026(shared_data: Path) -> None:
    packed = (shared_data / "params/nse_holiday_master_trading_2026-07-15.json.gz").read_bytes()
    listed = {
        datetime.strptime(row["tradingDate"], "%d-%b-%Y").replace(tzinfo=IST).date()
        for row in json.loads(gzip.decompress(packed))["FO"]
    }
    weekdays = {day for day in listed if day.weekday() < 5}
    closed = {
        day
        for offset in range(365)
        if (day := date(2026, 1, 1) + timedelta(days=offset)).weekday() < 5 and not CALENDAR.is_trading_day(day)
    }
    assert closed == weekdays
