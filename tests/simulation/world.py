"""One run: some trading days of an engine that dies and comes back, over an exchange that does not."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Final
from unittest.mock import patch

from optconsole.engine.commands import AnyCommand
from optconsole.engine.core import Engine, World
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.orders import Side
from optconsole.engine.model.timeline import IST
from optconsole.engine.observe import log
from optconsole.engine.ports import JournalBroken
from optconsole.engine.state import apply, digest
from optconsole.engine.store.codec import decode
from tests.simulation.broker import Network, SimBroker
from tests.simulation.checker import Checker
from tests.simulation.disk import Disk, SimJournal
from tests.simulation.kernel import OWNER, OrderedTaskGroup, SimClock, SimLoop, Tapes
from tests.simulation.market import DAYS, LOT, OPTIONS, WEEKLY, Market, SimFeed
from tests.simulation.operator import Operator
from tests.simulation.papers import Breach
from tests.simulation.swarm import drawn

ACTIVE: Final = 75.0
QUIET: Final = 60.0
PATIENCE: Final = 120.0
"""Virtual seconds after which something that hangs is a breach."""
KNOWN_GAPS: Final[frozenset[str]] = frozenset()
"""Breaches of today's engine that have tests of their own; a run leaves them out unless it is strict."""


@dataclass
class Result:
    """What came of a run."""

    days: int = 0
    intents: int = 0
    restarts: int = 0
    calls: int = 0
    events: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    breaches: list[Breach] = field(default_factory=list)
    digest: str = ""
    tapes: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Life:
    """One life of the engine, from start to crash."""

    number: int
    engine: Engine
    journal: SimJournal
    broker: SimBroker
    died: asyncio.Future[None]
    fed: bool = False


@lru_cache(maxsize=1)
def _calendar() -> Calendar:
    return Calendar.load()


