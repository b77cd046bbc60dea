"""The engine: one task, one inbox; decide, store, apply, publish, act."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import msgspec

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.clock import Clock
from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.events import AnyEvent, Recorded
from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.orders import OrderStatus, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import time_of_day
from optconsole.engine.model.vitals import Vitals
from optconsole.engine.observe.log import incident
from optconsole.engine.observe.meters import Meters, Rate
from optconsole.engine.ports import (
    Broker,
    BrokerUnreachable,
    BrokerUpdate,
    Doubtful,
    Feed,
    Journal,
    JournalBroken,
    PlaceOutcome,
    Playback,
    Snapshot,
    Tap,
)
from optconsole.engine.publisher import Publisher
from optconsole.engine.queries import AnyAnswer, AnyQuery, JournalVerdict, Refused
from optconsole.engine.reading import Reader
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.rules.tags import install_code
from optconsole.engine.state import IllegalTransition, apply, digest
from optconsole.engine.tap import ConflatedTap
from optconsole.engine.trading import closing, desk, intake, reconciliation
from optconsole.engine.trading.decision import Decision, Effect, ReadBook, SendCancel, SendModify, SendPlace

CALL_DEADLINE: Final = 8.0
"""Seconds after which a silent broker call is in doubt (reliability: one POST, total deadline 8 s)."""
ANSWERS_KEPT: Final = 10_000
COMMANDS_RECALLED: Final = 5_000
"""Facts looked through at a start for commands that were carried out before it."""
BOOK_REST: Final = 1.0
"""Seconds between two readings of a broker's book."""
STEPS_AT_ONCE: Final = 100


@dataclass(slots=True)
class Asked:
    """A command with the future its asker waits on."""

    command: AnyCommand
    answer: asyncio.Future[Reply]


@dataclass(slots=True)
class Heard:
    """A row from a broker."""

    account: str
    update: BrokerUpdate


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


@dataclass(slots=True)
class Missing:
    """Orders that were in doubt before a broker's book was read, with the tags that the book shows."""

    account: str
    orders: frozenset[str]
    tags: frozenset[str]


@dataclass(slots=True)
class Nudged:
    """Time has passed: what waits for it is looked at again."""


