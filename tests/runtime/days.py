"""Trading days on virtual time: the real engine over the real paper exchange, killed and started again on the way.

The market is a function of the time alone, and stands still for half a minute around each of its moves, so that an
engine that was down for two seconds trades at the same prices as one that was not.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.clock import seeded
from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.core import Engine
from optconsole.engine.events import Recorded
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import listing
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.instruments import Instrument, Right
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST, millis
from optconsole.engine.store.codec import decode
from optconsole.engine.world import World
from optconsole.runtime.rates import exercise_charges, order_charges, paper_rules
from tests.simulation.disk import Disk, SimJournal
from tests.simulation.kernel import OWNER, HostClock, SimClock, SimLoop, TapeRandom
from tests.simulation.market import SimFeed
from tests.simulation.world import reap, still

SPOT: Final = 2_450_000
ACCOUNT: Final = Account(id="paper", broker="paper", mode=Mode.PAPER, capital=10_00_00_000_00)
AROUND: Final = 6
"""Seconds played before and after each moment of a day."""
DOWN: Final = 2.0
"""Seconds until a killed engine is started again."""

Moves = Sequence[tuple[str, Right, int]]
"""(time of day, kind of option, percent of its morning price from then on)."""


@dataclass
class Days:
    """What is played. ``kills`` is the chance of a crash at each commit and each second; 0 for none."""

    folder: Path
    days: Sequence[date]
    moves: Moves
    moments: Sequence[str]
    kills: float = 0.0
    seed: int = 0
    crashes: int = 0
    disk: Disk = field(default_factory=Disk)

    def play(self, *commands: AnyCommand) -> Engine:
        """Play all days; ``commands`` are given on the first morning. Returns the engine that lived last."""
        loop = SimLoop()
        with still():
            try:
                return loop.run_until_complete(self._run(loop, commands))
            finally:
                loop.run_until_complete(reap(loop))
                loop.close()

    @property
    def facts(self) -> list[Recorded]:
        """Everything in the journal."""
        return [decode(row.seq, row.at_ist, row.actor, row.cause, row.payload) for row in self.disk.synced]

    async def _run(self, loop: SimLoop, commands: Sequence[AnyCommand]) -> Engine:
        self._loop, self._dice = loop, random.Random(self.seed)
        self._calendar = Calendar.load()
        self._clock = SimClock(loop, _at(self.days[0], "09:14:50"))
        self._machine = HostClock(self._clock)
        self._lives, self._listed = 0, {day: listing("NIFTY", day, SPOT, 25) for day in self.days}
        await self._rise()
        for day in self.days:
            self._clock.jump(_at(day, "09:14:58"))
            self._broker.load(self._listed[day])
            await self._guarded(self._engine.open_session(day))
            await self._through("09:14:58", "09:15:04")
            if day == self.days[0]:
                for command in commands:
                    assert (await self._ask(command)).ok
            for moment in self.moments:
                middle = _at(day, moment)
                self._clock.jump(middle - timedelta(seconds=AROUND))
                await self._until(middle + timedelta(seconds=AROUND))
            self._clock.jump(_at(day, "15:39:57"))
            await self._until(_at(day, "15:40:03"))
            await self._up()
            self._broker.end_session(day)
            await self._guarded(self._engine.settled())
            await self._broker.delivered()
            await self._guarded(self._engine.close_session(day))
            await self._up()
        await self._guarded(self._engine.settled())
        return self._engine

    async def _through(self, begin: str, end: str) -> None:
        day = self._clock.now().date()
        self._clock.jump(_at(day, begin))
        await self._until(_at(day, end))

    async def _until(self, end: datetime) -> None:
        """Play second by second, with a quote of everything each second."""
        while self._clock.now() < end:
            self._tick()
            await asyncio.sleep(0.5)
            if self._dice.random() < self.kills and not self._died.done():
                self._died.set_result(None)
            await self._up()
            await asyncio.sleep(0.5)

    def _tick(self) -> None:
        now = self._clock.now()
        stamp = millis(now)
        quotes = [self._quote(each, now.time(), stamp) for each in self._listed[now.date()]]
        if not self._died.done():
            self._engine.on_quotes(quotes)
            self._broker.on_quotes(quotes)

    def _quote(self, instrument: Instrument, now: time, stamp: int) -> Quote:
        if instrument.right is None or instrument.strike is None:
            return Quote(name=instrument.name, ts=stamp, ltp=SPOT, booked=False)
        moved = [
            percent for at, right, percent in self.moves if right is instrument.right and time.fromisoformat(at) <= now
        ]
        price = max(morning(instrument) * (moved[-1] if moved else 100) // 500 * 5, 5)
        return Quote(
            name=instrument.name,
            ts=stamp,
            bid=price,
            bid_qty=65_000,
            ask=price + 5,
            ask_qty=65_000,
            ltp=price,
            oi=6_500,
        )

    # ------------------------------------------------------------ lives

    async def _up(self) -> None:
        """Start the engine again where it has died."""
        while self._died.done():
            self.crashes += 1
            self._journal.dead = True
            doomed = self._loop.kill(self._lives)
            await asyncio.gather(*doomed, return_exceptions=True)
            await self._broker.close()
            self.disk.crash(TapeRandom())
            await asyncio.sleep(DOWN)
            await self._rise()

    async def _rise(self) -> None:
        self._lives += 1
        died = self._died = self._loop.create_future()

        async def point(_name: str) -> None:
            if self._dice.random() < self.kills and not died.done():
                died.set_result(None)
            if died.done():
                await self._loop.create_future()

        self._journal = SimJournal(self.disk, point, lambda: 0.001, lambda: False)
        clock = self._machine.boot()
        self._broker = PaperBroker(
            ACCOUNT, clock, self.folder / "exchange.db", PaperSettings(), paper_rules(self._calendar), seeded(1)
        )
        self._broker.load(self._listed[self._clock.now().date()])
        self._engine = Engine(
            World(
                name="days",
                version="test",
                install_id="days",
                clock=clock,
                journal=self._journal,
                feed=SimFeed(lambda day: self._listed[day]),
                brokers={ACCOUNT.id: self._broker},
                calendar=self._calendar,
                limits=OrderLimits(),
                charge_for=order_charges,
                exercise_charge=exercise_charges,
                disk_free=lambda: None,
            ),
            self._journal.load(),
        )
        await self._guarded(self._engine.start())
        self._tick()
        await self._guarded(self._engine.proceed())

    async def _ask(self, command: AnyCommand) -> Reply:
        while True:
            reply: Reply | None = await self._guarded(self._engine.submit(command))
            if reply is not None:
                return reply
            await self._up()

    async def _guarded(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run the engine's own work in its life; None where it died meanwhile."""
        context = copy_context()
        context.run(OWNER.set, self._lives)
        task = self._loop.create_task(work, context=context)
        await asyncio.wait((task, self._died), timeout=120, return_when=asyncio.FIRST_COMPLETED)
        if self._died.done():
            return None
        assert task.done(), "it hangs"
        return task.result()


def morning(instrument: Instrument) -> int:
    """A price that falls by 18 paise a point away from the money: 100 rupees are some 400 points out."""
    assert instrument.strike is not None
    away = (instrument.strike - SPOT) * (1 if instrument.right is Right.CALL else -1)
    return max(17_200 - away * 18 // 100, 500) // 5 * 5


def _at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), IST)
