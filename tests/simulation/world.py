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
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from unittest.mock import patch

import msgspec

from optconsole.engine.commands import AnyCommand
from optconsole.engine.core import Engine
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import Level, Limit, LimitKind, OrderLimits
from optconsole.engine.model.orders import Side
from optconsole.engine.model.timeline import IST
from optconsole.engine.observe import log
from optconsole.engine.ports import JournalBroken
from optconsole.engine.state import apply, digest
from optconsole.engine.store.codec import decode
from optconsole.engine.world import World
from tests.simulation.broker import SimBroker, Wire
from tests.simulation.chain import Chain
from tests.simulation.checker import Checker
from tests.simulation.disk import Disk, SimJournal
from tests.simulation.kernel import OWNER, HostClock, OrderedTaskGroup, SimClock, SimLoop, Tapes
from tests.simulation.lots import CAPS, CAPS_OF_RUNS
from tests.simulation.market import DAYS, LOT, OPTIONS, WEEKLY, Market, SimFeed
from tests.simulation.operator import Operator
from tests.simulation.papers import Breach
from tests.simulation.strategist import Strategist
from tests.simulation.swarm import HOST, QUIET_RUNS, Faults, Swarm, never
from tests.simulation.venue import DIALECTS, Dialect, Venue
from tests.simulation.verbs import EMBEDDED, EXCHANGE, REMOTE, SHARED, STRATEGIES

ACTIVE: Final = 75.0
QUIET: Final = 60.0
PATIENCE: Final = 120.0
"""Virtual seconds after which something that hangs is a breach."""
WITH_RUNS: Final = 0.5
"""Share of the runs in which strategies trade."""
CLOSING: Final = 45.0
"""Virtual seconds of the last ten minutes that are lived through where strategies leave in them."""
AGREES: Final = 8
KNOWN_GAPS: Final[frozenset[str]] = frozenset()
"""Breaches of today's engine that have tests of their own; a run leaves them out unless it is strict."""


@dataclass
class Result:
    """What came of a run. ``accounts`` are their dialects, ``pairs`` the days on which two faults met."""

    days: int = 0
    accounts: tuple[str, ...] = ()
    intents: int = 0
    restarts: int = 0
    calls: int = 0
    events: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)
    breaches: list[Breach] = field(default_factory=list)
    digest: str = ""
    tapes: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Life:
    """One life of the engine, from start to crash."""

    number: int
    engine: Engine
    journal: SimJournal
    brokers: list[SimBroker]
    died: asyncio.Future[None]
    fed: bool = False


@dataclass(frozen=True)
class Setting:
    """What a run leaves out or lets through: fault verbs never drawn, gaps tolerated, checks and verbs woken.

    ``dialects`` are those of the accounts, one each; None draws one to three. ``strategies`` says whether a chain is
    listed and strategies run on it; None draws it.
    """

    without: frozenset[str] = frozenset()
    tolerated: frozenset[str] = KNOWN_GAPS
    woken: frozenset[str] = frozenset()
    dialects: tuple[Dialect, ...] | None = None
    strategies: bool | None = None


@lru_cache(maxsize=1)
def _calendar() -> Calendar:
    return Calendar.load()


