"""Schedules that could never enter, or whose times contradict one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Product
from optconsole.engine.model.strategies import ExitOnExpiry, Holding, Strategy
from optconsole.engine.model.strikes import ExpiryRule, Series
from optconsole.engine.rules.faults import Fault, Faults
from optconsole.engine.rules.schedule_days import refuse_date

_SHORT_WEEK: Final = 2
_LONG_WEEK: Final = 5
"""Trading days from one weekly expiry to the next: holidays make it shorter, a Sunday's full session no longer than
this, for the current week's count begins on the day after an expiry."""
_SHORT_MONTH: Final = 15
_LONG_MONTH: Final = 26
_SERIAL_MONTHS: Final = 1
"""The last offset whose month is surely the next in the calendar; further ahead only quarters are listed."""
_FRIDAY: Final = 4
_MONTHS: Final = 12


def times(strategy: Strategy) -> Faults:
    """Entry, last entry and exit of a day stand in this order."""
    schedule = strategy.schedule
    entry = f"{schedule.entry_at:%H:%M:%S}"
    if schedule.holding is Holding.INTRADAY and schedule.exit_at <= schedule.entry_at:
        yield Fault(
            "EXIT_BEFORE_ENTRY", "schedule.exit_at", f"An intraday exit must be after the entry at {entry} of that day."
        )
    if schedule.grace < 1:
        yield Fault("NO_ENTRY_WINDOW", "schedule.grace", "The entry window is empty; give a grace of 1 second or more.")
    if schedule.no_entry_after is not None and schedule.no_entry_after <= schedule.entry_at:
        yield Fault(
            "NO_ENTRY_WINDOW", "schedule.no_entry_after", f"The last entry must be after the entry time {entry}."
        )
    if (
        schedule.holding is Holding.INTRADAY
        and schedule.no_reentry_after is not None
        and schedule.no_reentry_after <= schedule.entry_at
    ):
        yield Fault(
            "NO_REENTRY_WINDOW", "schedule.no_reentry_after", f"The last re-entry must be after the entry at {entry}."
        )


def numbers(strategy: Strategy) -> Faults:
    """Weekdays, months and days to expiry are such."""
    schedule = strategy.schedule
    if any(not 0 <= day <= _FRIDAY for day in schedule.weekdays):
        yield Fault("BAD_VALUE", "schedule.weekdays", "Weekdays are 0 (Monday) to 4 (Friday).")
    if any(not 1 <= month <= _MONTHS for month in schedule.months):
        yield Fault("BAD_VALUE", "schedule.months", "Months are 1 to 12.")
    if any(dte < 0 for dte in schedule.dte):
        yield Fault("BAD_VALUE", "schedule.dte", "Trading days to expiry are 0 (the expiry day) or more.")
    for name, dte in (("entry_dte", schedule.entry_dte), ("exit_dte", schedule.exit_dte)):
        if dte is not None and dte < 0:
            yield Fault("BAD_VALUE", f"schedule.{name}", "Trading days to expiry are 0 (the expiry day) or more.")


def dates(strategy: Strategy) -> Faults:
    """At least one of the dates passes the other filters."""
    schedule = strategy.schedule
    for day in schedule.dates:
        try:
            refuse_date(schedule, day)
        except Refusal:
            continue
        return
    if schedule.dates:
        yield Fault("NO_DAY", "schedule.dates", "None of the dates is left by the weekdays, months and dates left out.")


def expiry_days(strategy: Strategy) -> Faults:
    """Filters by expiry leave a day to run on."""
    schedule = strategy.schedule
    rule = _first_rule(strategy)
    if schedule.expiry_only and schedule.non_expiry_only:
        yield Fault("NO_DAY", "schedule.expiry_only", "No day is an expiry and none at once; choose one of the two.")
    if schedule.non_expiry_only and set(schedule.dte) == {0}:
        yield Fault("NO_DAY", "schedule.dte", "With no days left it is an expiry day, and those are left out.")
    if schedule.expiry_only and schedule.dte and 0 not in schedule.dte and _current_week(rule):
        yield Fault("NO_DAY", "schedule.dte", "On an expiry day the current week has 0 days left; add 0.")
    yield from _out_of_reach(rule, schedule.dte, "schedule.dte")


