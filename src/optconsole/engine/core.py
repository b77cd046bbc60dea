"""The engine: one task, one inbox; decide, store, apply, publish, act."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import msgspec

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.clock import Clock, seeded
from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.composites import unfinished
from optconsole.engine.events import AnyEvent, Recorded
from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.market.sight import QuoteSight
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.health import WELL, AccountHealth
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.limits import Limit, OrderLimits, Standing
from optconsole.engine.model.orders import OrderStatus, RiskClass, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import time_of_day
from optconsole.engine.model.vitals import DoubtVitals, MarketPhase, Vitals
from optconsole.engine.observe.log import incident
from optconsole.engine.observe.meters import Meters
from optconsole.engine.ports import (
    Broker,
    BrokerUnreachable,
    BrokerUpdate,
    Feed,
    Journal,
    JournalBroken,
    NotSent,
    PlaceOutcome,
    Playback,
    Snapshot,
    Tap,
)
from optconsole.engine.publisher import Publisher
from optconsole.engine.queries import AnyAnswer, AnyQuery, Check, JournalVerdict, Refused
from optconsole.engine.reading import Reader
from optconsole.engine.requests import Request, Requests, Urgency, urgency
from optconsole.engine.rules.limits import FundsSeen, order_limits, restriction
from optconsole.engine.rules.pretrade import REFUSE, Situation, risk_class
from optconsole.engine.rules.tags import install_code
from optconsole.engine.state import IllegalTransition, apply, digest
from optconsole.engine.store.latch import KillLatch
from optconsole.engine.tap import ConflatedTap
from optconsole.engine.trading import (
    brackets,
    groups,
    intake,
    letters,
    parents,
    protection,
    reconciliation,
    resolution,
    reversing,
    sentinel,
    supervision,
)
from optconsole.engine.trading.decision import (
    Decision,
    Duty,
    Effect,
    HearAgain,
    ReadBook,
    SendCancel,
    SendModify,
    SendPlace,
)
from optconsole.engine.trading.desk import cancellable
from optconsole.engine.trading.handlers import View, decide
from optconsole.engine.trading.lookout import Lookout
from optconsole.engine.trading.precedence import owned, steered
from optconsole.engine.trading.risk import RiskWatch
from optconsole.engine.watching import Book, BookWatch

COMMAND_LIFE: Final = 5.0
"""Seconds after which an order to take risk that nobody got round to is refused: it was meant for another market."""
ANSWERS_KEPT: Final = 10_000
COMMANDS_RECALLED: Final = 5_000
"""Facts looked through at a start for commands that were carried out before it."""
STEPS_AT_ONCE: Final = 100
SECOND_LOOK: Final = 5.0
"""Seconds after which a start looks again at positions that differ: a broker's book may be some behind."""
SLEPT: Final = 5.0
SLEPT_LONG: Final = 10.0
"""Seconds by which the loop's own timer is late when the machine, not the work, must have been the cause."""
CLOCK_OFF: Final = 1.0
VERIFY_PAGE: Final = 1_000
"""Facts folded at a time when the journal is compared with the state: a few milliseconds of the loop."""
PACE_WORKING, PACE_HOLDING, PACE_IDLE = 2.0, 5.0, 30.0
"""Seconds between two readings of a broker's book: while something works, while something is held, otherwise."""
BLIND: Final = 10.0
"""Seconds without a readable book, in session and with something to guard, after which the trader is told."""
LATCH: Final = "latch"
LATCH_REST: Final = 2.0
"""Seconds between two attempts to store a kill that could not be stored."""
LATCHED: Final = "The kill switch is on, though the journal could not take it yet: nothing that adds risk may leave."
DUTIES: Final = (brackets, protection, supervision, reversing, parents, groups, resolution, sentinel)
"""Modules whose ``advance`` looks at the state after every input and says the next step, if one is due."""


@dataclass(slots=True)
class Asked:
    """A command with the future its asker waits on."""

    command: AnyCommand
    answer: asyncio.Future[Reply]


@dataclass(slots=True)
class Heard:
    """A row from a broker. ``letter`` names the dead letter it was kept in."""

    account: str
    update: BrokerUpdate
    letter: str = ""


@dataclass(slots=True)
class Answered:
    """The outcome of one request of ours."""

    effect: SendPlace | SendModify | SendCancel
    outcome: PlaceOutcome


@dataclass(slots=True)
class Stated:
    """Facts the shell itself knows, such as the start of a session."""

    facts: list[AnyEvent]
    done: asyncio.Future[None]
    actor: str = "engine"
    cause: str = ""


@dataclass(slots=True)
class Unreadable:
    """A broker's book could not be read."""

    account: str
    why: str


@dataclass(slots=True)
class Nudged:
    """Time has passed: what waits for it is looked at again."""


Input = Asked | Heard | Answered | Stated | Book | Unreadable | Nudged


