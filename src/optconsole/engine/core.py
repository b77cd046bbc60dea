"""The engine: one task, one inbox; decide, store, apply, publish, act."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.clock import seeded
from optconsole.engine.commands import AnyCommand, EditRun, Reply, SaveBasket, strategies_of
from optconsole.engine.events import Recorded
from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.health import AccountHealth
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.runs import LegStage
from optconsole.engine.model.vitals import DoubtVitals, Vitals
from optconsole.engine.observe.meters import Meters
from optconsole.engine.ports import BrokerUnreachable, BrokerUpdate, JournalBroken, Snapshot, Tap
from optconsole.engine.queries import Anchor, AnyAnswer, AnyQuery, Check, JournalVerdict, Refused
from optconsole.engine.reading import Reader
from optconsole.engine.rules.limits import FundsSeen
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.shell.agreement import Agreement
from optconsole.engine.shell.answers import Answers
from optconsole.engine.shell.effects import Effects
from optconsole.engine.shell.inbox import Asked, Heard, Inbox, Nudged, Unreadable
from optconsole.engine.shell.latching import UnstoredKill
from optconsole.engine.shell.pacing import pace
from optconsole.engine.shell.proving import prove
from optconsole.engine.shell.record import Record
from optconsole.engine.shell.sight import Sight
from optconsole.engine.shell.vigil import Vigil
from optconsole.engine.shell.worker import Rooms, Worker
from optconsole.engine.tap import ConflatedTap
from optconsole.engine.trading import sentinel
from optconsole.engine.trading.letters import EVIDENCE
from optconsole.engine.trading.lookout import Lookout
from optconsole.engine.trading.runs.alarms import next_alarm
from optconsole.engine.watching import BookWatch
from optconsole.engine.world import World

COMMANDS_RECALLED: Final = 5_000
"""Facts looked through at a start for commands that were carried out before it."""
AGREE_AGAIN: Final = 5.0
"""Seconds until an account that could not be read at the start is read again."""


class Engine:
    """Owns the trading state. Everything that may change it goes through one inbox and one task."""

    def __init__(self, world: World, state: TradingState) -> None:
        self.world = world
        self.board = QuoteBoard()
        self.master = InstrumentMaster(())
        self.consoles = 0
        self.meters = Meters(started=world.clock.monotonic())
        self._log = logging.getLogger("optconsole.engine")
        self._record = Record(world.journal, state)
        self._answers = Answers()
        self._lookout = Lookout()
        self._compose()
        self._reader = Reader(self)

    def _compose(self) -> None:
        """Tie the rooms of the shell together; each sees the state as it is when it looks."""
        world, book = self.world, self._record.book
        self._inbox = inbox = Inbox(self._under_way)
        jitter = seeded(world.install_id)
        self._watches = watches = {
            name: BookWatch(broker, world.clock, jitter, self._pace_of(name), inbox.put, self._unreadable, inbox.look)
            for name, broker in world.brokers.items()
        }
        self._kill = kill = UnstoredKill(world.clock, world.latch, lambda request, at: self._effects.act(request, at))
        self._effects = Effects(world, inbox, watches, book, lambda: kill.why)
        self._sight = Sight(
            world, self.board, self.meters, watches, self._effects.requests, book, kill.stops, lambda: self.master
        )
        self._agreement = Agreement(world, inbox, watches, book)
        self._worker = Worker(
            Rooms(world, self._record, inbox, self._answers, self._effects, kill, self._sight, lambda: self.master)
        )
        self._sight.books = self._worker.hearing.books
        self._vigil = Vigil(
            world.clock,
            self.meters,
            inbox,
            watches,
            self._record,
            self._worker.hearing.sees,
            self._worker.latch_again,
            self._sight.look,
        )

    @property
    def state(self) -> TradingState:
        """The trading state as of the last durable fact. Replaced, never changed."""
        return self._record.state

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Take the store, open the day, agree with the brokers, then allow entries."""
        past = await self.world.journal.read(limit=COMMANDS_RECALLED, last=True)
        if past:
            self.world.clock.not_before(max(fact.at for fact in past))
        self._answers.recall(past)
        self._inbox.spawn(self._worker.run(), "engine")
        self._inbox.spawn(self._vigil.run(), "loop-watch")
        await self._inbox.state(
            [ev.EngineStarted(version=self.world.version, world=self.world.name, epoch=self.state.epoch + 1)]
        )
        if self.world.limits_at_first and not self.state.limits_seeded:
            await self._inbox.state([ev.LimitsSeeded(limits=self.world.limits_at_first)])
        await self.open_session(self.world.clock.now().date())
        checked, adopted = 0, len(self.state.trades)
        connected = [account for account in self.world.brokers if await self._connect(account)]
        for account in connected:
            checked += await self._agree(account)
        await self.settled()
        self._answers.review(self.state)
        adopted = len(self.state.trades) - adopted
        await self._inbox.state([ev.EngineReady(orders_checked=checked, fills_adopted=adopted)])
        if self.world.guard_only:
            await self._inbox.state([ev.NoticeRaised(level="alarm", code="GUARD_ONLY", text=self.world.guard_only)])

    async def _connect(self, account: str) -> bool:
        """Whether the way to an account's broker is open; one that is not is opened later."""
        broker, watch, known = self.world.brokers[account], self._watches[account], self.state.accounts.get(account)
        if known is None or known.account != broker.account:
            await self._inbox.state([ev.AccountOpened(account=broker.account)])
        try:
            await self._agreement.connect(account, self.hearer(account))
        except Refusal as refused:
            await self._put_off(account, refused, connected=False)
            return False
        finally:
            self._inbox.spawn(watch.run(), f"book-{account}")
            self._inbox.spawn(watch.read_funds(), f"funds-{account}")
        return True

    async def _agree(self, account: str) -> int:
        """Bring our book and an account's together, now or later; returns the orders compared."""
        try:
            return await self._agreement.reconcile(account)
        except Refusal as refused:
            await self._put_off(account, refused, connected=True)
            return 0

    async def _put_off(self, account: str, refused: Refusal, connected: bool) -> None:
        """One that cannot be reached must not keep the others unguarded: its entries wait until it can be.

        Raises the Refusal where the exchange is our own: without it there is nothing to guard.
        """
        if self.world.brokers[account].book_is_proof:
            raise refused
        text = f"{refused.text} Nothing is entered on {account} until its book could be read."
        await self._inbox.state([ev.NoticeRaised(level="alarm", code="NOT_AGREED", text=text, subject=account)])
        self._inbox.spawn(self._agree_later(account, connected), f"agree-{account}")

    async def _agree_later(self, account: str, connected: bool) -> None:
        while True:
            await self.world.clock.sleep(AGREE_AGAIN)
            with suppress(Refusal):
                if not connected:
                    await self._agreement.connect(account, self.hearer(account))
                    connected = True
                await self._agreement.reconcile(account, late=True)
                self.tell("AGREED", f"The book of {account} was read; what differs from ours is told apart.", "info")
                return

    async def take_positions(self) -> None:
        """Take the broker's quantities for ours: the store that knew how they came about is not there any more."""
        await self._agreement.take_positions(self.master, self.board)

    async def stop(self, reason: str) -> None:
        """Finish what is in the inbox, say goodbye in the journal, let go of brokers."""
        for watch in self._watches.values():
            watch.close()
        await self.settled()
        await self._agreement.part()
        if self._record.broken is None:
            with suppress(Refusal):  # a store that cannot be written takes no goodbye either; the log says so
                await self._inbox.state([ev.EngineStopped(reason=reason)])
        await self._inbox.end()

    async def open_session(self, day: date) -> None:
        """Load the day's contracts; begin the day in the journal unless it has begun already."""
        self.master = InstrumentMaster(tuple(self.world.feed.instruments(day)))
        if self.state.day is None or self.state.day < day:
            await self._inbox.state([ev.SessionOpened(day=day)])
        held = [position.key.contract for position in self.state.positions.values() if position.qty]
        if len(self.master):
            self.board.keep({*held, *(each.name for each in self.master.instruments())})
        self.world.feed.watch(held)

    async def close_session(self, day: date) -> None:
        """Record the end of the day once the broker's closing facts are in."""
        await self.settled()
        await self._inbox.state([ev.SessionClosed(day=day)])

    async def proceed(self) -> None:
        """Take up what an earlier run left unfinished, now that prices are known."""
        await self._inbox.pass_by()

    async def settled(self) -> None:
        """Wait until the inbox is empty and every request of ours is answered."""
        await self._inbox.settled()

    def on_quotes(self, quotes: Sequence[Quote]) -> None:
        """The quote path: synchronous, overwriting, no queue."""
        now = self.world.clock.monotonic()
        self.board.update(quotes, now)
        self.meters.quotes.add(now, len(quotes))
        self.meters.last_quote = now
        if quotes:
            self.world.clock.heard(quotes[-1].ts)
        # both are asked: each keeps its own memory
        crossed, due = self._lookout.crossed(self.state, quotes), self._lookout.due(self.state, self.world.clock.now())
        if crossed or due:
            self._inbox.put(Nudged())

    def keep_evidence(self, account: str, kind: str, why: str, sample: str) -> None:
        """Put what an adapter could not read among the dead letters; the same kind again is one more of it."""
        row = msgspec.json.encode({"kind": kind, "sample": sample}).decode()
        letter = f"{account}:{kind}"
        self._inbox.state_later([ev.InputSetAside(letter_id=letter, account=account, kind=EVIDENCE, row=row, why=why)])

    def read_soon(self, account: str) -> None:
        """A hint from outside that an account's book may have changed. Nothing else of it is believed."""
        watch = self._watches.get(account)
        if watch is not None:
            watch.want()

    def tell(self, code: str, text: str, level: str = "warning") -> None:
        """Put a notice into the journal without waiting for it."""
        self._inbox.warn(code, text, level)

    def next_alarm(self, after: datetime) -> datetime | None:
        """When strategies must be looked at next though no price moves; None while none is under way."""
        return next_alarm(self.state, after)

    # ------------------------------------------------------------ the engine port

    async def submit(self, command: AnyCommand) -> Reply:
        """Carry out a command. A repeated id gets the first answer again and is not carried out twice."""
        if isinstance(command, SaveBasket | EditRun) and self.world.strategies is not None:
            await self.world.strategies.vet(strategies_of(command))
        known = self._answers.given(command.id)
        if known is not None:
            return known
        awaited = self._answers.awaited(command.id)
        if awaited is None:
            awaited = self._answers.expect(command.id)
            if command.asked is None:
                command = msgspec.structs.replace(command, asked=self.world.clock.monotonic())
            self._inbox.put(Asked(command, awaited))
        return await asyncio.shield(awaited)

    async def query(self, query: AnyQuery) -> AnyAnswer:
        """Answer a question. Refusals are answers too."""
        try:
            return await self._reader.answer(query)
        except Refusal as refused:
            return Refused(code=refused.code, text=refused.text)
        except BrokerUnreachable as failed:
            return Refused(code="BROKER_UNREACHABLE", text=str(failed))
        except JournalBroken as failed:
            return Refused(code=failed.code, text=failed.text)

    async def snapshot(self) -> Snapshot:
        """The state as it is now, shared containers copied."""
        return Snapshot(seq=self.state.seq, state=self.state.copy(), vitals=self.vitals(), version=self.world.version)

    def facts(self, after: int) -> AsyncIterator[Recorded]:
        return self._record.follow(after)

    def tap(self, hz: float) -> Tap:
        return ConflatedTap(self.board, self.world.clock, self.vitals, hz, self.want_quotes)

    def want_quotes(self, names: Sequence[str]) -> None:
        """Ask the feed for quotes of those of ``names`` that are listed."""
        self.world.feed.watch([name for name in names if name in self.master])

    def needed(self) -> frozenset[str]:
        """The contracts whose quotes something open depends on: positions, orders, legs of runs."""
        state = self.state
        held = (each.key.contract for each in state.positions.values() if each.qty)
        ordered = (each.terms.contract for each in state.orders.values() if each.status.working)
        legs = (leg.contract for run in state.runs.values() if not run.status.over for leg in run.legs.values())
        return frozenset((*held, *ordered, *(name for name in legs if name)))

    async def verify(self, anchors: Sequence[Anchor] = ()) -> JournalVerdict:
        """Check the chain, the anchors, then that a replay from the first fact gives the state we hold."""
        return await prove(self.world.journal, self.state, anchors)

    async def self_check(self) -> None:
        """Compare the state with what the journal gives, while trading goes on; a difference is an alarm (I-8)."""
        if self._record.broken is None and not (verdict := await self.verify()).ok:
            told = sentinel.differs(self.state, verdict.text)
            if told is not None:
                self._inbox.state_later(told.facts)

    # ------------------------------------------------------------ for the reader and the taps

    @property
    def inbox_size(self) -> int:
        """Inputs waiting."""
        return self._inbox.size

    @property
    def broken(self) -> JournalBroken | None:
        """Why nothing can be stored any more; None while all is well."""
        return self._record.broken

    def orders_last_second(self) -> int:
        """Order requests that left in the last second."""
        return self._effects.requests.last_second()

    def feed_age(self) -> float | None:
        """Machine seconds since the last quote of anything; None before the first."""
        return self._sight.feed_age()

    def situation(self) -> Situation:
        """What the rules may know of this instant."""
        return self._sight.situation()

    def entry_wait(self) -> float:
        """Seconds an order that adds risk would wait for its turn to leave."""
        return self._sight.entry_wait()

    def stops(self) -> tuple[Check, ...]:
        """What forbids new risk besides the book itself."""
        return self._sight.stops()

    def health(self, account: str) -> AccountHealth:
        """How well an account's broker can be reached now."""
        return self._sight.health(account)

    def doubts(self) -> tuple[DoubtVitals, ...]:
        """The evidence about every order in doubt."""
        return self._worker.hearing.doubts()

    def funds(self, account: str) -> FundsSeen | None:
        """What the account's broker last said of its money; None before it said anything."""
        return self._sight.funds(account)

    def vitals(self) -> Vitals:
        """The engine's health right now."""
        return self._reader.vitals()

    def distrust(self, broken: JournalBroken) -> None:
        """The store said, without being asked to write, that this engine's time is over."""
        self._record.distrust(broken)

    # ------------------------------------------------------------ plumbing

    def hearer(self, account: str) -> Callable[[BrokerUpdate], None]:
        """Where an account's broker tells what happens, on the loop's thread."""
        return lambda update: self._inbox.put(Heard(account, update))

    def _pace_of(self, account: str) -> Callable[[], float]:
        return lambda: pace(self.state, account)

    def _under_way(self) -> bool:
        if self._effects.requests.waiting or any(watch.busy for watch in self._watches.values()):
            return True
        # a leg that waits for its turn in the rate budget waits by the machine's time: played time stands still for it
        due = (leg.stage is LegStage.DUE for run in self.state.runs.values() for leg in run.legs.values())
        return self.entry_wait() > 0 and any(due)

    def _unreadable(self, account: str, why: str) -> None:
        self._log.warning("the book of %s could not be read: %s", account, why)
        self._inbox.put(Unreadable(account, why))
