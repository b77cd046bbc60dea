"""Schedules that could never enter are told with the field that keeps them from it, others are not."""

from __future__ import annotations

from datetime import date, time

import pytest

from optconsole.engine.model.orders import Product
from optconsole.engine.model.strategies import ExitOnExpiry, Schedule, Strategy
from optconsole.engine.model.strikes import ExpiryRule
from tests.engine.rules.structures import CALENDAR, DAY, MONTHLY, NIFTY_STBT, changed, faults, sold, strategy

NIGHT = NIFTY_STBT.schedule
WINDOW = CALENDAR.schedule


def on(schedule: Schedule, **fields: object) -> Strategy:
    return strategy(schedule=changed(schedule, **fields))


NEVER_ENTERS = [
    (on(DAY, exit_at=time(9, 20)), "EXIT_BEFORE_ENTRY", "schedule.exit_at"),
    (on(DAY, grace=0), "NO_ENTRY_WINDOW", "schedule.grace"),
    (on(DAY, no_entry_after=time(9, 20)), "NO_ENTRY_WINDOW", "schedule.no_entry_after"),
    (on(DAY, no_reentry_after=time(9)), "NO_REENTRY_WINDOW", "schedule.no_reentry_after"),
    (on(DAY, weekdays=(5,)), "BAD_VALUE", "schedule.weekdays"),
    (on(DAY, months=(0,)), "BAD_VALUE", "schedule.months"),
    (on(DAY, dte=(-1, 1)), "BAD_VALUE", "schedule.dte"),
    (on(DAY, dates=(date(2026, 11, 20),), weekdays=(0,)), "NO_DAY", "schedule.dates"),
    (on(DAY, dates=(date(2026, 11, 20),), except_dates=(date(2026, 11, 20),)), "NO_DAY", "schedule.dates"),
    (on(DAY, expiry_only=True, non_expiry_only=True), "NO_DAY", "schedule.expiry_only"),
    (on(DAY, non_expiry_only=True, dte=(0,)), "NO_DAY", "schedule.dte"),
    (on(DAY, expiry_only=True, dte=(1, 2)), "NO_DAY", "schedule.dte"),
    (on(DAY, dte=(6, 7)), "NO_DAY", "schedule.dte"),
    (on(NIGHT, dte=(1,)), "NO_DAY", "schedule.dte"),
    (on(NIGHT, dte=(0,), non_expiry_only=False), "NO_DAY", "schedule.dte"),
    (on(NIGHT, dte=(1,), exit_on_expiry=ExitOnExpiry.HOLD), "NO_DAY", "schedule.dte"),
    (on(NIGHT, expiry_only=True, non_expiry_only=False), "NO_DAY", "schedule.expiry_only"),
    (on(WINDOW, entry_dte=None), "NO_DTE_WINDOW", "schedule.entry_dte"),
    (on(WINDOW, exit_dte=None), "NO_DTE_WINDOW", "schedule.exit_dte"),
    (on(WINDOW, entry_dte=1, exit_dte=2), "EXIT_BEFORE_ENTRY", "schedule.exit_dte"),
    (on(WINDOW, entry_dte=2, exit_dte=2, exit_at=time(9, 20)), "EXIT_BEFORE_ENTRY", "schedule.exit_at"),
    (on(WINDOW, entry_dte=2, dte=(3,)), "NO_DAY", "schedule.dte"),
    (on(WINDOW, entry_dte=6), "NO_DAY", "schedule.entry_dte"),
    (on(WINDOW, exit_dte=-1), "BAD_VALUE", "schedule.exit_dte"),
    (on(DAY, entry_dte=2), "UNUSED", "schedule.entry_dte"),
    (strategy(sold(expiry=ExpiryRule(offset=1)), schedule=changed(DAY, dte=(0, 1))), "NO_DAY", "schedule.dte"),
    (strategy(sold(expiry=ExpiryRule(min_dte=3)), schedule=changed(DAY, dte=(1, 2))), "NO_DAY", "schedule.dte"),
    (strategy(sold(expiry=MONTHLY), schedule=changed(WINDOW, entry_dte=27)), "NO_DAY", "schedule.entry_dte"),
    (changed(NIFTY_STBT, product=Product.MIS), "PRODUCT", "product"),
]


@pytest.mark.parametrize(("of", "code", "path"), NEVER_ENTERS)
def test_a_schedule_that_could_never_enter_is_told(of: Strategy, code: str, path: str) -> None:
    assert faults(of) == [(code, path)]


@pytest.mark.parametrize(
    "of",
    [
        on(DAY, dates=(date(2026, 11, 20), date(2026, 11, 23)), weekdays=(0,)),
        on(DAY, dte=(5,)),
        on(NIGHT, dte=(0, 2)),
        on(NIGHT, dte=(1,), exit_on_expiry=ExitOnExpiry.ALLOW),
        on(WINDOW, entry_dte=2, exit_dte=2),
        strategy(sold(expiry=ExpiryRule(offset=1)), schedule=changed(DAY, expiry_only=True, dte=(5,))),
        strategy(sold(expiry=MONTHLY), schedule=changed(DAY, dte=(20,))),
        strategy(sold(expiry=ExpiryRule(roll_at=time(9, 15))), schedule=changed(DAY, dte=(6,))),
        strategy(sold(expiry=changed(MONTHLY, offset=3)), schedule=changed(DAY, dte=(120,))),
        strategy(product=Product.MIS),
    ],
)
def test_a_schedule_that_could_enter_has_no_fault(of: Strategy) -> None:
    assert faults(of) == []