def overnight(strategy: Strategy) -> Faults:
    """An overnight run finds a day on which it may leave before its contracts expire."""
    schedule = strategy.schedule
    if schedule.holding is not Holding.OVERNIGHT:
        return
    if schedule.expiry_only and _current_week(_first_rule(strategy)):
        yield Fault("NO_DAY", "schedule.expiry_only", "Contracts that expire today cannot be held overnight.")
    allowed = schedule.exit_on_expiry is ExitOnExpiry.ALLOW
    if schedule.dte and max(schedule.dte) < (1 if allowed else 2):
        yield Fault(
            "NO_DAY",
            "schedule.dte",
            "Contracts that expire today cannot be held overnight."
            if allowed or max(schedule.dte) == 0
            else "With one day left the exit always falls on the expiry; allow that (exit_on_expiry) or add days.",
        )


def positional(strategy: Strategy) -> Faults:
    """A positional run has a window by trading days, entry first."""
    schedule = strategy.schedule
    entry, out = schedule.entry_dte, schedule.exit_dte
    if schedule.holding is not Holding.POSITIONAL:
        for name, dte in (("entry_dte", entry), ("exit_dte", out)):
            if dte is not None:
                yield Fault("UNUSED", f"schedule.{name}", "Only positional strategies enter and leave by days left.")
        return
    if entry is None or out is None:
        name = "entry_dte" if entry is None else "exit_dte"
        yield Fault("NO_DTE_WINDOW", f"schedule.{name}", "A positional strategy needs entry_dte and exit_dte.")
        return
    if entry < out:
        yield Fault(
            "EXIT_BEFORE_ENTRY",
            "schedule.exit_dte",
            f"It would leave with {out} trading days left, before it enters with {entry}; give {entry} or less.",
        )
    if entry == out and schedule.exit_at <= schedule.entry_at:
        yield Fault("EXIT_BEFORE_ENTRY", "schedule.exit_at", "On one and the same day the exit is after the entry.")
    if schedule.dte and entry not in schedule.dte:
        yield Fault("NO_DAY", "schedule.dte", f"It enters with {entry} days left, which the DTE filter leaves out.")
    yield from _out_of_reach(_first_rule(strategy), (entry,), "schedule.entry_dte")


def product(strategy: Strategy) -> Faults:
    """MIS is squared off by the broker the same day."""
    if strategy.product is Product.MIS and strategy.schedule.holding is not Holding.INTRADAY:
        yield Fault("PRODUCT", "product", "MIS positions are closed the same day; hold overnight with NRML.")


SCHEDULE_RULES: Final[tuple[Callable[[Strategy], Faults], ...]] = (
    times,
    numbers,
    dates,
    expiry_days,
    overnight,
    positional,
    product,
)


def _first_rule(strategy: Strategy) -> ExpiryRule:
    return strategy.legs[0].expiry if strategy.legs else ExpiryRule()


def _current_week(rule: ExpiryRule) -> bool:
    """Whether the rule means the nearest weekly expiry on its own day too."""
    return rule.series is Series.WEEKLY and rule.offset == 0 and rule.min_dte == 0 and rule.roll_at is None


def _out_of_reach(rule: ExpiryRule, wanted: Sequence[int], path: str) -> Faults:
    """Whether none of the days to expiry can be had with the expiry that the rule means."""
    least, most = _days_left(rule)
    if wanted and (max(wanted) < least or min(wanted) > most):
        yield Fault(
            "NO_DAY", path, f"The {rule.series} expiry meant is always from {least} to {most} trading days away."
        )


def _days_left(rule: ExpiryRule) -> tuple[int, float]:
    """Fewest and most trading days to an expiry of a rule; generous, so that no real calendar is outside."""
    if rule.series is Series.WEEKLY:
        short, long = _SHORT_WEEK, _LONG_WEEK
    elif rule.series is Series.MONTHLY and rule.offset <= _SERIAL_MONTHS:
        short, long = _SHORT_MONTH, _LONG_MONTH
    else:
        return rule.min_dte, inf
    rolls = rule.min_dte + (rule.roll_at is not None)
    return max(short * rule.offset, rule.min_dte), long * (rule.offset + 1) + rolls
