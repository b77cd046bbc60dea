"""A running engine with everything it stands on, opened in order and closed in reverse."""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from optconsole import __version__
from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.config import Settings, load
from optconsole.engine.clock import fresh_id, seeded
from optconsole.engine.commands import EngageKill, SteerReplay
from optconsole.engine.core import Engine
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Account
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.observe.log import open_log
from optconsole.engine.store.latch import KillLatch
from optconsole.engine.store.lock import HomeLock
from optconsole.engine.world import World
from optconsole.link.address import socket_path
from optconsole.link.server import LinkServer
from optconsole.options import RunOptions
from optconsole.runtime.keeper import Keeper
from optconsole.runtime.keeping import KeptMemory, entry_stops
from optconsole.runtime.practice import practice_stage
from optconsole.runtime.rates import exercise_charges, order_charges, paper_rules
from optconsole.runtime.recovery import Recovered, recover
from optconsole.runtime.stage import PlayedFeed, Stage

LOG_NAME: Final = "optconsole.log"
FIRST_QUOTES_SECONDS: Final = 1.0
Progress = Callable[[str], None]


@dataclass(slots=True)
class House:
    """An engine that runs, and how to end it. A second ``stop`` does nothing."""

    engine: Engine
    home: Path
    stage: Stage
    feed: PlayedFeed
    stop: Callable[[str], Awaitable[None]]

    @property
    def socket(self) -> Path:
        """Where consoles reach the engine."""
        return socket_path(self.home)


def silent(_text: str) -> None:
    """Progress that nobody watches."""


async def open_house(options: RunOptions, progress: Progress = silent) -> House:
    """Take the home, recover, reconcile, and let the market play.

    Raises Refusal or JournalBroken with a sentence for the trader; whatever was opened is closed again.
    """
    async with AsyncExitStack() as stack:
        lock = stack.enter_context(HomeLock(options.home))
        open_log(lock.home / LOG_NAME)
        settings = load(options.home)
        calendar = Calendar.load()
        stage = _stage(options, settings, calendar, progress)
        progress("reading the journal")
        book = await recover(stage.place, stage.clock.now)
        journal = book.journal
        stack.push_async_callback(journal.close)
        memory = await KeptMemory.begin(stage.place.folder, book)
        bonds = _Bonds()
        bonds.broker = broker = _paper_broker(stage, settings, calendar, bonds.depth)
        bonds.feed = feed = stage.build_feed(bonds.on_open, bonds.on_close, bonds.settled)
        world = World(
            name=stage.title,
            version=__version__,
            install_id=journal.install_id,
            clock=stage.clock,
            journal=journal,
            feed=feed,
            brokers={broker.account.id: broker},
            calendar=calendar,
            limits=settings.risk.order_limits(),
            charge_for=order_charges,
            exercise_charge=exercise_charges,
            disk_free=lambda: shutil.disk_usage(options.home).free,
            playback=feed,
            cadence=stage.cadence,
            guard_only=book.guard_only,
            installs=frozenset(book.memory.installs),
            entry_stops=lambda: entry_stops(journal, options.home),
            vouched=feed.vouched,
            latch=KillLatch(stage.place.folder, options.home),
            limits_at_first=settings.risk.limits_at_first(),
        )
        engine = Engine(world, book.state)
        bonds.engine = engine
        progress("agreeing with the exchange")
        broker.load(feed.instruments(stage.clock.now().date()))
        stack.push_async_callback(bonds.farewell)
        await engine.start()
        keeper = Keeper(engine, broker, journal, stage, memory)
        stack.push_async_callback(keeper.close)
        server = LinkServer(engine, socket_path(options.home), on_consoles=bonds.on_consoles)
        await server.start()
        stack.push_async_callback(server.close)
        # Time stands until the engine has taken in the opening picture: no quote passes by unseen.
        feed.pause()
        await feed.start(bonds.on_quotes)
        stack.push_async_callback(feed.stop)
        progress("waiting for quotes")
        await _first_quotes(engine)
        await _take_over(engine, book)
        await memory.note(engine, journal)
        await engine.proceed()
        await _steer(options, engine, feed)
        keeper.start()
        closing = stack.pop_all()

    async def stop(reason: str) -> None:
        bonds.reason = reason
        await closing.aclose()

    return House(engine=engine, home=options.home, stage=stage, feed=feed, stop=stop)