class Simulation:
    """Drives one run. Every choice comes off the tapes."""

    def __init__(self, loop: SimLoop, tapes: Tapes, setting: Setting) -> None:
        self.loop, self.tapes, self.setting = loop, tapes, setting
        choices = tapes["swarm"]
        drawn = tuple(choices.pick(DIALECTS) for _ in range(choices.pick((1, 2, 1, 3))))
        self.swarm = Swarm(loop, quiet=choices.happens(QUIET_RUNS))
        self.clock = SimClock(loop, _at(DAYS[0], time(9)))
        self.machine = HostClock(self.clock)
        self.disk = Disk()
        barred = never(setting.without, setting.woken)
        wanted = setting.strategies
        self.runs = tapes["strategist"].happens(WITH_RUNS) if wanted is None else wanted
        self.host = Faults(self.swarm, tapes, HOST, (*SHARED, *STRATEGIES) if self.runs else SHARED, barred)
        self.wires: dict[str, Wire] = {}
        for place, dialect in enumerate(setting.dialects or drawn):
            verbs = (*(EMBEDDED if dialect.embedded else REMOTE), *EXCHANGE)
            faults = Faults(self.swarm, tapes, f"SIM{place + 1}", verbs, barred)
            mode = Mode.LIVE if self.runs and not dialect.embedded else Mode.PAPER
            venue = Venue(place, dialect, self.clock, loop, faults, _calendar(), mode)
            self.wires[venue.account.id] = Wire(venue, loop, faults, tapes[f"network@{venue.account.id}"])
        self.checker = Checker(self.wires, self.disk, self.swarm, loop, self.clock, setting.tolerated, setting.woken)
        self.caps = CAPS_OF_RUNS if self.runs else CAPS
        self.checker.caps, self.checker.price = self.caps, self._price
        chain = Chain(self.clock, tapes["chain"], self.host) if self.runs else None
        self.market = Market(self.clock, tapes["market"], self.host, chain)
        self.operator = Operator(tapes["operator"], self.market, tuple(self.wires))
        self.strategist = Strategist(tapes["strategist"], tuple(self.wires)) if self.runs else None
        self.clients = OrderedTaskGroup()
        self.life: Life | None = None
        self.lives = 0
        self.held = False
        self._stamps: dict[str, float] = {}

    def _price(self, name: str) -> int | None:
        """What a contract is worth at the exchanges now."""
        return self.market.worth(name)

    @property
    def venues(self) -> list[Venue]:
        """Each account's exchange."""
        return [wire.venue for wire in self.wires.values()]

    # ------------------------------------------------------------ days

    async def run(self, days: int) -> None:
        """Simulate so many trading days."""
        ticker = self.loop.create_task(self._tick())
        for number, day in enumerate(DAYS[:days]):
            self.checker.day = number
            await self._day(day)
            self.checker.day_over()
            if self.checker.breaches:
                break
        ticker.cancel()
        await self.bury(crash=False)

    async def _day(self, day: date) -> None:
        self.clock.jump(_at(day, self.tapes["swarm"].pick((time(9, 20), time(9, 14, 30)))))
        self.swarm.off = False
        self.market.open_day()
        if self.strategist is not None:
            self.strategist.new_day(self.clock.now(), self.market.listed(day))
        self.open_exchange()
        if self.life is not None and self.life.fed:
            await self._guarded(self.life.engine.open_session(day))
        await self._active()
        await self._quiet()
        await self._close(day)

    def open_exchange(self) -> None:
        """List the day's contracts and show the opening picture at the exchanges."""
        day = self.clock.now().date()
        for venue in self.venues:
            venue.open_day(self.market.listed(day), self.market.opening(day))

    async def _active(self) -> None:
        until = self.loop.time() + ACTIVE
        while self.loop.time() < until or self.host.on("px.dead"):
            if self.life is None or self.life.died.done() or self.life.engine.broken is not None:
                await self.bury(crash=True)
                await asyncio.sleep(self.tapes["crash"].uniform(0.5, 8))
                await self.rise()
                continue
            self._suffer(self.life)
            self._trade(self.life)
            await asyncio.wait((self.life.died,), timeout=self.operator.pause())

    async def _quiet(self) -> None:
        """Faults end, calls arrive, a minute passes, a clean restart reconciles: then everything must hold."""
        self.swarm.off = True
        self.machine.off = timedelta(0)
        self.loop.resume()
        while any(wire.on_the_way for wire in self.wires.values()):  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(1)
        if self.life is None or self.life.died.done() or self.life.engine.broken is not None or not self.life.fed:
            await self.bury(crash=True)
            await self.rise()
        await asyncio.sleep(QUIET)
        self.checker.watch()
        if self.life is not None:
            await self._settled()
            self._count(self.life)
        lag = max(venue.dialect.lag for venue in self.venues)
        if lag and "book-read-once" in self.setting.tolerated:
            self.held = True  # what trades while a book lags is not read again
            await asyncio.sleep(lag)
        await self.bury(crash=self.tapes["crash"].byte() % 2 == 1)
        await self.rise()
        self.held = False
        await asyncio.sleep(12)
        self.held = True  # a report that is on its way is no drift
        await asyncio.sleep(1)
        await self._settled()
        if self.runs:
            await self._agreed()
        self.checker.reconciled()
        self.checker.quiet()
        if self.life is not None:
            self.checker.shown(self.life.engine.state)
        self.held = False

    async def _agreed(self) -> None:
        """Runs trade in the quiet minute too: wait until nothing of it is on its way."""
        for _ in range(AGREES):
            if self.checker.agrees():
                return
            await asyncio.sleep(1)
            await self._settled()

    async def _close(self, day: date) -> None:
        """The broker squares off MIS, the session ends, day orders are gone."""
        self.clock.jump(_at(day, time(15, 30, 5)))
        await asyncio.sleep(CLOSING if self.runs else 4)
        self.checker.closing()
        self.clock.jump(_at(day, time(15, 40, 1)))
        await asyncio.sleep(2)
        for venue in self.venues:
            venue.exchange.end_session(day)
        await asyncio.sleep(2 + max(venue.dialect.lag for venue in self.venues))
        self.checker.truth.look()
        await self._settled()
        assert self.life is not None
        await self._guarded(self.life.engine.close_session(day))
        self._count(self.life)

    def _count(self, life: Life) -> None:
        """What a life holds while nothing is under way."""
        tasks, timers = len(self.loop.lives.get(life.number, ())), self.loop.timers(life.number)
        self.checker.bounds.counted(tasks, timers, life.engine.inbox_size)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if self.held:
                continue
            quotes, life = self.market.step(), self.life
            if life is not None and life.fed and not life.died.done() and not self.loop.paused:
                shown = self.market.feed(quotes)
                if shown:
                    life.engine.on_quotes(shown)
                    self.checker.quoted_at = self.loop.time()
            for venue in self.venues:
                venue.on_quotes(quotes)
            self.checker.tick()

    # ------------------------------------------------------------ the trader

    def _suffer(self, life: Life) -> None:
        """What happens to the machine and, by others, to the accounts."""
        if (tape := self.host.strikes("host.pause")) is not None and not self.loop.paused:
            seconds = tape.uniform(2, 40)
            self.swarm.trouble_until = max(self.swarm.trouble_until, self.loop.time() + seconds)
            self.checker.paused(seconds)
            self.loop.pause(life.number)
            self.loop.call_later(seconds, self.loop.resume)
        if (tape := self.host.strikes("host.clock_step")) is not None:
            self.host.begin("host.clock_step", tape.uniform(5, 60))
            self.machine.off = timedelta(seconds=tape.uniform(1, 3600) * tape.pick((1, -1)))
            self.checker.clock_off()
        elif not self.host.on("host.clock_step"):
            self.machine.off = timedelta(0)
        for account, wire in self.wires.items():
            self._others(account, wire)

    def _others(self, account: str, wire: Wire) -> None:
        if (tape := wire.faults.strikes("ex.foreign")) is not None:
            name = OPTIONS[tape.byte() % 3].name
            self.checker.foreign(account, name)
            wire.venue.foreign(name, Side.BUY, LOT, self.market.price(name) - 10 * 5)
        if (tape := wire.faults.strikes("ex.broker_closes")) is not None:
            closed = wire.venue.close_leg(tape.byte())
            if closed:
                self.checker.foreign(account, closed)

    def _trade(self, life: Life) -> None:
        self.checker.watch()
        weekly = self.clock.now().date() <= WEEKLY
        strategist = self.strategist
        if strategist is None or not strategist.alone:
            self._send(life, self.operator.command(life.engine.state, weekly))
        if strategist is not None:
            self._send(life, strategist.command(life.engine.state))

    def _send(self, life: Life, command: AnyCommand | None) -> None:
        if command is not None:
            self.clients.spawn(self._ask(life, command))

    async def _ask(self, life: Life, command: AnyCommand) -> None:
        # as a console does: a command that is sent again says when it was first asked
        first = self._stamps.setdefault(command.id, self.loop.time())
        command = msgspec.structs.replace(command, asked=first)
        self.checker.asked(command, life.number)
        reply = await life.engine.submit(command)
        self.checker.answered(command, reply, life.number)

    # ------------------------------------------------------------ lives

    async def rise(self) -> None:
        """Start the engine until it stays up: a supervisor does as much."""
        for _ in range(30):
            if await self._start():
                return
            await self.bury(crash=True)
            await asyncio.sleep(2)
        if self.swarm.off:
            self.checker.breach("I-18", "the engine did not come up in thirty starts")

    async def _start(self) -> bool:
        self.lives += 1
        number, died, host = self.lives, self.loop.create_future(), self.host

        async def point(name: str) -> None:
            if not died.done() and host.strikes("host.crash", name) is not None:
                died.set_result(None)
                self.checker.up_since = None
            if died.done():
                await self.loop.create_future()

        def fails() -> bool:
            if host.strikes("store.fail") is None:
                return False
            self.checker.store_failed(number)
            return True

        journal = SimJournal(self.disk, point, self._commit_time, fails)
        brokers = [SimBroker(wire, number, point) for wire in self.wires.values()]
        try:
            state = journal.load()
        except JournalBroken as broken:
            self.checker.breach("I-8", f"the journal does not load: {broken.text}")
            return False
        life = self.life = Life(number, self._engine(journal, brokers, state), journal, brokers, died)
        if not await self._guarded(life.engine.start()):
            return False
        life.engine.on_quotes(self.market.opening(self.clock.now().date()))
        life.fed = await self._guarded(life.engine.proceed())
        self.checker.up_since = self.loop.time() if life.fed else None
        return life.fed

    def _commit_time(self) -> float:
        """Seconds until a commit is synced."""
        if (tape := self.host.strikes("store.lock")) is not None:
            seconds = tape.uniform(2, 20)
            self.swarm.trouble_until = max(self.swarm.trouble_until, self.loop.time() + seconds)
            self.checker.paused(seconds)
            return seconds
        return 0.001 if (tape := self.host.strikes("store.slow")) is None else tape.uniform(0.05, 1.5)

    def _engine(self, journal: SimJournal, brokers: list[SimBroker], state: TradingState) -> Engine:
        world = World(
            name="simulated",
            version="sim",
            install_id="simulated",
            clock=self.machine.boot(),
            journal=journal,
            feed=SimFeed(self.market.listed),
            brokers={broker.account.id: broker for broker in brokers},
            calendar=_calendar(),
            limits=OrderLimits(max_lots=CAPS.order),
            charge_for=lambda _day, _instrument, _side, value: 20_00 + value // 1000,
            exercise_charge=lambda _day, _instrument, value: value // 800,
            disk_free=lambda: None,
            limits_at_first=tuple(
                Limit(level=Level.ACCOUNT, name=account, kind=LimitKind.OPEN_LOTS, value=self.caps.account)
                for account in self.wires
            ),
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
        self.checker.up_since = None
        self.loop.resume()
        if life is None:
            return
        if not crash and life.fed and not life.died.done():
            self.life = life
            await self._guarded(life.engine.stop("sim"))
            self.life = None
        life.journal.dead = True
        for broker in life.brokers:
            broker.dead = True
        for wire in self.wires.values():
            wire.attach(None)
            wire.forget(life.number)
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


USUAL: Final = Setting()
Mutation = Callable[[], AbstractContextManager[object]]


def simulate(
    tapes: Tapes,
    days: int,
    mutation: Mutation = nullcontext,
    setting: Setting = USUAL,
    shuffle: float = 0.0,
) -> Result:
    """One run over the tapes. The same tapes give the same run, byte for byte."""
    with mutation(), still():
        return _simulate(tapes, days, setting, shuffle)


def _simulate(tapes: Tapes, days: int, setting: Setting, shuffle: float) -> Result:
    loop = SimLoop(tapes["schedule"], shuffle)
    simulation = Simulation(loop, tapes, setting)
    try:
        loop.run_until_complete(simulation.run(days))
    finally:
        loop.run_until_complete(reap(loop))
        for venue in simulation.venues:
            venue.close()
        loop.close()
    checker = simulation.checker
    return Result(
        days=checker.day + 1,
        intents=checker.intents,
        restarts=max(simulation.lives - 1, 0),
        accounts=tuple(venue.dialect.name for venue in simulation.venues),
        calls=sum(len(wire.calls) for wire in simulation.wires.values()),
        events=len(simulation.disk.synced),
        faults=simulation.swarm.done,
        pairs=simulation.swarm.pairs,
        breaches=checker.breaches,
        digest=hashlib.sha256(checker.trace()).hexdigest(),
        tapes=tapes.used(),
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
        tidy()
        if collecting:
            gc.enable()


_tidied = False


def tidy() -> None:
    """Collect what a run left behind. What was there before the first run is not looked through again and again."""
    global _tidied
    gc.collect()
    if not _tidied:
        gc.freeze()
        _tidied = True


def days_of(seed: int) -> int:
    """How many days the run of a seed has: one to five."""
    return 1 + seed % 5


def tape_text(tapes: Mapping[str, bytes]) -> str:
    """Tapes as one shell word: ``name=hex,…`` without trailing zeros."""
    kept = {name: tape.rstrip(b"\0").hex() for name, tape in tapes.items()}
    return ",".join(f"{name}={text}" for name, text in kept.items() if text)


def tapes_of(text: str) -> dict[str, bytes]:
    """The inverse of ``tape_text``."""
    pairs = (part.split("=", 1) for part in text.split(",") if part)
    return {name: bytes.fromhex(digits) for name, digits in pairs}
