"""Which expiry a leg means: the n-th of its series among the listed dates, rolled by clock and by days left."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import expiries
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.strikes import ExpiryRule, Series
from optconsole.engine.model.timeline import IST
from optconsole.engine.rules.expiries import ChosenExpiry, has_weeklies, monthlies, pick_expiry

TODAY = date(2026, 11, 18)
DAYS_TO = Calendar.load().trading_days_between


def listed(underlying: str, day: date = TODAY) -> list[date]:
    return [expiry for expiry, _ in expiries(underlying, day)]


def pick(rule: ExpiryRule, underlying: str = "NIFTY", day: date = TODAY, at: time = time(9, 20)) -> ChosenExpiry:
    return pick_expiry(rule, listed(underlying, day), datetime.combine(day, at, IST), DAYS_TO, underlying)


@pytest.mark.parametrize(
    ("rule", "expiry", "dte"),
    [
        (ExpiryRule(), date(2026, 11, 23), 3),
        (ExpiryRule(offset=1), date(2026, 12, 1), 8),
        (ExpiryRule(series=Series.MONTHLY), date(2026, 11, 23), 3),
        (ExpiryRule(series=Series.MONTHLY, offset=1), date(2026, 12, 29), 27),
        (ExpiryRule(series=Series.QUARTERLY), date(2026, 12, 29), 27),
        (ExpiryRule(series=Series.FIXED, day=date(2026, 12, 8)), date(2026, 12, 8), 13),
    ],
)
def test_the_nth_listed_expiry_of_a_series_with_its_trading_days(rule: ExpiryRule, expiry: date, dte: int) -> None:
    """The November monthly of 2026 expires on Monday the 23rd, because Tuesday the 24th is a holiday."""
    chosen = pick(rule)
    assert (chosen.expiry, chosen.dte) == (expiry, dte)


def test_weekly_is_refused_where_only_months_are_listed_and_says_what_there_is() -> None:
    with pytest.raises(Refusal) as refused:
        pick(ExpiryRule(), "BANKNIFTY")
    assert refused.value.code == "NO_WEEKLY"
    assert refused.value.text == ("BANKNIFTY has no weekly expiries, only 23NOV26, 29DEC26, 25JAN27; choose monthly.")


@pytest.mark.parametrize("underlying", ["NIFTY", "SENSEX"])
def test_an_underlying_with_weeks_has_them_on_every_day_of_a_year(underlying: str) -> None:
    days = [date(2026, month, day) for month in range(1, 13) for day in (1, 15, 27)]
    assert all(has_weeklies(listed(underlying, day)) for day in days)
    assert not any(has_weeklies(listed("BANKNIFTY", day)) for day in days)


def test_on_its_own_day_an_expiry_is_current_until_the_roll_time() -> None:
    day, rule = date(2026, 11, 23), ExpiryRule(roll_at=time(12))
    assert pick(rule, day=day, at=time(11, 59, 59)).expiry == day
    rolled = pick(rule, day=day, at=time(12))
    assert (rolled.expiry, rolled.rolled) == (date(2026, 12, 1), (day,))


def test_the_roll_time_means_nothing_before_the_expiry_day() -> None:
    assert pick(ExpiryRule(roll_at=time(9, 15))).expiry == date(2026, 11, 23)


@pytest.mark.parametrize(("least", "expiry"), [(3, date(2026, 11, 23)), (4, date(2026, 12, 1)), (9, date(2026, 12, 8))])
def test_an_expiry_with_too_few_days_left_is_passed_over(least: int, expiry: date) -> None:
    assert pick(ExpiryRule(min_dte=least)).expiry == expiry


def test_the_offset_counts_from_the_rolled_expiry() -> None:
    assert pick(ExpiryRule(min_dte=4, offset=1)).expiry == date(2026, 12, 8)


@pytest.mark.parametrize("day", [None, date(2026, 12, 3), date(2026, 11, 10)])
def test_a_fixed_expiry_is_listed_and_not_past(day: date | None) -> None:
    with pytest.raises(Refusal) as refused:
        pick(ExpiryRule(series=Series.FIXED, day=day))
    assert refused.value.code == "NOT_LISTED"
    assert "there are 23NOV26, 01DEC26" in refused.value.text


def test_an_expiry_further_ahead_than_the_listing_is_refused() -> None:
    with pytest.raises(Refusal, match="monthly expiry number 9 ahead") as refused:
        pick(ExpiryRule(series=Series.MONTHLY, offset=9))
    assert refused.value.code == "NOT_LISTED"


def test_nothing_listed_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        pick_expiry(ExpiryRule(series=Series.MONTHLY), [], datetime(2026, 11, 18, 9, 20, tzinfo=IST), DAYS_TO)
    assert refused.value.text.endswith("those open are none.")


@given(st.sets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), min_size=1, max_size=40))
def test_a_month_has_one_monthly_expiry_and_none_after_it(dates: set[date]) -> None:
    months = monthlies(sorted(dates))
    assert len({(day.year, day.month) for day in months}) == len(months)
    for day in dates:
        last = next(each for each in months if (each.year, each.month) == (day.year, day.month))
        assert day <= last


@given(
    st.sets(st.dates(date(2026, 11, 18), date(2027, 2, 28)), min_size=1, max_size=20),
    st.integers(0, 5),
    st.integers(0, 8),
)
def test_the_chosen_expiry_has_the_days_that_are_asked_for(dates: set[date], offset: int, least: int) -> None:
    rule = ExpiryRule(series=Series.MONTHLY, offset=offset, min_dte=least)
    at = datetime.combine(TODAY, time(9, 20), IST)
    able = [day for day in monthlies(sorted(dates)) if DAYS_TO(TODAY, day) >= least]
    if offset < len(able):
        assert pick_expiry(rule, dates, at, DAYS_TO).expiry == able[offset]
    else:
        with pytest.raises(Refusal):
            pick_expiry(rule, dates, at, DAYS_TO)
