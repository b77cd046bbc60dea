"""A running engine with everything it stands on, opened in order and closed in reverse."""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from optconsole import __version__
from optconsole.config import Settings, load
from optconsole.engine.clock import Clock, fresh_id
from optconsole.engine.commands import EngageKill, SteerReplay
from optconsole.engine.core import Engine
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.observe.log import open_log
from optconsole.engine.store.latch import KillLatch
from optconsole.engine.store.lock import HomeLock
from optconsole.engine.world import World
from optconsole.link.address import socket_path
from optconsole.link.server import LinkServer
from optconsole.options import RunOptions
from optconsole.runtime.bonds import Bonds
from optconsole.runtime.heap import one_heap
from optconsole.runtime.keeper import Keeper
from optconsole.runtime.keeping import KeptMemory, entry_stops
from optconsole.runtime.login_watch import LoginWatch
from optconsole.runtime.market import Market, PlayedFeed
from optconsole.runtime.plugins import Plugins, plugins_of
from optconsole.runtime.postbacks import postbacks_of
from optconsole.runtime.practice import practice_stage
from optconsole.runtime.rates import exercise_charges, order_charges
from optconsole.runtime.recovery import Recovered, recover
from optconsole.runtime.stage import Progress, Stage
from optconsole.runtime.strongroom import Strongroom

LOG_NAME: Final = "optconsole.log"
FIRST_QUOTES_SECONDS: Final = 1.0


@dataclass(slots=True)
class House:
    """An engine that runs, and how to end it. A second ``stop`` does nothing."""

    engine: Engine
    home: Path
    market: Market
    strongroom: Strongroom
    stop: Callable[[str], Awaitable[None]]

    @property
    def feed(self) -> PlayedFeed:
        """The feed of a market that is played. Raises Refusal(NOT_PLAYED) where the market is the real one."""
        if self.market.playback is None:
            raise Refusal("NOT_PLAYED", "The live market cannot be steered; only practice and replays can.")
        return self.market.playback

    @property
    def socket(self) -> Path:
        """Where consoles reach the engine."""
        return socket_path(self.home)


def silent(_text: str) -> None:
    """Progress that nobody watches."""


