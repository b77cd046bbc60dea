"""A recorded session as a stage. Each run of a recording has a book of its own; an unfinished run goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from optconsole.brokers.paper.ledger import Ledger
from optconsole.brokers.replay.feed import ReplayFeed
from optconsole.brokers.replay.reader import Recording
from optconsole.brokers.replay.session import open_session
from optconsole.config import Settings
from optconsole.engine.clock import MarketClock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import time_of_day
from optconsole.options import RunOptions
from optconsole.runtime import places
from optconsole.runtime.market import PlayedFeed
from optconsole.runtime.places import Place
from optconsole.runtime.stage import Alarm, DayHook, PlayedStage, Settled


def recorded_stage(
    options: RunOptions, settings: Settings, calendar: Calendar, source: Path, progress: Callable[[str], None]
) -> PlayedStage:
    """Open a recording, or import what can be imported. Raises Refusal."""

    def told(done: int, total: int) -> None:
        progress(f"importing {source.name}: {done * 100 // max(total, 1)} %")

    recording = open_session(source, options.home, told)
    try:
        place, start = _run(options, settings, recording, source, progress)
    except Refusal:
        recording.close()
        raise
    clock = MarketClock(start, 0.0)

    def build(on_open: DayHook, on_close: DayHook, settled: Settled, alarm: Alarm) -> PlayedFeed:
        return ReplayFeed(
            recording,
            clock=clock,
            on_open=on_open,
            on_close=on_close,
            settled=settled,
            alarm=alarm,
            speed=options.speed,
        )

    return PlayedStage(
        title=f"replay {source.stem}",
        mode=Mode.REPLAY,
        place=place,
        clock=clock,
        build_feed=build,
        settings=settings,
        calendar=calendar,
        cadence=recording.cadence,
    )


def _run(
    options: RunOptions, settings: Settings, recording: Recording, source: Path, progress: Callable[[str], None]
) -> tuple[Place, datetime]:
    """Which run of the recording this start is, and where it begins.

    The last run goes on, even if only to look at its book when all is played; ``--fresh`` makes a new one.
    """
    name = f"{re.sub(r'[^a-z0-9]+', '_', source.stem.lower()).strip('_')[:30]}_{recording.header.day:%Y%m%d}"
    runs = places.replay_runs(options.home, name)
    number = int(runs[-1].name) if runs else 1
    start = recording.begins
    if options.start_at is not None:
        start = max(start, time_of_day(start, options.start_at))
    if start > recording.ends:
        raise Refusal("TIME_PASSED", f"The recording ends at {recording.ends:%H:%M:%S}; choose an earlier --from.")
    place = places.replay(options.home, name, number, settings.store.url)
    reached = _reached(place, settings.paper.account)
    if reached is None:
        return place, start
    if options.fresh:
        return places.replay(options.home, name, number + 1, settings.store.url), start
    said = "has played to its end" if reached >= recording.ends else f"goes on at {reached:%H:%M:%S}"
    progress(f"run {number} of {source.name} {said} (--fresh begins a new one)")
    return place, max(start, reached)


def _reached(place: Place, account: str) -> datetime | None:
    """How far a run has played; None for one that never did."""
    ledger = Ledger(place.ledger, account)
    try:
        return ledger.last_time()
    finally:
        ledger.close()