async def _take_over(engine: Engine, book: Recovered) -> None:
    """What a lost store knew and the broker knows too; and a kill that its journal could not take."""
    if book.from_broker:
        await engine.take_positions()
    latched = engine.world.latch.why if engine.world.latch is not None else None
    if latched is not None or book.killed:
        why = latched or "latched before the store was lost"
        await engine.submit(EngageKill(id=fresh_id(), actor="recovery", why=why))


def _stage(options: RunOptions, settings: Settings, calendar: Calendar, progress: Progress) -> Stage:
    if options.replay is None:
        return practice_stage(options, settings, calendar)
    # pyarrow takes a quarter of a second to import and only a replay needs it.
    from optconsole.runtime.recorded import recorded_stage

    return recorded_stage(options, settings, options.replay, progress)


def _paper_broker(
    stage: Stage, settings: Settings, calendar: Calendar, depth: Callable[[str], Depth | None]
) -> PaperBroker:
    account = Account(id=settings.paper.account, broker="paper", mode=stage.mode, capital=settings.paper.capital * 100)
    return PaperBroker(
        account,
        stage.clock,
        stage.place.ledger,
        PaperSettings(**settings.paper.broker_fields()),
        paper_rules(calendar),
        seeded(stage.place.world),
        depth,
    )


async def _first_quotes(engine: Engine) -> None:
    """Wait until the opening picture is in, so that who trades on readiness finds prices; not longer than a second."""
    clock = engine.world.clock
    began = clock.monotonic()
    while engine.board.quotes_seen < len(engine.master) and clock.monotonic() - began < FIRST_QUOTES_SECONDS:
        await clock.sleep(0.005)


async def _steer(options: RunOptions, engine: Engine, feed: PlayedFeed) -> None:
    """Let the market play as the options say. Raises Refusal for an ``--until`` that is past."""
    if not options.hold:
        feed.resume()
    if options.until is not None:
        wish = SteerReplay(id=fresh_id(), actor="options", action="to", until=options.until)
        reply = await engine.submit(wish)
        if not reply.ok:
            raise Refusal(reply.code, reply.text)


class _Bonds:
    """Ties feed, exchange and engine together, in the order in which each must hear of things."""

    engine: Engine
    broker: PaperBroker
    feed: PlayedFeed
    reason = "the start failed"
    """Why the engine stops, for the journal; the house says it when it is asked to."""

    async def farewell(self) -> None:
        await self.engine.stop(self.reason)

    def depth(self, name: str) -> Depth | None:
        return self.feed.depth(name)

    def on_quotes(self, quotes: Sequence[Quote]) -> None:
        """The board first, so that whatever the exchange does shows against the quote that made it."""
        self.engine.on_quotes(quotes)
        self.broker.on_quotes(quotes)

    async def on_open(self, day: date) -> None:
        self.broker.load(self.feed.instruments(day))
        # A restart must not fall back into the day before the one the journal has opened.
        self.broker.mark_time(self.engine.world.clock.now())
        await self.engine.open_session(day)

    async def on_close(self, day: date) -> None:
        self.broker.end_session(day)
        await self.engine.settled()
        await self.broker.delivered()
        await self.engine.close_session(day)

    async def settled(self) -> None:
        await self.engine.settled()

    def on_consoles(self, count: int) -> None:
        self.engine.consoles = count


def ready_line(house: House) -> dict[str, object]:
    """What a script needs to know of an engine that is ready."""
    engine = house.engine
    return {
        "pid": os.getpid(),
        "home": str(house.home),
        "socket": str(house.socket),
        "world": engine.world.name,
        "market_time": engine.world.clock.now().isoformat(),
        "epoch": engine.state.epoch,
        "seq": engine.state.seq,
        "version": __version__,
    }
