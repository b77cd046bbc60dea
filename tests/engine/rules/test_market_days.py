"""Trading days as schedules count them: ordinary sessions only."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from tests.engine.rules.november import DAYS

november = st.dates(date(2026, 10, 1), date(2026, 12, 20))


def test_a_muhurat_sunday_is_no_day_to_count() -> None:
    assert DAYS.following(date(2026, 11, 6)) == date(2026, 11, 9)
    assert DAYS.between(date(2026, 11, 6), date(2026, 11, 9)) == 1


def test_a_budget_sunday_is() -> None:
    assert DAYS.following(date(2026, 1, 30)) == date(2026, 2, 1)


@given(november, november)
def test_days_to_expiry_fall_by_one_each_trading_day(day: date, expiry: date) -> None:
    after = DAYS.following(day)
    if after <= expiry:
        assert DAYS.between(day, expiry) == DAYS.between(after, expiry) + 1


@given(november.filter(DAYS.ordinary), st.integers(0, 20))
def test_the_day_so_many_before_an_expiry_has_that_many_left(expiry: date, dte: int) -> None:
    assert DAYS.between(DAYS.before_expiry(expiry, dte), expiry) == dte