class Simulation:
    """Drives one run. Every choice comes off the tapes."""

    def __init__(self, loop: SimLoop, tapes: Tapes, without: frozenset[str], tolerated: frozenset[str]) -> None:
        self.loop, self.tapes, self.tolerated = loop, tapes, tolerated
        self.swarm = drawn(tapes["swarm"], without)
        self.clock = SimClock(loop, _at(DAYS[0], time(9, 20)))
        self.disk = Disk()
        self.network = Network(self.clock, loop, self.swarm, tapes["network"], _calendar())
        self.checker = Checker(self.network, self.disk, self.swarm, tolerated)
        self.network.judge = self.checker
        self.market = Market(self.clock, tapes["market"], self.swarm)
        self.operator = Operator(tapes["operator"], self.market)
        self.clients = OrderedTaskGroup()
        self.life: Life | None = None
        self.lives = 0
        self.held = False
        self._unanswered: dict[str, AnyCommand] = {}

    # ------------------------------------------------------------ days

    async def run(self, days: int) -> None:
        """Simulate so many trading days."""
        ticker = self.loop.create_task(self._tick())
        for number, day in enumerate(DAYS[:days]):
            self.checker.day = number
            await self._day(day, number)
            if self.checker.breaches:
                break
        ticker.cancel()
        await self.bury(crash=False)

    async def _day(self, day: date, number: int) -> None:
        self.clock.jump(_at(day, time(9, 20)))
        self.open_exchange()
        self.swarm.off = False
        if self.life is not None and self.life.fed:
            await self._guarded(self.life.engine.open_session(day))
        await self._active()
        await self._quiet()
        await self._close(day)

    def open_exchange(self) -> None:
        """List the day's contracts and show the opening picture at the exchange."""
        day = self.clock.now().date()
        self.network.exchange.load(self.market.listed(day))
        self.network.exchange.on_quotes(self.market.opening(day))

    async def _active(self) -> None:
        until = self.loop.time() + ACTIVE
        while self.loop.time() < until:
            if self.life is None or self.life.died.done() or self.life.engine.broken is not None:
                await self.bury(crash=True)
                await asyncio.sleep(self.tapes["crash"].uniform(0.5, 8))
                await self.rise()
                continue
            self._trade(self.life)
            await asyncio.wait((self.life.died,), timeout=self.operator.pause())

    async def _quiet(self) -> None:
        """Faults end, calls arrive, a minute passes, a clean restart reconciles: then everything must hold."""
        self.swarm.off = True
        while self.network.on_the_way:  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(1)
        if self.life is None or self.life.died.done() or self.life.engine.broken is not None or not self.life.fed:
            await self.bury(crash=True)
            await self.rise()
        await asyncio.sleep(QUIET)
        self.checker.watch()
        await self.bury(crash=self.tapes["crash"].byte() % 2 == 1)
        await self.rise()
        await asyncio.sleep(12)
        self.held = True  # a report that is on its way is no drift
        await asyncio.sleep(1)
        await self._settled()
        self.checker.reconciled()
        self.checker.quiet()
        if self.life is not None:
            self.checker.shown(self.life.engine.state)
        self.held = False

    async def _close(self, day: date) -> None:
        """The broker squares off MIS, the session ends, day orders are gone."""
        self.clock.jump(_at(day, time(15, 30, 5)))
        await asyncio.sleep(4)
        self.clock.jump(_at(day, time(15, 40, 1)))
        await asyncio.sleep(2)
        self.network.exchange.end_session(day)
        await asyncio.sleep(2)
        self.checker.look()
        await self._settled()
        assert self.life is not None
        await self._guarded(self.life.engine.close_session(day))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if self.held:
                continue
            quotes, life = self.market.step(), self.life
            if (
                life is not None
                and life.fed
                and not life.died.done()
                and not (self.market.frozen and not self.swarm.off)
            ):
                life.engine.on_quotes(quotes)
            self.network.exchange.on_quotes(quotes)
            self.network.exchange.on_time(self.clock.now())

    # ------------------------------------------------------------ the trader

    def _trade(self, life: Life) -> None:
        self.checker.watch()
        weekly = self.clock.now().date() <= WEEKLY
        if self.swarm.strikes("ex.foreign", self.tapes["network"]):
            name = OPTIONS[self.tapes["network"].byte() % 3].name
            self.checker.foreign(name)
            self.network.foreign(name, Side.BUY, LOT, self.market.price(name) - 10 * 5)
        command = self.operator.command(life.engine.state, weekly)
        if command is not None:
            self.clients.spawn(self._ask(life, command))

    async def _ask(self, life: Life, command: AnyCommand) -> None:
        self._unanswered[command.id] = command
        reply = await life.engine.submit(command)
        self._unanswered.pop(command.id, None)
        self.checker.answered(command, reply)

    # ------------------------------------------------------------ lives

    async def rise(self) -> None:
        """Start the engine until it stays up: a supervisor does as much."""
        for _ in range(30):
            if await self._start():
                return
            await self.bury(crash=True)
            await asyncio.sleep(2)
        self.checker.breach("I-18", "the engine did not come up in thirty starts")

    async def _start(self) -> bool:
        self.lives += 1
        number, died = self.lives, self.loop.create_future()
        crash, swarm = self.tapes["crash"], self.swarm

        async def point(_name: str) -> None:
            if not died.done() and swarm.strikes("host.crash", crash):
                died.set_result(None)
            if died.done():
                await self.loop.create_future()

        def delay() -> float:
            return crash.uniform(0.05, 1.5) if swarm.strikes("store.slow", crash) else 0.001

        journal = SimJournal(self.disk, point, delay, lambda: swarm.strikes("store.fail", crash))
        broker = SimBroker(self.network, number, point)
        try:
            state = journal.load()
        except JournalBroken as broken:
            self.checker.breach("I-8", f"the journal does not load: {broken.text}")
            return False
        life = self.life = Life(number, self._engine(journal, broker, state), journal, broker, died)
        if not await self._guarded(life.engine.start()):
            return False
        life.engine.on_quotes(self.market.opening(self.clock.now().date()))
        life.fed = await self._guarded(life.engine.proceed())
        return life.fed

    def _engine(self, journal: SimJournal, broker: SimBroker, state: TradingState) -> Engine:
        world = World(
            name="simulated",
            version="sim",
            install_id="simulated",
            clock=self.clock,
            journal=journal,
            feed=SimFeed(self.market.listed),
            brokers={broker.account.id: broker},
            calendar=_calendar(),
            limits=OrderLimits(),
            charge_for=lambda _day, _instrument, _side, value: 20_00 + value // 1000,
            exercise_charge=lambda _day, _instrument, value: value // 800,
            disk_free=lambda: None,
        )
        return Engine(world, state)

    async def _guarded(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Run the engine's own work in its life. False when it died, refused, or hung, which is a breach."""
        life = self.life
        assert life is not None
        context = copy_context()
        context.run(OWNER.set, life.number)
        task = self.loop.create_task(work, context=context)
        await asyncio.wait((task, life.died), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if life.died.done():
            return False
        if not task.done():
            self.checker.breach("I-18", f"{getattr(work, '__qualname__', 'work')} did not end within {PATIENCE:.0f} s")
            return False
        error = task.exception()
        if error is not None and not isinstance(error, Refusal):
            raise error
        return error is None

    async def bury(self, crash: bool) -> None:
        """End a life, in good order or not. What it left on the disk must fold to what it knew."""
        life, self.life = self.life, None
        if life is None:
            return
        if not crash and life.fed and not life.died.done():
            self.life = life
            await self._guarded(life.engine.stop("sim"))
            self.life = None
        life.broker.dead = life.journal.dead = True
        self.network.attach(None)
        self.network.forget(life.number)
        await self.clients.end()
        doomed = self.loop.kill(life.number)
        await asyncio.gather(*doomed, return_exceptions=True)
        self.disk.crash(self.tapes["crash"])
        self._replay(life.engine.state)

    def _replay(self, live: TradingState) -> None:
        fold = TradingState()
        for row in self.disk.synced[: live.seq]:
            apply(fold, decode(row.seq, row.at_ist, row.actor, row.cause, row.payload))
        self.checker.replayed((live.seq, digest(live)), digest(fold))
        if live.seq:
            self.disk.checkpoint = (live.seq, digest(live))

    async def _settled(self) -> None:
        assert self.life is not None
        await self._guarded(self.life.engine.settled())


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, IST)


Mutation = Callable[[], AbstractContextManager[object]]


def simulate(
    tapes: Tapes,
    days: int,
    mutation: Mutation = nullcontext,
    without: frozenset[str] = frozenset(),
    tolerated: frozenset[str] = KNOWN_GAPS,
    shuffle: float = 0.0,
) -> Result:
    """One run over the tapes. The same tapes give the same run, byte for byte."""
    loop = SimLoop(tapes["schedule"], shuffle)
    with mutation(), still():
        simulation = Simulation(loop, tapes, without, tolerated)
        try:
            loop.run_until_complete(simulation.run(days))
        finally:
            loop.run_until_complete(reap(loop))
            simulation.network.exchange._ledger.close()
            loop.close()
    checker = simulation.checker
    return Result(
        days=checker.day + 1,
        intents=checker.intents,
        restarts=max(simulation.lives - 1, 0),
        calls=len(simulation.network.calls),
        events=len(simulation.disk.synced),
        faults=simulation.swarm.done,
        breaches=checker.breaches,
        digest=hashlib.sha256(checker.trace()).hexdigest(),
        tapes={name: tape.used for name, tape in tapes.items()},
    )


async def reap(loop: SimLoop) -> None:
    """End what still runs when a run is over."""
    me = asyncio.current_task()
    doomed = [task for owner in sorted(loop.lives) for task in list(loop.lives[owner]) if task is not me]
    for task in doomed:
        task.cancel()
    await asyncio.gather(*doomed, return_exceptions=True)


@contextmanager
def still() -> Iterator[None]:
    """No collection, no log and no chance within a run."""
    numbers = itertools.count(1)
    disabled, collecting = logging.root.manager.disable, gc.isenabled()
    logging.disable(logging.CRITICAL)
    gc.disable()
    try:
        with patch.object(log, "fresh_id", lambda: f"{next(numbers):016d}"):
            yield
    finally:
        logging.disable(disabled)
        if collecting:
            gc.enable()


def tape_text(tapes: Mapping[str, bytes]) -> str:
    """Tapes as one shell word: ``name=hex,…`` without trailing zeros."""
    kept = {name: tape.rstrip(b"\0").hex() for name, tape in tapes.items()}
    return ",".join(f"{name}={text}" for name, text in kept.items() if text)


def tapes_of(text: str) -> dict[str, bytes]:
    """The inverse of ``tape_text``."""
    pairs = (part.split("=", 1) for part in text.split(",") if part)
    return {name: bytes.fromhex(digits) for name, digits in pairs}