Input = Asked | Heard | Answered | Stated | Missing | Nudged


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
        self._intake = intake.Intake(self._instrument, world.charge_for, world.exercise_charge)
        self._install = install_code(world.install_id)
        self._answers: OrderedDict[str, Reply] = OrderedDict()
        self._book_asked: set[str] = set()
        self._book_read_at: dict[str, float] = {}
        self._in_flight: dict[str, asyncio.Future[Reply]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._broken: JournalBroken | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._busy = False
        self._reader = Reader(self)
        self._order_rate = Rate()
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
        await self.open_session(self.world.clock.now().date())
        for broker in self.world.brokers.values():
            if self.state.accounts.get(broker.account.id) is None or (
                self.state.accounts[broker.account.id].account != broker.account
            ):
                await self._state_facts([ev.AccountOpened(account=broker.account)])
            await broker.connect(self.hearer(broker.account.id))
        checked, adopted = 0, len(self.state.trades)
        for account in self.world.brokers:
            checked += await self._reconcile(account)
        await self.settled()
        adopted = len(self.state.trades) - adopted
        await self._state_facts([ev.EngineReady(orders_checked=checked, fills_adopted=adopted)])

    async def _recall(self) -> None:
        """Know the commands of earlier runs again: one sent anew after a crash is answered, not repeated."""
        for fact in await self.world.journal.read(limit=COMMANDS_RECALLED, last=True):
            match fact.event:
                case ev.OrderDenied(order_id=name, code=code, reason=reason):
                    self._answers[fact.cause] = Reply(ok=False, code=code, text=reason, ids=(name,), seq=fact.seq)
                case ev.CommandRefused(code=code, reason=reason):
                    self._answers[fact.cause] = Reply(ok=False, code=code, text=reason, seq=fact.seq)
                case ev.OrderIntended(order_id=name) | ev.OrderChangeAsked(order_id=name):
                    self._answers[fact.cause] = Reply(
                        ok=True, code="SENT", text=f"{name} was sent before the restart.", ids=(name,), seq=fact.seq
                    )
                case ev.CommandNoted(text=text):
                    self._answers[fact.cause] = Reply(ok=True, text=text, seq=fact.seq)
                case ev.FlattenBegun() | ev.KillEngaged() | ev.KillReleased() | ev.NoticeAcknowledged():
                    self._answers[fact.cause] = Reply(ok=True, text="Done before the restart.", seq=fact.seq)
                case _:
                    continue

    async def stop(self, reason: str) -> None:
        """Finish what is in the inbox, say goodbye in the journal, let go of brokers."""
        await self.settled()
        for broker in self.world.brokers.values():
            await broker.close()
        if self._broken is None:
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
        self.board.update(quotes)
        now = self.world.clock.monotonic()
        self.meters.quotes.add(now, len(quotes))
        self.meters.last_quote = now

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
            page = await self.world.journal.read(after=replayed.seq, limit=5000)
            if not page:
                break
            for fact in page:
                if fact.seq <= live.seq:
                    apply(replayed, fact)
        if digest(replayed) == digest(live):
            return verdict
        text = f"Replaying {replayed.seq} facts does not give the live state; stop the engine and start it again."
        return msgspec.structs.replace(verdict, ok=False, first_bad=replayed.seq, text=text)

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
        return int(self._order_rate.per_second(self.world.clock.monotonic()))

    def feed_age(self) -> float | None:
        """Machine seconds since the last quote of anything; None before the first."""
        last = self.meters.last_quote
        return None if last is None else self.world.clock.monotonic() - last

    def situation(self) -> Situation:
        """What the rules may know of this instant."""
        now = self.world.clock.now()
        phase, _ = self.world.calendar.phase(now)
        return Situation(now=now, phase=phase, quote=self.board.get, limits=self.world.limits)

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
                self._failed(item, error)
            self._busy = False
            self._check_idle()

    async def _take(self, item: Input) -> None:
        match item:
            case Asked(command, answer):
                await self._carry_out(command, answer)
            case Heard(account, update):
                name = self.world.brokers[account].name
                await self._settle(self._intake.hear(self.state, name, update))
            case Answered(effect, outcome):
                await self._settle(self._outcome(effect, outcome))
            case Stated(facts, done):
                await self._settle(Decision("engine", "", facts=facts))
                if not done.done():
                    done.set_result(None)
            case Missing(account, orders, tags):
                broker = self.world.brokers[account]
                await self._settle(
                    reconciliation.resolve_missing(self.state, broker.name, orders, tags, broker.book_is_proof)
                )
            case Nudged():
                return

    async def _carry_out(self, command: AnyCommand, answer: asyncio.Future[Reply]) -> None:
        if self._broken is not None:
            self._answer(command, answer, Reply(ok=False, code=self._broken.code, text=self._broken.text))
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
        self._answer(command, answer, msgspec.structs.replace(reply, seq=self.state.seq))

    def _decide(self, command: AnyCommand) -> Decision:
        state, situation = self.state, self.situation()
        match command:
            case cmd.PlaceOrder():
                return desk.place(state, command, self.master, situation, self._install)
            case cmd.ModifyOrder():
                return desk.modify(state, command, self.master, situation)
            case cmd.CancelOrder():
                return desk.cancel(state, command)
            case cmd.CancelAll():
                return closing.cancel_all(state, command)
            case cmd.Flatten():
                return closing.flatten(state, command)
            case cmd.EngageKill():
                return closing.engage_kill(state, command)
            case cmd.ReleaseKill():
                return closing.release_kill(state, command, situation.now)
            case cmd.AcknowledgeNotices():
                decision = Decision(command.actor, command.id)
                decision.facts.append(ev.NoticeAcknowledged(upto=min(command.upto, state.seq)))
                return decision
            case cmd.SteerReplay():
                return self._steer(command)

    def _outcome(self, effect: SendPlace | SendModify | SendCancel, outcome: PlaceOutcome) -> Decision:
        match effect:
            case SendPlace(order_id, request):
                return intake.placed(self.state, self.world.brokers[request.account].name, order_id, outcome)
            case SendModify(order_id, account, _):
                return intake.modified(self.state, self.world.brokers[account].name, order_id, outcome)
            case SendCancel(order_id, account, _):
                return intake.cancelled(self.state, self.world.brokers[account].name, order_id, outcome)

    async def _settle(self, decision: Decision) -> None:
        """Store, apply, publish, act: in this order and no other."""
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
        for effect in decision.effects:
            self._act(effect)

    async def _advance(self) -> None:
        """Carry flattens as far as they go now: not before the book is agreed and prices are known."""
        if not self.state.ready or self.meters.last_quote is None:
            return
        for _ in range(STEPS_AT_ONCE):
            step = closing.advance(self.state, self.master, self.situation(), self._install)
            if step is None:
                return
            await self._settle(step)

    # ------------------------------------------------------------ effects

    def _act(self, effect: Effect) -> None:
        match effect:
            case SendPlace(_, request):
                broker = self.world.brokers[request.account]
                self.world.feed.watch([request.instrument.name])
                self._request(effect, broker.place(request))
            case SendModify(_, account, request):
                broker = self.world.brokers[account]
                self._request(effect, broker.modify(request))
            case SendCancel(_, account, broker_id):
                broker = self.world.brokers[account]
                self._request(effect, broker.cancel(broker_id))
            case ReadBook(account):
                if account not in self._book_asked:
                    self._book_asked.add(account)
                    self._spawn(self._read_book(account), f"read-book-{account}")

    def _request(self, effect: SendPlace | SendModify | SendCancel, call: Awaitable[PlaceOutcome]) -> None:
        self._order_rate.add(self.world.clock.monotonic())
        self._spawn(self._send(effect, call), f"send-{effect.order_id}")

    async def _send(self, effect: SendPlace | SendModify | SendCancel, call: Awaitable[PlaceOutcome]) -> None:
        """One request, one answer. Whatever is not an answer is doubt, never an error to swallow."""
        outcome: PlaceOutcome
        try:
            async with asyncio.timeout(CALL_DEADLINE):
                outcome = await call
        except TimeoutError:
            outcome = Doubtful(f"no answer within {CALL_DEADLINE:.0f} s")
        except Exception as error:
            outcome = Doubtful(f"the broker adapter failed (incident {incident('broker', error)})")
        self._put(Answered(effect, outcome))

    async def _reconcile(self, account: str) -> int:
        """Hear the broker's whole book, then settle what it does not show. Returns the orders compared."""
        broker = self.world.brokers[account]
        try:
            orders, trades = await broker.orders(), await broker.trades()
            settlements, positions = await broker.settlements(), await broker.positions()
        except BrokerUnreachable as failed:
            raise Refusal("BROKER_UNREACHABLE", f"{broker.name} does not answer: {failed}.") from failed
        rows: list[BrokerUpdate] = [*reconciliation.book_rows(orders, trades), *settlements]
        for row in rows:
            self._put(Heard(account, row))
        await self.settled()
        tags, ids = {row.tag for row in orders if row.tag}, {row.broker_id for row in orders}
        proof, asked = broker.book_is_proof, reconciliation.doubted(self.state, account)
        for decision in (
            reconciliation.resolve_missing(self.state, broker.name, asked, tags, proof, restarted=True),
            reconciliation.resolve_pending(self.state, broker.name, account, ids),
            reconciliation.resolve_gone(self.state, broker.name, account, ids, proof),
            reconciliation.compare_positions(self.state, broker.name, account, positions),
        ):
            await self._state_facts(decision.facts)
        return len(orders)

    async def _read_book(self, account: str) -> None:
        """One reading serves all that asked meanwhile; a book that lags is read again, but not in a rush."""
        clock = self.world.clock
        await clock.sleep(max(0.0, self._book_read_at.get(account, -BOOK_REST) + BOOK_REST - clock.monotonic()))
        self._book_asked.discard(account)
        self._book_read_at[account] = clock.monotonic()
        broker = self.world.brokers[account]
        # an order that is sent while the book is on its way may rightly be missing from it
        asked = frozenset(
            name
            for name in reconciliation.doubted(self.state, account)
            if self.state.orders[name].status is OrderStatus.UNKNOWN
        )
        try:
            orders, trades = await broker.orders(), await broker.trades()
        except BrokerUnreachable:
            self._log.warning("the book of %s could not be read", account)
            return
        for row in reconciliation.book_rows(orders, trades):
            self._put(Heard(account, row))
        self._put(Missing(account, asked, frozenset(row.tag for row in orders if row.tag)))

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

    def _break(self, broken: JournalBroken, item: Input) -> None:
        """Nothing can be proven durable any more: no command is carried out, the screens say why."""
        self._broken = broken
        self._log.error("the journal is broken: %s", broken.text)
        self._release(item, broken.code, broken.text)

    def _failed(self, item: Input, error: Exception) -> None:
        """A defect of ours costs this one input, never the engine."""
        code = incident("engine", error)
        kind = "fact" if isinstance(error, IllegalTransition) else "input"
        self._log.error("an impossible %s was refused, incident %s", kind, code)
        self._release(item, "INTERNAL", f"The engine could not do this (incident {code}); the log tells why.")
        if isinstance(item, Heard | Answered):
            self._warn(
                "BROKER_ROW_REFUSED",
                f"What the broker said could not be taken into the book (incident {code}); compare it with the "
                "broker's, then restart the engine.",
            )

    def _warn(self, code: str, text: str) -> None:
        """Put an alarm into the journal without waiting for it."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # nobody waits; that it could not be stored is in the log already
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._put(Stated([ev.NoticeRaised(level="alarm", code=code, text=text)], done))

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
        sending = any(task.get_name().startswith(("send-", "read-book-")) for task in self._tasks)
        if self._inbox.empty() and not sending and not self._busy:
            self._idle.set()

    async def _watch_loop(self) -> None:
        interval = 0.25
        while True:
            before = self.world.clock.monotonic()
            await asyncio.sleep(interval)
            self.meters.loop_lag.add(max(0.0, (self.world.clock.monotonic() - before - interval) * 1000))
            if self.state.flattening and self._broken is None:
                self._put(Nudged())
