"""Strategies that the day's contracts, hours and accounts do not fit; what is not known is not checked."""

from __future__ import annotations

from datetime import date, time

import pytest

from optconsole.engine.model.strategies import Schedule, Strategy
from optconsole.engine.model.strikes import ExactStrike, ExpiryRule, Series
from optconsole.engine.rules.lint import lint_strategy
from tests.engine.rules.structures import DAY, FACTS, MONTHLY, SOUND, changed, faults, sold, strategy


def on(schedule: Schedule, **fields: object) -> Strategy:
    return strategy(schedule=changed(schedule, **fields))


BANK = strategy(sold(expiry=MONTHLY), underlying="BANKNIFTY")


@pytest.mark.parametrize("of", [*SOUND, BANK], ids=lambda each: each.name)
def test_what_traders_run_fits_the_market(of: Strategy) -> None:
    assert faults(of, FACTS) == []


MARKET = [
    (strategy(underlying="NIFTI"), "UNKNOWN_UNDERLYING", "underlying"),
    (on(DAY, entry_at=time(9)), "BEFORE_OPEN", "schedule.entry_at"),
    (on(DAY, entry_at=time(15, 40), exit_at=time(15, 50)), "AFTER_CLOSE", "schedule.entry_at"),
    (on(DAY, dates=(date(2026, 11, 17),)), "NO_DAY", "schedule.dates"),
    (strategy(underlying="BANKNIFTY"), "NO_WEEKLY", "legs[0].expiry.series"),
    (
        strategy(sold(expiry=ExpiryRule(series=Series.FIXED, day=date(2026, 12, 2)))),
        "NOT_LISTED",
        "legs[0].expiry.day",
    ),
    (strategy(sold(expiry=ExpiryRule(series=Series.MONTHLY, offset=20))), "NOT_LISTED", "legs[0].expiry.offset"),
    (on(DAY, weekdays=(2,), dte=(0, 1)), "NO_DAY", "schedule.dte"),
    (strategy(sold(strike=ExactStrike(24_510_00))), "NOT_LISTED", "legs[0].strike.strike"),
    (strategy(sold(lots=900)), "TOO_LARGE", "legs[0].lots"),
    (strategy(sold(account="nobody")), "UNKNOWN_ACCOUNT", "legs[0].account"),
]


@pytest.mark.parametrize(("of", "code", "path"), MARKET)
def test_a_strategy_that_does_not_fit_the_market_is_told(of: Strategy, code: str, path: str) -> None:
    assert faults(of, FACTS) == [(code, path)]
    assert faults(of) == [], "what is not known is not checked"


def test_a_weekly_series_that_does_not_exist_says_what_does() -> None:
    fault = lint_strategy(strategy(underlying="BANKNIFTY"), FACTS)[0]
    assert fault.text == "BANKNIFTY has no weekly expiries, only 23NOV26, 29DEC26, 25JAN27; choose monthly."


@pytest.mark.parametrize(("weekday", "dte"), [(1, 0), (0, 0), (0, 1), (2, 4), (2, 3), (4, 2)])
def test_days_left_that_a_weekday_can_have_are_no_fault(weekday: int, dte: int) -> None:
    assert faults(on(DAY, weekdays=(weekday,), dte=(dte,)), FACTS) == []
