"""The practice market as a stage: it goes on where its exchange last was, else at a sensible first moment."""

from __future__ import annotations

import os
from datetime import date, datetime, time
from typing import Final

from optconsole.brokers.paper.ledger import Ledger
from optconsole.brokers.paper.practice.feed import DEFAULT_RATE, PracticeFeed
from optconsole.brokers.paper.practice.hours import first_moment, next_hours
from optconsole.config import Settings
from optconsole.engine.clock import MarketClock, WallClock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import listing
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import IST, time_of_day
from optconsole.options import RunOptions
from optconsole.runtime import places
from optconsole.runtime.market import PlayedFeed
from optconsole.runtime.stage import Alarm, DayHook, PlayedStage, Settled

FIRST_DAY: Final = "OPTCONSOLE_PRACTICE_DAY"
"""Where every fresh practice market begins, YYYY-MM-DD, while nothing else is asked for: the same market any day."""


def first_practice_moment(asked: date | None, calendar: Calendar) -> datetime:
    """Where a fresh practice market begins, on the day ``asked`` if any. Raises Refusal(NO_SESSION)."""
    usual = os.environ.get(FIRST_DAY)
    if asked is None and not usual:
        return first_moment(WallClock().now(), calendar)
    day = asked or _date(str(usual))
    if not calendar.is_trading_day(day):
        following, _ = next_hours(calendar, day)
        raise Refusal("NO_SESSION", f"{day:%a %d %b %Y} is not a trading day; the next one is {following:%a %d %b %Y}.")
    return first_moment(datetime.combine(day, time(), IST), calendar)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal("NO_SESSION", f"{FIRST_DAY} is {text!r}, not a date; write YYYY-MM-DD.") from None


def practice_stage(options: RunOptions, settings: Settings, calendar: Calendar) -> PlayedStage:
    """Open the practice market of a home.

    Raises Refusal(TIME_PASSED, PRACTICE_BEGUN, NO_SESSION, BAD_TIME, BAD_RATE).
    """
    seed = settings.practice.seed if options.seed is None else options.seed
    place = places.practice(options.home, seed, settings.practice.seed, settings.store.url)
    ledger = Ledger(place.ledger, settings.paper.account)
    try:
        resumed = ledger.last_time()
    finally:
        ledger.close()
    start = resumed or first_practice_moment(options.first_day, calendar)
    if options.first_day is not None and options.first_day != start.date():
        raise Refusal(
            "PRACTICE_BEGUN",
            f"The practice market of this home has reached {start:%d %b %Y}; "
            "leave out --on to go on there, or choose another --home for a fresh one.",
        )
    if options.start_at is not None:
        wanted = time_of_day(start, options.start_at)
        if resumed is not None and wanted < resumed:
            raise Refusal(
                "TIME_PASSED",
                f"The practice market of this home has reached {resumed:%d %b %H:%M:%S}; "
                "choose a later --from, or another --home for a fresh one.",
            )
        start = wanted
    clock = MarketClock(start, 0.0)

    def build(on_open: DayHook, on_close: DayHook, settled: Settled, _alarm: Alarm) -> PlayedFeed:
        # this market moves many times a second: whatever is due is due at one of its quotes
        return PracticeFeed(
            seed=seed,
            clock=clock,
            calendar=calendar,
            listing=listing,
            on_open=on_open,
            on_close=on_close,
            settled=settled,
            rate=options.rate or settings.practice.rate or DEFAULT_RATE,
            speed=options.speed,
        )

    return PlayedStage("practice", Mode.PAPER, place, clock, build, settings, calendar)