async def open_house(options: RunOptions, progress: Progress = silent, passphrase: Secret | None = None) -> House:
    """Take the home, recover, reconcile, and let the market play. ``passphrase`` opens the vault beforehand.

    Raises Refusal or JournalBroken with a sentence for the trader; whatever was opened is closed again.
    """
    one_heap()
    async with AsyncExitStack() as stack:
        ground = await _found(stack, options, progress, passphrase)
        engine, bonds, market = await _raise_engine(stack, ground, progress)
        keeper = Keeper(engine, market.papers, ground.book.journal, ground.stage.clock, ground.memory)
        stack.push_async_callback(keeper.close)
        await _serve(stack, ground, engine, bonds)
        await _play(stack, ground, engine, bonds, market, progress)
        keeper.start()
        closing = stack.pop_all()

    async def stop(reason: str) -> None:
        bonds.reason = reason
        await closing.aclose()

    return House(engine=engine, home=options.home, market=market, strongroom=ground.strongroom, stop=stop)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What stands before there is an engine: the home, its settings, the stage to set, the recovered book."""

    options: RunOptions
    settings: Settings
    calendar: Calendar
    stage: Stage
    book: Recovered
    memory: KeptMemory
    strongroom: Strongroom


async def _found(stack: AsyncExitStack, options: RunOptions, progress: Progress, passphrase: Secret | None) -> _Ground:
    """Take the home and recover its book. Raises Refusal(VAULT_WRONG) too."""
    lock = stack.enter_context(HomeLock(options.home))
    open_log(lock.home / LOG_NAME)
    settings = load(options.home)
    strongroom = Strongroom(options.home)
    stack.push_async_callback(strongroom.close)
    if passphrase is not None and not await strongroom.unlock(passphrase):
        raise Refusal("VAULT_WRONG", "The vault does not open with this passphrase; the log says more. Start again.")
    calendar = Calendar.load()
    stage = _stage(options, settings, calendar, strongroom, progress)
    progress("reading the journal")
    book = await recover(stage.place, stage.clock.now)
    stack.push_async_callback(book.journal.close)
    memory = await KeptMemory.begin(stage.place.folder, book)
    return _Ground(options, settings, calendar, stage, book, memory, strongroom)


async def _raise_engine(stack: AsyncExitStack, ground: _Ground, progress: Progress) -> tuple[Engine, Bonds, Market]:
    """Compose the engine with its brokers and its feed, and let it agree its book."""
    stage, bonds = ground.stage, Bonds()
    market = await stage.set(stack, bonds, progress)
    bonds.feed, bonds.papers = market.feed, market.papers
    plugins = plugins_of(ground.options.home, ground.settings)
    stack.push_async_callback(plugins.close)
    bonds.engine = engine = Engine(_world(ground, market, plugins), ground.book.state)
    progress("agreeing with the exchange")
    listed = market.feed.instruments(stage.clock.now().date())
    for paper in market.papers:
        paper.load(listed)
    stack.push_async_callback(bonds.farewell)
    if bonds.evidence is not None:
        bonds.evidence.attach(engine)
    await engine.start()
    return engine, bonds, market


def _world(ground: _Ground, market: Market, plugins: Plugins) -> World:
    options, settings, stage, book = ground.options, ground.settings, ground.stage, ground.book
    return World(
        name=stage.title,
        version=__version__,
        install_id=book.journal.install_id,
        clock=stage.clock,
        journal=book.journal,
        feed=market.feed,
        brokers=market.brokers,
        calendar=ground.calendar,
        limits=settings.risk.order_limits(),
        charge_for=order_charges,
        exercise_charge=exercise_charges,
        disk_free=lambda: shutil.disk_usage(options.home).free,
        playback=market.playback,
        cadence=stage.cadence,
        guard_only=book.guard_only,
        installs=frozenset(book.memory.installs),
        entry_stops=lambda: (*entry_stops(book.journal, options.home), *market.stops(), *ground.strongroom.stops()),
        vouched=market.feed.vouched,
        latch=KillLatch(stage.place.folder, options.home),
        limits_at_first=settings.risk.limits_at_first(),
        strategies=plugins,
    )


async def _serve(stack: AsyncExitStack, ground: _Ground, engine: Engine, bonds: Bonds) -> None:
    """Let consoles in."""
    strongroom = ground.strongroom
    strongroom.start()
    place = socket_path(ground.options.home)
    server = LinkServer(engine, place, on_consoles=bonds.on_consoles, unlock=strongroom.unlock)
    await server.start()
    stack.push_async_callback(server.close)
    if bonds.evidence is not None:  # the market is the real one
        tell = bonds.evidence.tell
        logins = LoginWatch(ground.settings.accounts, strongroom, ground.calendar, ground.stage.clock, tell)
        stack.push_async_callback(logins.close)
        logins.start()
    postbacks = postbacks_of(ground.settings, strongroom, engine.read_soon)
    if postbacks is not None:
        stack.push_async_callback(postbacks.close)
        await postbacks.start()


async def _play(
    stack: AsyncExitStack, ground: _Ground, engine: Engine, bonds: Bonds, market: Market, progress: Progress
) -> None:
    """Show the opening picture, take up what was left, and let the market run."""
    if market.playback is not None:
        # Time stands until the engine has taken in the opening picture: no quote passes by unseen.
        market.playback.pause()
    await market.feed.start(bonds.on_quotes)
    stack.push_async_callback(market.feed.stop)
    progress("waiting for quotes")
    await _first_quotes(engine, market)
    await _take_over(engine, ground.book)
    await ground.memory.note(engine, ground.book.journal)
    await engine.proceed()
    bonds.begun()
    if market.playback is not None:
        await _steer(ground.options, engine, market.playback)


async def _take_over(engine: Engine, book: Recovered) -> None:
    """What a lost store knew and the broker knows too; and a kill that its journal could not take."""
    if book.from_broker:
        await engine.take_positions()
    latched = engine.world.latch.why if engine.world.latch is not None else None
    if latched is not None or book.killed:
        why = latched or "latched before the store was lost"
        await engine.submit(EngageKill(id=fresh_id(), actor="recovery", why=why))


def _stage(
    options: RunOptions, settings: Settings, calendar: Calendar, strongroom: Strongroom, progress: Progress
) -> Stage:
    if options.live:
        # the adapters and all they need are loaded only by who trades for real
        from optconsole.runtime.live import live_stage

        return live_stage(options, settings, calendar, strongroom)
    if options.replay is None:
        return practice_stage(options, settings, calendar)
    # pyarrow takes a quarter of a second to import and only a replay needs it.
    from optconsole.runtime.recorded import recorded_stage

    return recorded_stage(options, settings, calendar, options.replay, progress)


async def _first_quotes(engine: Engine, market: Market) -> None:
    """Wait until the opening picture is in, so that who trades on readiness finds prices; not longer than a second."""
    clock: Clock = engine.world.clock
    wanted = len(engine.master) if market.playback is not None else min(1, len(engine.state.positions))
    began = clock.monotonic()
    while engine.board.quotes_seen < wanted and clock.monotonic() - began < FIRST_QUOTES_SECONDS:
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