@dataclass(frozen=True, slots=True)
class World:
    """What an engine is composed of. Built by the composition root and by tests; nothing in it is optional."""

    name: str
    version: str
    install_id: str
    clock: Clock
    journal: Journal
    feed: Feed
    brokers: Mapping[str, Broker]
    calendar: Calendar
    limits: OrderLimits
    charge_for: Callable[[date, Instrument, Side, int], int]
    exercise_charge: Callable[[date, Instrument, int], int]
    disk_free: Callable[[], int | None]
    playback: Playback | None = None
    cadence: float = 0.0
    guard_only: str = ""
    installs: frozenset[str] = frozenset()
    """Names that earlier stores of this world had: orders at the broker with their tags are ours."""
    entry_stops: Callable[[], tuple[Check, ...]] = tuple
    """What forbids new risk right now besides the book itself: a store that takes no writes, a full disk."""
    latch: KillLatch | None = None
    """Where the kill switch is latched when the journal cannot be written."""
    vouched: Callable[[str], int | None] = lambda _name: None
    """When the source last vouched for its quote of a contract, in epoch milliseconds, though nothing ticked."""
    limits_at_first: tuple[Limit, ...] = ()
    """Limits that a journal without any begins with; afterwards only commands change them."""


class Engine:
    """Owns the trading state. Everything that may change it goes through one inbox and one task."""

    def __init__(self, world: World, state: TradingState) -> None:
        self.world = world
        self.state = state
        self.board = QuoteBoard()
        self.master = InstrumentMaster(())
        self.consoles = 0
        self._inbox: asyncio.Queue[Input] = asyncio.Queue()
        self._publisher = Publisher(world.journal)
        self._publisher.start_at(state.seq)
        self._install = install_code(world.install_id)
        ours = frozenset(map(install_code, world.installs | {world.install_id}))
        self._intake = intake.Intake(self._instrument, world.charge_for, world.exercise_charge, ours)
        self._answers: OrderedDict[str, Reply] = OrderedDict()
        self._in_flight: dict[str, asyncio.Future[Reply]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._broken: JournalBroken | None = None
        self._latched: cmd.EngageKill | None = None
        self._latched_at = 0.0
        self._idle = asyncio.Event()
        self._idle.set()
        self._busy = False
        self._reader = Reader(self)
        self._requests = Requests(
            world.clock, world.brokers, self._answered, lambda work, name: self._spawn(work, name), self._barred
        )
        jitter = seeded(world.install_id)
        self._watches = {
            name: BookWatch(broker, world.clock, jitter, self._pace_of(name), self._put, self._unreadable)
            for name, broker in world.brokers.items()
        }
        self._resolvers = {
            name: resolution.Resolver(name, broker.name, broker.book_is_proof) for name, broker in world.brokers.items()
        }
        self._blind: set[str] = set()
        self._lookout = Lookout()
        self._sight = QuoteSight(world.clock, self.board, world.vouched)
        self._risk = RiskWatch()
        self.meters = Meters(started=world.clock.monotonic())
        self._log = logging.getLogger("optconsole.engine")

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Take the store, open the day, agree with the brokers, then allow entries."""
        await self._recall()
        self._spawn(self._run(), "engine")
        self._spawn(self._watch_loop(), "loop-watch")
        await self._state_facts(
            [ev.EngineStarted(version=self.world.version, world=self.world.name, epoch=self.state.epoch + 1)]
        )
        if self.world.limits_at_first and not self.state.limits_seeded:
            await self._state_facts([ev.LimitsSeeded(limits=self.world.limits_at_first)])
        await self.open_session(self.world.clock.now().date())
        for broker in self.world.brokers.values():
            if self.state.accounts.get(broker.account.id) is None or (
                self.state.accounts[broker.account.id].account != broker.account
            ):
                await self._state_facts([ev.AccountOpened(account=broker.account)])
            await broker.connect(self.hearer(broker.account.id))
            self._spawn(self._watches[broker.account.id].run(), f"book-{broker.account.id}")
            self._spawn(self._watches[broker.account.id].read_funds(), f"funds-{broker.account.id}")
        checked, adopted = 0, len(self.state.trades)
        for account in self.world.brokers:
            checked += await self._reconcile(account)
        await self.settled()
        self._review()
        adopted = len(self.state.trades) - adopted
        await self._state_facts([ev.EngineReady(orders_checked=checked, fills_adopted=adopted)])
        if self.world.guard_only:
            await self._state_facts([ev.NoticeRaised(level="alarm", code="GUARD_ONLY", text=self.world.guard_only)])

    async def take_positions(self) -> None:
        """Take the broker's quantities for ours: the store that knew how they came about is not there any more."""
        for account, broker in self.world.brokers.items():
            theirs = await self._watches[account].read()
            self.world.feed.watch([row.contract for row in theirs.positions])
            decision = reconciliation.adopt_positions(
                self.state, broker.name, account, theirs.positions, self.master, self.board.get
            )
            await self._state_facts(decision.facts)

    async def _recall(self) -> None:
        """Know the commands of earlier runs again: one sent anew after a crash is answered, not repeated."""
        for fact in await self.world.journal.read(limit=COMMANDS_RECALLED, last=True):
            match fact.event:
                case ev.OrderDenied(order_id=name, code=code, reason=reason):
                    self._answers[fact.cause] = Reply(ok=False, code=code, text=reason, ids=(name,), seq=fact.seq)
                case ev.CommandRefused(code=code, reason=reason):
                    self._answers[fact.cause] = Reply(ok=False, code=code, text=reason, seq=fact.seq)
                case ev.OrderCancelAsked() if fact.cause in self._answers:
                    continue  # a part of what a flatten or a kill did
                case (
                    ev.OrderIntended(order_id=name)
                    | ev.OrderChangeAsked(order_id=name)
                    | ev.OrderCancelAsked(order_id=name)
                ):
                    self._answers[fact.cause] = Reply(
                        ok=True, code="SENT", text=f"{name} was sent before the restart.", ids=(name,), seq=fact.seq
                    )
                case ev.ParentOpened(parent_id=name) | ev.GroupOpened(group_id=name):
                    self._answers[fact.cause] = Reply(
                        ok=True, code="SENT", text=f"{name} was opened before the restart.", ids=(name,), seq=fact.seq
                    )
                case ev.CommandNoted(text=text):
                    self._answers[fact.cause] = Reply(ok=True, text=text, seq=fact.seq)
                case ev.ParentChanged() | ev.ParentEnded() | ev.GroupEnded() | ev.ReversalBegun():
                    self._answers.setdefault(fact.cause, Reply(ok=True, text="Done before the restart.", seq=fact.seq))
                case (
                    ev.FlattenBegun()
                    | ev.KillEngaged()
                    | ev.KillReleased()
                    | ev.NoticeAcknowledged()
                    | ev.LimitSet()
                    | ev.LimitRemoved()
                    | ev.TradingStateChanged()
                ):
                    self._answers[fact.cause] = Reply(ok=True, text="Done before the restart.", seq=fact.seq)
                case _:
                    continue

    def _review(self) -> None:
        """What became of recalled orders is known once the books are agreed; one that never left is no success."""
        for cause, reply in self._answers.items():
            order = self.state.orders.get(reply.ids[0]) if reply.code == "SENT" and len(reply.ids) == 1 else None
            if order is not None and order.status in (OrderStatus.EXPIRED, OrderStatus.REJECTED):
                text = f"{order.id} is {order.status.value}: {order.reason}"
                self._answers[cause] = msgspec.structs.replace(reply, ok=False, code="NOT_SENT", text=text)

    async def stop(self, reason: str) -> None:
        """Finish what is in the inbox, say goodbye in the journal, let go of brokers."""
        for watch in self._watches.values():
            watch.close()
        await self.settled()
        for broker in self.world.brokers.values():
            await broker.close()
        if self._broken is None:
            with suppress(Refusal):  # a store that cannot be written takes no goodbye either; the log says so
                await self._state_facts([ev.EngineStopped(reason=reason)])
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def open_session(self, day: date) -> None:
        """Load the day's contracts; begin the day in the journal unless it has begun already."""
        self.master = InstrumentMaster(tuple(self.world.feed.instruments(day)))
        if self.state.day is None or self.state.day < day:
            await self._state_facts([ev.SessionOpened(day=day)])
        held = [position.key.contract for position in self.state.positions.values() if position.qty]
        self.world.feed.watch(held)

    async def close_session(self, day: date) -> None:
        """Record the end of the day once the broker's closing facts are in."""
        await self.settled()
        await self._state_facts([ev.SessionClosed(day=day)])

    async def proceed(self) -> None:
        """Take up what an earlier run left unfinished, now that prices are known."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(Stated([], done))
        await done

    async def settled(self) -> None:
        """Wait until the inbox is empty and every request of ours is answered."""
        while not self._idle.is_set():
            await self._idle.wait()

    def on_quotes(self, quotes: Sequence[Quote]) -> None:
        """The quote path: synchronous, overwriting, no queue."""
        now = self.world.clock.monotonic()
        self.board.update(quotes, now)
        self.meters.quotes.add(now, len(quotes))
        self.meters.last_quote = now
        if self._lookout.crossed(self.state, quotes):
            self._put(Nudged())

    # ------------------------------------------------------------ the engine port

    async def submit(self, command: AnyCommand) -> Reply:
        """Carry out a command. A repeated id gets the first answer again and is not carried out twice."""
        known = self._answers.get(command.id)
        if known is not None:
            return known
        running = self._in_flight.get(command.id)
        if running is None:
            running = asyncio.get_running_loop().create_future()
            self._in_flight[command.id] = running
            if command.asked is None:
                command = msgspec.structs.replace(command, asked=self.world.clock.monotonic())
            self._put(Asked(command, running))
        return await asyncio.shield(running)

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
        return self._publisher.follow(after)

    def tap(self, hz: float) -> Tap:
        return ConflatedTap(self.board, self.world.clock, self.vitals, hz)

    async def verify(self) -> JournalVerdict:
        """Check the chain, then that a replay from the first fact gives the state we hold."""
        verdict = await self.world.journal.verify()
        if not verdict.ok:
            return verdict
        replayed, live = TradingState(), self.state
        while replayed.seq < live.seq:
            page = await self.world.journal.read(after=replayed.seq, limit=VERIFY_PAGE)
            if not page:
                break
            for fact in page:
                if fact.seq <= live.seq:
                    apply(replayed, fact)
        if digest(replayed) == digest(live):
            return verdict
        text = f"Replaying {replayed.seq} facts does not give the live state; stop the engine and start it again."
        return msgspec.structs.replace(verdict, ok=False, first_bad=replayed.seq, text=text)

    async def self_check(self) -> None:
        """Compare the state with what the journal gives, while trading goes on; a difference is an alarm (I-8)."""
        if self._broken is None and not (verdict := await self.verify()).ok:
            self._warn_once(sentinel.PREFIX + "I8", verdict.text)

    # ------------------------------------------------------------ for the reader and the taps

    @property
    def inbox_size(self) -> int:
        """Inputs waiting."""
        return self._inbox.qsize()

    @property
    def broken(self) -> JournalBroken | None:
        """Why nothing can be stored any more; None while all is well."""
        return self._broken

    def orders_last_second(self) -> int:
        """Order requests that left in the last second."""
        return self._requests.last_second()

    def feed_age(self) -> float | None:
        """Machine seconds since the last quote of anything; None before the first."""
        last = self.meters.last_quote
        return None if last is None else self.world.clock.monotonic() - last

    def situation(self) -> Situation:
        """What the rules may know of this instant."""
        now = self.world.clock.now()
        phase, ends = self.world.calendar.phase(now)
        return Situation(
            now=now,
            phase=phase,
            quote=self.board.get,
            limits=order_limits(self.state, self.world.limits),
            health=self.health,
            age=self._quote_age,
            patience=self._reader.patience(),
            queued=self.entry_wait(),
            guard_only=self.world.guard_only,
            stops=self.stops(),
            tick=self.world.clock.monotonic(),
            closes=ends if phase is MarketPhase.OPEN else None,
            funds=self.funds,
            watched_for=self._sight.watched_for(),
        )

    def entry_wait(self) -> float:
        """Seconds an order that adds risk would wait for its turn to leave."""
        return self._requests.delay(Urgency.ENTRY)

    def stops(self) -> tuple[Check, ...]:
        """What forbids new risk besides the book itself."""
        stops = self.world.entry_stops()
        return stops if self._latched is None else (Check(code="KILLED", severity=REFUSE, text=LATCHED), *stops)

    def health(self, account: str) -> AccountHealth:
        """How well an account's broker can be reached now."""
        watch = self._watches.get(account)
        return WELL if watch is None else watch.health()

    def doubts(self) -> tuple[DoubtVitals, ...]:
        """The evidence about every order in doubt."""
        now = self.world.clock.monotonic()
        return tuple(doubt for resolver in self._resolvers.values() for doubt in resolver.evidence(now))

    def funds(self, account: str) -> FundsSeen | None:
        """What the account's broker last said of its money; None before it said anything."""
        watch = self._watches.get(account)
        return None if watch is None else watch.funds

    def _quote_age(self, name: str) -> float | None:
        playback = self.world.playback
        if self.board.get(name) is None:
            return None
        return 0.0 if playback is not None and playback.paused else self._sight.age(name, self.feed_age())

    def vitals(self) -> Vitals:
        """The engine's health right now."""
        return self._reader.vitals()

    # ------------------------------------------------------------ the one task

    async def _run(self) -> None:
        while True:
            item = await self._inbox.get()
            self._busy = True
            try:
                await self._take(item)
                await self._advance()
            except JournalBroken as broken:
                self._break(broken, item)
            except Exception as error:
                try:
                    await self._failed(item, error)
                except Exception as worse:  # without this task nothing is guarded any more: it outlives every input
                    self._log.error("a failed input could not be kept, incident %s", incident("engine", worse))
            self._busy = False
            self._check_idle()

    async def _take(self, item: Input) -> None:
        match item:
            case Asked(command, answer):
                await self._carry_out(command, answer)
            case Heard(account, update, letter):
                name = self.world.brokers[account].name
                await self._settle(self._intake.hear(self.state, name, update))
                if letter in self.state.letters:
                    await self._settle(Decision("engine", "dead letter", [ev.InputReplayed(letter_id=letter)]))
            case Answered(effect, outcome):
                await self._settle(self._outcome(effect, outcome))
            case Stated(facts, done, actor, cause):
                await self._settle(Decision(actor, cause, facts=facts))
                if not done.done():
                    done.set_result(None)
            case Book():
                await self._read(item)
            case Unreadable(account, why):
                await self._settle(self._blindness(account, why))
            case Nudged():
                return

    async def _carry_out(self, command: AnyCommand, answer: asyncio.Future[Reply]) -> None:
        if self._broken is not None:
            self._refuse(command, answer, self._broken)
            return
        try:
            decision = self._decide(command)
        except Refusal as refused:
            decision = Decision(command.actor, command.id)
            decision.facts.append(
                ev.CommandRefused(command=type(command).__name__, code=refused.code, reason=refused.text)
            )
            decision.reply = Reply(ok=False, code=refused.code, text=refused.text)
        reply = decision.reply or Reply(ok=True, text="Done.")
        if not decision.facts and not isinstance(command, cmd.SteerReplay):
            # Every command of a trader leaves a fact, even one that found nothing to do.
            decision.facts.append(ev.CommandNoted(command=type(command).__name__, text=reply.text))
        await self._settle(decision)
        if isinstance(command, cmd.EngageKill):
            self._kill_stored()
        self._answer(command, answer, msgspec.structs.replace(reply, seq=self.state.seq))

    def _decide(self, command: AnyCommand) -> Decision:
        if isinstance(command, cmd.SteerReplay):
            return self._steer(command)
        if isinstance(command, cmd.PlaceOrder | cmd.PlaceGroup | cmd.Reverse):
            self._still_meant(command)
        if isinstance(command, cmd.ReadBookNow) and command.account not in self._watches:
            known = ", ".join(sorted(self._watches)) or "none"
            raise Refusal("UNKNOWN_ACCOUNT", f"No broker serves an account {command.account!r}; known: {known}.")
        return decide(View(self.state, self.master, self.situation(), self._install), command)

    def _outcome(self, effect: Request, outcome: PlaceOutcome) -> Decision:
        account = effect.request.account if isinstance(effect, SendPlace) else effect.account
        broker = self.world.brokers.get(account)
        name = "engine" if broker is None else broker.name
        match effect:
            case SendPlace(order_id, _):
                return intake.placed(self.state, name, order_id, outcome)
            case SendModify(order_id, _, _):
                return intake.modified(self.state, name, order_id, outcome)
            case SendCancel(order_id, _, _):
                return intake.cancelled(self.state, name, order_id, outcome)

    def _still_meant(self, command: cmd.PlaceOrder | cmd.PlaceGroup | cmd.Reverse) -> None:
        """Raises Refusal for an order that waited, with the machine asleep or busy, until its market was gone."""
        waited = 0.0 if command.asked is None else self.world.clock.monotonic() - command.asked
        closes = isinstance(command, cmd.PlaceOrder) and (
            risk_class(self.state, command.terms) is not RiskClass.INCREASE
        )
        if waited > COMMAND_LIFE and not closes:
            raise Refusal(
                "STALE_COMMAND",
                f"The order was given {waited:.0f} s ago and is not sent any more; "
                "look at the price and give it again.",
            )

    async def _settle(self, decision: Decision) -> None:
        """Store, apply, publish, act: in this order and no other."""
        decided = self.world.clock.monotonic()
        if decision.facts:
            at = self.world.clock.now()
            facts = [
                Recorded(seq=self.state.seq + place, at=at, actor=decision.actor, cause=decision.cause, event=event)
                for place, event in enumerate(decision.facts, start=1)
            ]
            # Folding into a copy first keeps an impossible fact out of the journal for ever.
            after = self.state.copy()
            for fact in facts:
                apply(after, fact)
            await self.world.journal.append(facts)
            self.state = after
            self._publisher.publish(facts)
            if any(isinstance(event, ev.OrderDoubted) for event in decision.facts):
                for resolver in self._resolvers.values():
                    resolver.notice(after, self.world.clock.monotonic())
        for effect in decision.effects:
            self._act(effect, decided)

    async def _advance(self) -> None:
        """Carry every duty as far as it goes now: not before the book is agreed and prices are known.

        Limits are watched without prices too: what cannot be priced is what they must know of.
        """
        if not self.state.ready:
            return
        seen = self.situation()
        for duty in (self._risk,) if self.meters.last_quote is None else (*DUTIES, self._risk):
            try:
                seen = await self._carry(duty.advance, seen)
            except JournalBroken:
                raise
            except Exception as error:  # one duty that fails must not keep the others from theirs
                code = incident("duty", error)
                self._warn_once("DUTY_FAILED", f"A guard failed (incident {code}); close by hand what it guards.")

    async def _carry(self, duty: Duty, seen: Situation) -> Situation:
        """Take a duty's steps. ``seen`` is the situation now; returns that after the last step."""
        for _ in range(STEPS_AT_ONCE):
            step = duty(self.state, self.master, seen, self._install)
            if step is None:
                break
            await self._settle(step)
            seen = self.situation()
        return seen

    # ------------------------------------------------------------ effects

    def _act(self, effect: Effect, decided: float) -> None:
        match effect:
            case ReadBook(account):
                if account in self._watches:
                    self._watches[account].want()
            case HearAgain(account, row, letter_id):
                self._put(Heard(account, row, letter_id))
            case SendPlace(_, request):
                self.world.feed.watch([request.instrument.name])
                self._send(effect, request.account, decided)
            case SendModify(_, account, _) | SendCancel(_, account, _):
                self._send(effect, account, decided)

    def _send(self, request: Request, account: str, decided: float) -> None:
        """Queue a request. One on an account that no broker serves any more must not keep the others from leaving."""
        if account in self.world.brokers:
            self._requests.put(request, account, urgency(request, self.state.orders[request.order_id]), decided)
        else:
            self._put(Answered(request, NotSent(f"no broker serves the account {account}")))

    def _barred(self, request: Request) -> str:
        """Why an order that adds risk, decided a moment ago, may not leave now: a kill, a flatten, a limit since."""
        if self._latched is not None:
            return LATCHED
        terms = self.state.orders[request.order_id].terms
        why = parents.standing_order(self.state, terms, RiskClass.INCREASE)
        scope = restriction(self.state, terms.account, terms.contract, terms.source)
        return why or ("" if scope is None else f"{scope.level.value} is {scope.standing.value}")

    def _answered(self, request: Request, outcome: PlaceOutcome) -> None:
        account = request.request.account if isinstance(request, SendPlace) else request.account
        self._watches[account].answered(outcome)
        self._put(Answered(request, outcome))

    async def _reconcile(self, account: str) -> int:
        """Hear the broker's whole book, then settle what it does not show. Returns the orders compared."""
        broker = self.world.brokers[account]
        try:
            book = await self._watches[account].read()
            settlements = await broker.settlements()
        except BrokerUnreachable as failed:
            raise Refusal("BROKER_UNREACHABLE", f"{broker.name} does not answer: {failed}.") from failed
        await self._hear_all(account, [*reconciliation.book_rows(book.orders, book.trades), *settlements])
        orders = book.orders
        tags, ids = {row.tag for row in orders if row.tag}, {row.broker_id for row in orders}
        proof, asked = broker.book_is_proof, reconciliation.doubted(self.state, account)
        for decision in (
            reconciliation.resolve_missing(self.state, broker.name, asked, tags, proof),
            reconciliation.resolve_pending(self.state, broker.name, account, ids),
            reconciliation.resolve_gone(self.state, broker.name, account, ids, proof),
        ):
            await self._state_facts(decision.facts)
        await self._compare(account, book)
        return len(orders)

    async def _hear_all(self, account: str, rows: Sequence[BrokerUpdate]) -> None:
        for row in rows:
            self._put(Heard(account, row))
        await self.settled()

    async def _compare(self, account: str, book: Book) -> None:
        """Tell of positions that differ, twice in a row: what fills between two reads of one book differs only once."""
        name = self.world.brokers[account].name
        told = reconciliation.compare_positions(self.state, name, account, book.positions)
        if told.facts:
            await self.world.clock.sleep(SECOND_LOOK)
            with contextlib.suppress(BrokerUnreachable):
                book = await self._watches[account].read()
                await self._hear_all(account, reconciliation.book_rows(book.orders, book.trades))
            again = reconciliation.compare_positions(self.state, name, account, book.positions)
            # a difference that moves is one that fills; the readings to come judge it
            told.facts = [fact for fact in again.facts if fact in told.facts]
        await self._state_facts(told.facts)

    def _pace_of(self, account: str) -> Callable[[], float]:
        def pace() -> float:
            state = self.state
            if any(order.status.working and order.terms.account == account for order in state.orders.values()):
                return PACE_WORKING
            held = any(position.qty and position.key.account == account for position in state.positions.values())
            return PACE_HOLDING if held else PACE_IDLE

        return pace

    def _unreadable(self, account: str, why: str) -> None:
        self._log.warning("the book of %s could not be read: %s", account, why)
        self._put(Unreadable(account, why))

    async def _read(self, book: Book) -> None:
        """Hear a whole book, then settle what it does not show."""
        broker, resolver = self.world.brokers[book.account], self._resolvers[book.account]
        for row in reconciliation.book_rows(book.orders, book.trades):
            try:
                decision = self._intake.hear(self.state, broker.name, row)
                if decision.facts or decision.effects:
                    await self._settle(decision)
            except JournalBroken:
                raise
            except Exception as error:
                await self._failed(Heard(book.account, row), error)
        now = self.world.clock.monotonic()
        resolver.notice(self.state, now)
        tags = {row.tag for row in book.orders if row.tag}
        asked = resolver.asked_before(book.asked)
        await self._settle(reconciliation.resolve_missing(self.state, broker.name, asked, tags, broker.book_is_proof))
        await self._settle(resolution.unanswered(self.state, book.account, self.world.clock.now()))
        await self._settle(resolver.judge(self.state, book.orders, book.positions, book.asked, now))
        await self._settle(resolver.compare(self.state, book.positions, now))
        seen_wrong = sentinel.inspect(self.state, book.account, book.orders)
        if seen_wrong is not None:
            await self._settle(seen_wrong)
        if book.account in self._blind:
            self._blind.discard(book.account)
            text = f"The book of {book.account} is readable again."
            await self._settle(Decision("engine", "", [ev.NoticeRaised(level="info", code="BOOK_BACK", text=text)]))

    def _blindness(self, account: str, why: str) -> Decision:
        """One alarm for a book that stays unreadable while something is to be guarded."""
        decision = Decision("engine", "reconcile")
        health = self.health(account)
        age = health.book_age
        guarded = self._pace_of(account)() < PACE_IDLE
        if account in self._blind or not guarded or (not health.lost and age is not None and age < BLIND):
            return decision
        self._blind.add(account)
        decision.facts.append(
            ev.NoticeRaised(
                level="alarm",
                code="LOGIN_LOST" if health.lost else "BOOK_UNREADABLE",
                text=f"The book of {account} cannot be read: {display(why)}. Nothing new is taken on; exits go on.",
                subject=account,
            )
        )
        return decision

    def _steer(self, command: cmd.SteerReplay) -> Decision:
        """Time is the world's, not the book's: steering leaves no fact."""
        playback = self.world.playback
        if playback is None:
            raise Refusal("NOT_PLAYED", "This market is not played; time cannot be steered.")
        decision = Decision(command.actor, command.id)
        match command.action:
            case "pause":
                playback.pause()
                decision.reply = Reply(ok=True, text="Held.")
            case "resume":
                playback.resume(command.speed)
                decision.reply = Reply(ok=True, text="Running.")
            case "to":
                moment = self._moment(command.until)
                if command.speed is not None:
                    playback.resume(command.speed)
                self._spawn(playback.run_to(moment), "run-to")
                decision.reply = Reply(ok=True, text=f"Playing to {moment:%H:%M:%S}.")
            case _:
                raise Refusal("BAD_ACTION", f"{command.action!r} is not pause, resume or to.")
        return decision

    def _moment(self, text: str | None) -> datetime:
        now = self.world.clock.now()
        moment = time_of_day(now, text or "")
        if moment < now:
            raise Refusal("TIME_PASSED", f"{text} is past; market time is {now:%H:%M:%S}.")
        return moment

    # ------------------------------------------------------------ plumbing

    def hearer(self, account: str) -> Callable[[BrokerUpdate], None]:
        """Where an account's broker tells what happens, on the loop's thread."""
        return lambda update: self._put(Heard(account, update))

    def _instrument(self, name: str) -> Instrument | None:
        return self.master.get(name)

    def _put(self, item: Input) -> None:
        self._idle.clear()
        self._inbox.put_nowait(item)

    async def _state_facts(self, facts: list[AnyEvent]) -> None:
        if not facts:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(Stated(facts, done))
        await done

    def _answer(self, command: AnyCommand, answer: asyncio.Future[Reply], reply: Reply) -> None:
        self._in_flight.pop(command.id, None)
        self._answers[command.id] = reply
        while len(self._answers) > ANSWERS_KEPT:
            self._answers.popitem(last=False)
        if not answer.done():
            answer.set_result(reply)

    def distrust(self, broken: JournalBroken) -> None:
        """The store said, without being asked to write, that this engine's time is over."""
        if not broken.passing and self._broken is None:
            self._broken = broken
            self._log.error("the journal is lost: %s", broken.text)

    def _break(self, broken: JournalBroken, item: Input) -> None:
        """This input cannot be proven durable and is not carried out; unless that may pass, no other is either."""
        if not broken.passing:
            self._broken = broken
        self._log.error("the journal did not take a fact: %s", broken.text)
        if isinstance(item, Asked):
            self._refuse(item.command, item.answer, broken)
        else:
            self._release(item, broken.code, broken.text)

    def _refuse(self, command: AnyCommand, answer: asyncio.Future[Reply], broken: JournalBroken) -> None:
        """A command that cannot be stored is not carried out; the kill switch is."""
        reply = Reply(ok=False, code=broken.code, text=broken.text)
        if isinstance(command, cmd.EngageKill) and broken.code != "FENCED":
            reply = self._kill_unstored(command, broken)
        self._answer(command, answer, reply)
        if broken.code == "STORE_DOWN":
            refused = ev.CommandRefused(command=type(command).__name__, code=broken.code, reason=broken.text)
            self._state_later([refused], command.actor, command.id)

    def _kill_unstored(self, command: cmd.EngageKill, broken: JournalBroken) -> Reply:
        """Latch in memory and in a file of its own, and cancel. Nothing is closed: an order needs its intent on record.

        Cancelling is safe to repeat; an order sent without a record could be sent twice. So stops and orders that are
        closing stay: nothing could take their place. The state says what the journal says, so the latch stands beside
        it; the command is given again until it is stored.
        """
        again = command.actor == LATCH and self._latched is not None
        kept = self.world.latch is not None and (again or self.world.latch.set(command.why or "asked"))
        self._latched, self._latched_at = command, self.world.clock.monotonic()
        state = self.state
        orders = () if again else tuple(filter(cancellable, state.orders.values()))
        cancels = [order for order in orders if not (steered(order) and owned(state, order))]
        for order in cancels:
            self._act(SendCancel(order.id, order.terms.account, order.broker_id or ""), self._latched_at)
        where = "in memory and in its latch file" if kept else "in memory only"
        return Reply(
            ok=True,
            code="KILLED_UNSTORED",
            text=f"Kill latched {where}, {len(cancels)} orders are being cancelled. Close positions at the broker: "
            f"{broken.text}",
            ids=tuple(order.id for order in cancels),
        )

    def _latch_again(self) -> None:
        """Give the kill that could not be stored once more."""
        latched = self._latched
        if latched is None or self.world.clock.monotonic() - self._latched_at < LATCH_REST:
            return
        self._latched_at = self.world.clock.monotonic()
        repeat = cmd.EngageKill(id=f"{latched.id}-{self._latched_at:.0f}", actor=LATCH, why=latched.why)
        self._put(Asked(repeat, asyncio.get_running_loop().create_future()))

    def _kill_stored(self) -> None:
        self._latched = None
        if self.world.latch is not None:
            try:
                self.world.latch.clear()
            except OSError as error:
                self._log.error("the kill latch file could not be removed: %s", error)

    async def _failed(self, item: Input, error: Exception) -> None:
        """A defect of ours costs this one input, never the engine."""
        code = incident("engine", error)
        kind = "fact" if isinstance(error, IllegalTransition) else "input"
        self._log.error("an impossible %s was refused, incident %s", kind, code)
        self._release(item, "INTERNAL", f"The engine could not do this (incident {code}); the log tells why.")
        if isinstance(item, Heard):
            await self._set_aside(item, code)
        if isinstance(item, Heard | Answered):
            self._warn_once(
                "BROKER_ROW_REFUSED",
                f"What the broker said could not be taken into the book (incident {code}); compare it with the "
                "broker's. The Health screen keeps what was said and can have it heard again.",
            )

    async def _set_aside(self, item: Heard, code: str) -> None:
        """Keep what the broker said; the same row read from the book every two seconds is kept once."""
        aside = letters.set_aside(self.state, item.update, f"incident {code}", item.letter)
        (kept,) = aside.facts
        if item.letter or not any(
            isinstance(kept, ev.InputSetAside) and letter.row == kept.row for letter in self.state.letters.values()
        ):
            try:
                await self._settle(aside)
            except JournalBroken as broken:
                self._break(broken, item)

    def _warn(self, code: str, text: str, level: str = "alarm") -> None:
        """Put an alarm into the journal without waiting for it."""
        self._state_later([ev.NoticeRaised(level=level, code=code, text=text)])

    def _state_later(self, facts: list[AnyEvent], actor: str = "engine", cause: str = "") -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # nobody waits; that it could not be stored is in the log already
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._put(Stated(facts, done, actor, cause))

    def _warn_once(self, code: str, text: str) -> None:
        """As ``_warn``, but not again while the same alarm stands unacknowledged."""
        standing = (notice for notice in self.state.notices if notice.seq > self.state.acknowledged)
        if not any(notice.code == code for notice in standing):
            self._warn(code, text)

    def _release(self, item: Input, code: str, text: str) -> None:
        if isinstance(item, Asked):
            self._answer(item.command, item.answer, Reply(ok=False, code=code, text=text))
        elif isinstance(item, Stated) and not item.done.done():
            item.done.set_exception(Refusal(code, text))

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            incident("task", error)
        self._check_idle()

    def _check_idle(self) -> None:
        sending = self._requests.waiting or any(task.get_name().startswith("send-") for task in self._tasks)
        reading = any(watch.busy for watch in self._watches.values())
        if self._inbox.empty() and not sending and not reading and not self._busy:
            self._idle.set()

    async def _watch_loop(self) -> None:
        interval, stepped = 0.25, self.world.clock.stepped()
        while True:
            before = self.world.clock.monotonic()
            await asyncio.sleep(interval)
            lag = max(0.0, self.world.clock.monotonic() - before - interval)
            self.meters.loop_lag.add(lag * 1000)
            if lag > SLEPT:
                self._woke(lag)
            if abs(self.world.clock.stepped() - stepped) > CLOCK_OFF:
                self._clock_was_set(self.world.clock.stepped() - stepped)
                stepped = self.world.clock.stepped()
            try:
                self._pass_time()
            except Exception as error:  # what waits for time alone is looked at again in a quarter of a second
                code = incident("duty", error)
                self._warn_once("DUTY_FAILED", f"The watch over time failed (incident {code}); the log tells why.")

    def _pass_time(self) -> None:
        playback, (phase, _) = self.world.playback, self.world.calendar.phase(self.world.clock.now())
        self._sight.look(phase is MarketPhase.OPEN, playback is not None and playback.paused)
        if self._broken is None:
            self._latch_again()
            self._tell_blindness()
            if self._on_duty():
                self._put(Nudged())

    def _tell_blindness(self) -> None:
        """A reading may try for half a minute before it gives up; the trader is not left to guess for so long."""
        for account, watch in self._watches.items():
            if account not in self._blind and watch.blind_for() >= BLIND:
                self._put(Unreadable(account, f"no answer for {watch.blind_for():.0f} s"))

    def _woke(self, slept: float) -> None:
        """Whatever was known of brokers is as old as the sleep: no entry leaves before their books were read again."""
        for watch in self._watches.values():
            watch.forget()
        if slept > SLEPT_LONG:
            self._warn(
                "MACHINE_SLEPT",
                f"The machine stood still for {slept:.0f} s; the brokers' books are read again before any entry.",
                level="warning",
            )

    def _clock_was_set(self, step: float) -> None:
        self._warn(
            "CLOCK_SET",
            f"The machine's clock was set by {step:+.0f} s. Deadlines keep the machine's own time; check the time "
            "service before anything scheduled is trusted.",
        )

    def _on_duty(self) -> bool:
        """Whether time alone may make a step due."""
        state = self.state
        return bool(
            state.flattening
            or unfinished(state)
            or any(scope.standing is not Standing.ACTIVE for scope in state.scopes.values())
            or any(position.qty for position in state.positions.values())
            or any(order.status.working for order in state.orders.values())
        )
