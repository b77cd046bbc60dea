"""When a strategy enters and is out, planned for one day (features 1.9, SC-1 to SC-5).

Pure: the calendar and the listed expiries are given. A day that is not one of the strategy's is answered with a code
and a sentence, so that the timeline can say why nothing fires.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.strategies import ExitOnExpiry, Holding, Schedule
from optconsole.engine.model.strikes import ExpiryRule
from optconsole.engine.model.timeline import IST
from optconsole.engine.rules.expiries import ChosenExpiry, pick_expiry
from optconsole.engine.rules.market_days import DayHours, MarketDays, day_text
from optconsole.engine.rules.schedule_days import refuse_day, refuse_expiry

BEFORE_CLOSE: Final = timedelta(minutes=1)
"""How long before the end of trading a run leaves whose exit would come too late."""
WARM_UP: Final = timedelta(seconds=60)
"""How long before the entry session, contracts, quotes and margin are looked at (SC-2)."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a strategy on ``trade_date``. Moments are aware IST; the entry window is half-open.

    ``triggers_until`` is how long conditions may still let it enter. ``watch_from`` is when an overnight run looks at
    its conditions again. ``pulled_from`` is the exit as written where trading ends before it. ``expiry`` and ``dte``
    are those of the first leg.
    """

    trade_date: date
    entry_at: datetime
    entry_until: datetime
    triggers_until: datetime
    exit_at: datetime
    expiry: date
    dte: int
    watch_from: datetime | None = None
    pulled_from: datetime | None = None

    @property
    def warm_at(self) -> datetime:
        """When preparations for the entry begin."""
        return self.entry_at - WARM_UP


class NotToday(msgspec.Struct, frozen=True):
    """That a strategy does not enter on a day: a stable code and a sentence."""

    code: str
    text: str


def plan(
    schedule: Schedule,
    day: date,
    days: MarketDays,
    listed: Sequence[date],
    rules: Sequence[ExpiryRule] = (ExpiryRule(),),
    underlying: str = "The underlying",
) -> Planned | NotToday:
    """The run of a day. ``listed`` are all expiries of the underlying; ``rules`` those of the legs, the first first."""
    try:
        hours = refuse_day(schedule, day, days)
        entry_at = _at(day, schedule.entry_at)
        chosen = [pick_expiry(rule, listed, entry_at, days.between, underlying) for rule in _once(rules)]
        refuse_expiry(schedule, day, chosen[0], listed)
        _refuse_entry_time(schedule, entry_at, hours)
        return _planned(schedule, entry_at, hours, days, listed, chosen)
    except Refusal as refusal:
        return NotToday(refusal.code, refusal.text)


def _planned(
    schedule: Schedule,
    entry_at: datetime,
    hours: DayHours,
    days: MarketDays,
    listed: Sequence[date],
    chosen: Sequence[ChosenExpiry],
) -> Planned:
    day = entry_at.date()
    out_day = _exit_day(schedule, day, days, listed, chosen[0])
    first_to_expire = min(each.expiry for each in chosen)
    if out_day > first_to_expire:
        raise Refusal(
            "CONTRACT_EXPIRES",
            f"A leg's contract expires on {day_text(first_to_expire)}, before the exit on {day_text(out_day)}.",
        )
    wanted = _at(out_day, schedule.exit_at)
    exit_at = _before_end(wanted, days.hours(out_day), expires=out_day in {each.expiry for each in chosen})
    if exit_at <= entry_at:
        raise Refusal("EXIT_BEFORE_ENTRY", f"The exit at {exit_at:%H:%M:%S} is not after the entry on the same day.")
    until = min(hours.closes, exit_at)
    if schedule.no_entry_after is not None:
        until = min(until, _at(day, schedule.no_entry_after))
    if until <= entry_at:
        raise Refusal(
            "NO_ENTRY_WINDOW", f"No entry is allowed after {until:%H:%M:%S}, and it would be at {entry_at:%H:%M:%S}."
        )
    overnight = schedule.holding is not Holding.INTRADAY
    return Planned(
        trade_date=day,
        entry_at=entry_at,
        entry_until=min(entry_at + timedelta(seconds=schedule.grace), until),
        triggers_until=until,
        exit_at=exit_at,
        expiry=chosen[0].expiry,
        dte=chosen[0].dte,
        watch_from=_at(days.following(day), schedule.watch_from) if overnight and out_day > day else None,
        pulled_from=wanted if exit_at != wanted else None,
    )


def _exit_day(schedule: Schedule, day: date, days: MarketDays, listed: Sequence[date], first: ChosenExpiry) -> date:
    """The day a run is out. Raises Refusal: EXIT_ON_EXPIRY, NO_DTE_WINDOW, EXIT_BEFORE_ENTRY."""
    if schedule.holding is Holding.INTRADAY:
        return day
    if schedule.holding is Holding.OVERNIGHT:
        return _next_day(schedule, day, days, listed)
    if schedule.exit_dte is None:
        raise Refusal("NO_DTE_WINDOW", "A positional strategy needs entry_dte and exit_dte, trading days to expiry.")
    out_day = days.before_expiry(first.expiry, schedule.exit_dte)
    if out_day < day:
        raise Refusal(
            "EXIT_BEFORE_ENTRY",
            f"{schedule.exit_dte} trading days before the expiry {day_text(first.expiry)} is {day_text(out_day)},"
            " before the entry.",
        )
    return out_day


def _next_day(schedule: Schedule, day: date, days: MarketDays, listed: Sequence[date]) -> date:
    """The next trading day, or what SC-4 says where that is an expiry of the underlying."""
    out_day = days.following(day)
    if out_day not in listed or schedule.exit_on_expiry is ExitOnExpiry.ALLOW:
        return out_day
    if schedule.exit_on_expiry is ExitOnExpiry.SKIP:
        raise Refusal("EXIT_ON_EXPIRY", f"The exit would fall on {day_text(out_day)}, an expiry day.")
    while out_day in listed:
        out_day = days.following(out_day)
    return out_day


def _before_end(wanted: datetime, hours: DayHours | None, *, expires: bool) -> datetime:
    """The exit as written, or a minute before trading in the run's contracts ends where that is earlier."""
    assert hours is not None  # exit days are ordinary days, or the entry's own
    end = hours.closes
    if expires and hours.expiring is not None:
        end = min(end, hours.expiring)
    return wanted if wanted < end else end - BEFORE_CLOSE


def _refuse_entry_time(schedule: Schedule, entry_at: datetime, hours: DayHours) -> None:
    if entry_at < hours.opens:
        raise Refusal(
            "BEFORE_OPEN",
            f"The entry at {schedule.entry_at:%H:%M:%S} is before the session opens at {hours.opens:%H:%M}.",
        )
    if entry_at >= hours.closes:
        raise Refusal(
            "AFTER_CLOSE",
            f"The entry at {schedule.entry_at:%H:%M:%S} is not before the close at {hours.closes:%H:%M}.",
        )


def _once(rules: Sequence[ExpiryRule]) -> list[ExpiryRule]:
    return list(dict.fromkeys(rules)) or [ExpiryRule()]


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, IST)
