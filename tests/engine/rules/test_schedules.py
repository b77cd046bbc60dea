"""When a strategy enters and is out, on the real calendar of 2026 (SC-1 to SC-5)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.strategies import ExitOnExpiry, Holding, Schedule
from optconsole.engine.model.strikes import ExpiryRule, Series
from optconsole.engine.model.timeline import IST
from optconsole.engine.rules.schedules import NotToday, Planned, plan
from tests.engine.rules.november import DAYS, hours, listed

STBT = Schedule(entry_at=time(9, 19), exit_at=time(9, 18), holding=Holding.OVERNIGHT, non_expiry_only=True)
"""The reference strategy: in at 09:19, out at 09:18 of the next trading day, never around an expiry."""
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


# Overnight: the next trading day, and expiry days


def test_golden_sc4_friday_entry_monday_holiday_tuesday_expiry_is_skipped() -> None:
    """Monday 14 September 2026 is a holiday, Tuesday the 15th a NIFTY expiry."""
    answer = on(STBT, date(2026, 9, 11))
    assert answer == NotToday("EXIT_ON_EXPIRY", "The exit would fall on Tuesday 15SEP26, an expiry day.")


def test_the_reference_strategy_through_november_2026() -> None:
    """10 and 24 November are holidays, so the expiries are Monday the 9th, Tuesday the 17th and Monday the 23rd;
    8 November is a Muhurat Sunday, on which nothing is left."""
    seen = {}
    for day in range(5, 31):
        answer = on(STBT, date(2026, 11, day))
        seen[day] = answer.exit_at.day if isinstance(answer, Planned) else answer.code
    weekend = dict.fromkeys((7, 14, 15, 21, 22, 28, 29), "CLOSED")
    assert seen == weekend | {
        5: 6,
        6: "EXIT_ON_EXPIRY",
        8: "SPECIAL_SESSION",
        9: "EXPIRY_DAY",
        10: "CLOSED",
        11: 12,
        12: 13,
        13: 16,
        16: "EXIT_ON_EXPIRY",
        17: "EXPIRY_DAY",
        18: 19,
        19: 20,
        20: "EXIT_ON_EXPIRY",
        23: "EXPIRY_DAY",
        24: "CLOSED",
        25: 26,
        26: 27,
        27: 30,
        30: "EXIT_ON_EXPIRY",
    }


def test_yesterdays_exit_comes_one_minute_before_todays_entry() -> None:
    first, second = planned(STBT, date(2026, 11, 18)), planned(STBT, THURSDAY)
    assert (first.exit_at, second.entry_at) == (at(THURSDAY, 9, 18), at(THURSDAY, 9, 19))
    assert (first.trade_date, first.watch_from) == (date(2026, 11, 18), at(THURSDAY, 9, 16))


def test_a_friday_goes_over_the_weekend_and_a_holiday_to_the_next_trading_day() -> None:
    allowed = changed(STBT, exit_on_expiry=ExitOnExpiry.ALLOW)
    assert planned(STBT, date(2026, 11, 13)).exit_at == at(MONDAY, 9, 18)
    assert planned(allowed, FRIDAY).exit_at == at(EXPIRY, 9, 18)
    assert planned(allowed, date(2026, 9, 11)).exit_at == at(date(2026, 9, 15), 9, 18)
    assert planned(allowed, date(2026, 11, 6)).exit_at == at(date(2026, 11, 9), 9, 18), "not on the Muhurat Sunday"


def test_a_run_held_over_an_expiry_leaves_on_the_trading_day_after_it() -> None:
    held = changed(STBT, exit_on_expiry=ExitOnExpiry.HOLD)
    assert planned(held, FRIDAY, ExpiryRule(offset=1)).exit_at == at(date(2026, 11, 25), 9, 18)


def test_a_run_is_not_held_over_the_expiry_of_its_own_contracts() -> None:
    held = changed(STBT, exit_on_expiry=ExitOnExpiry.HOLD)
    assert why(held, FRIDAY) == "CONTRACT_EXPIRES"
    assert why(held, FRIDAY, ExpiryRule(offset=1), ExpiryRule()) == "CONTRACT_EXPIRES"


def test_an_overnight_run_is_not_entered_in_contracts_that_expire_today() -> None:
    answer = on(changed(STBT, non_expiry_only=False), EXPIRY)
    assert isinstance(answer, NotToday)
    assert answer.code == "CONTRACT_EXPIRES"
    assert "expires on Monday 23NOV26, before the exit on Wednesday 25NOV26" in answer.text


# Within a day


def test_an_intraday_run_enters_in_its_window_and_leaves_the_same_day() -> None:
    run = planned(INTRADAY, THURSDAY)
    assert (run.entry_at, run.entry_until, run.exit_at) == (
        at(THURSDAY, 9, 20),
        at(THURSDAY, 9, 21),
        at(THURSDAY, 15, 15),
    )
    assert (run.warm_at, run.triggers_until, run.watch_from) == (at(THURSDAY, 9, 19), at(THURSDAY, 15, 15), None)
    assert (run.expiry, run.dte, run.pulled_from) == (EXPIRY, 2, None)


def test_no_entry_after_ends_the_window_and_the_triggers() -> None:
    run = planned(changed(INTRADAY, no_entry_after=time(9, 20, 30)), THURSDAY)
    assert (run.entry_until, run.triggers_until) == (at(THURSDAY, 9, 20, 30), at(THURSDAY, 9, 20, 30))
    assert why(changed(INTRADAY, no_entry_after=time(9, 20)), THURSDAY) == "NO_ENTRY_WINDOW"


@pytest.mark.parametrize(
    ("entry", "out", "code"),
    [
        (time(9, 14, 59), time(15), "BEFORE_OPEN"),
        (time(15, 40), time(15, 41), "AFTER_CLOSE"),
        (time(10), time(10), "EXIT_BEFORE_ENTRY"),
        (time(15, 39, 30), time(15, 50), "EXIT_BEFORE_ENTRY"),
    ],
)
def test_an_entry_outside_the_session_or_not_before_the_exit_is_refused(entry: time, out: time, code: str) -> None:
    assert why(Schedule(entry_at=entry, exit_at=out), THURSDAY) == code


@pytest.mark.parametrize(
    ("day", "exit_at"),
    [
        (date(2026, 7, 30), (15, 29)),  # the session closed at 15:30 then
        (THURSDAY, (15, 39)),
        (date(2026, 12, 9), (15, 40)),  # 15:45 since 7 December
        (date(2026, 12, 8), (15, 29)),  # and contracts stop at 15:30 on their expiry day
    ],
)
def test_an_exit_beyond_the_end_of_trading_is_pulled_before_it(day: date, exit_at: tuple[int, int]) -> None:
    run = planned(changed(INTRADAY, exit_at=time(15, 40)), day)
    assert run.exit_at == at(day, *exit_at)
    assert run.pulled_from == (None if exit_at == (15, 40) else at(day, 15, 40))


def test_contracts_that_do_not_expire_trade_on_when_others_stop() -> None:
    run = planned(changed(INTRADAY, exit_at=time(15, 40)), date(2026, 12, 8), ExpiryRule(offset=1))
    assert run.exit_at == at(date(2026, 12, 8), 15, 40)


def test_a_muhurat_session_is_refused_unless_its_date_is_named() -> None:
    muhurat = date(2026, 11, 8)
    evening = Schedule(entry_at=time(18, 20), exit_at=time(19, 30))
    assert why(evening, muhurat) == "SPECIAL_SESSION"
    run = planned(changed(evening, dates=(muhurat,)), muhurat)
    assert (run.exit_at, run.pulled_from) == (at(muhurat, 19, 14), at(muhurat, 19, 30))
    assert why(changed(INTRADAY, dates=(muhurat,)), muhurat) == "BEFORE_OPEN"


def test_a_full_session_on_a_sunday_is_a_day_like_any_other() -> None:
    budget = date(2026, 2, 1)
    assert planned(INTRADAY, budget).exit_at == at(budget, 15, 15)
    assert planned(changed(STBT, exit_on_expiry=ExitOnExpiry.ALLOW), date(2026, 1, 30)).exit_at == at(budget, 9, 18)


# Positional


def test_a_positional_run_enters_and_leaves_by_trading_days_before_expiry() -> None:
    """To Tuesday 1 December 2026: Wednesday the 25th has four trading days left, Friday the 27th two."""
    window = Schedule(entry_at=time(10), exit_at=time(15), holding=Holding.POSITIONAL, entry_dte=4, exit_dte=2)
    run = planned(window, date(2026, 11, 25))
    assert (run.entry_at, run.exit_at) == (at(date(2026, 11, 25), 10, 0), at(date(2026, 11, 27), 15, 0))
    assert why(window, date(2026, 11, 26)) == "DTE"


def test_a_positional_run_counts_over_a_holiday() -> None:
    window = Schedule(entry_at=time(10), exit_at=time(15), holding=Holding.POSITIONAL, entry_dte=9, exit_dte=0)
    monthly = ExpiryRule(series=Series.MONTHLY)
    run = planned(window, date(2026, 11, 9), monthly)
    assert (run.exit_at, run.dte) == (at(EXPIRY, 15, 0), 9)
    assert run.watch_from == at(date(2026, 11, 11), 9, 16)


def test_a_positional_run_within_one_day_needs_its_times_in_order() -> None:
    window = Schedule(entry_at=time(10), exit_at=time(15), holding=Holding.POSITIONAL, entry_dte=2, exit_dte=2)
    run = planned(window, THURSDAY)
    assert (run.exit_at, run.watch_from) == (at(THURSDAY, 15, 0), None)
    assert why(changed(window, exit_at=time(9, 30)), THURSDAY) == "EXIT_BEFORE_ENTRY"
    assert why(changed(window, exit_dte=3), THURSDAY) == "EXIT_BEFORE_ENTRY"


def test_a_positional_run_without_its_window_is_refused() -> None:
    window = Schedule(entry_at=time(10), exit_at=time(15), holding=Holding.POSITIONAL)
    assert why(window, THURSDAY) == "NO_DTE_WINDOW"
    assert why(changed(window, entry_dte=2), THURSDAY) == "NO_DTE_WINDOW"


def test_a_calendar_leaves_before_its_nearer_leg_expires() -> None:
    window = Schedule(entry_at=time(10), exit_at=time(15), holding=Holding.POSITIONAL, entry_dte=8, exit_dte=0)
    far, near = ExpiryRule(offset=1), ExpiryRule()
    assert why(window, date(2026, 11, 18), far, near) == "CONTRACT_EXPIRES"


# Laws

november = st.dates(date(2026, 10, 1), date(2026, 12, 20))


@given(
    november,
    st.times(time(9, 0), time(15, 50)).map(lambda each: each.replace(microsecond=0, tzinfo=None)),
    st.times(time(9, 0), time(15, 50)).map(lambda each: each.replace(microsecond=0, tzinfo=None)),
    st.sampled_from([Holding.INTRADAY, Holding.OVERNIGHT]),
    st.sampled_from(list(ExitOnExpiry)),
)
def test_every_plan_lies_in_sessions_and_ends_after_it_begins(
    day: date, entry: time, out: time, holding: Holding, policy: ExitOnExpiry
) -> None:
    schedule = Schedule(entry_at=entry, exit_at=out, holding=holding, exit_on_expiry=policy)
    answer = on(schedule, day)
    if isinstance(answer, NotToday):
        assert answer.code
        assert answer.text.endswith(".")
        return
    assert answer.entry_at < answer.entry_until <= answer.triggers_until <= answer.exit_at
    for moment in (answer.entry_at, answer.exit_at):
        session = hours(moment.date())
        assert session is not None
        assert not session.special
        assert moment < session.closes
    assert answer.exit_at.date() <= answer.expiry
    assert (answer.exit_at.date() - day) <= timedelta(days=7)
    if policy is ExitOnExpiry.SKIP and holding is Holding.OVERNIGHT:
        assert answer.exit_at.date() not in listed(day)
