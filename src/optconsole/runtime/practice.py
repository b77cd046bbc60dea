"""The practice market as a stage: it goes on where its exchange last was, else at a sensible first moment."""

from __future__ import annotations

from optconsole.brokers.paper.ledger import Ledger
from optconsole.brokers.paper.practice.feed import DEFAULT_RATE, PracticeFeed
from optconsole.brokers.paper.practice.hours import first_moment
from optconsole.config import Settings
from optconsole.engine.clock import MarketClock, WallClock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import listing
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import time_of_day
from optconsole.options import RunOptions
from optconsole.runtime import places
from optconsole.runtime.stage import Alarm, DayHook, PlayedFeed, Settled, Stage


def practice_stage(options: RunOptions, settings: Settings, calendar: Calendar) -> Stage:
    """Open the practice market of a home. Raises Refusal(TIME_PASSED, BAD_TIME, BAD_RATE)."""
    seed = settings.practice.seed if options.seed is None else options.seed
    place = places.practice(options.home, seed, settings.practice.seed, settings.store.url)
    ledger = Ledger(place.ledger, settings.paper.account)
    try:
        resumed = ledger.last_time()
    finally:
        ledger.close()
    start = resumed or first_moment(WallClock().now(), calendar)
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

    return Stage(title="practice", mode=Mode.PAPER, place=place, clock=clock, build_feed=build)
