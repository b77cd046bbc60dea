"""The engine's one task: takes an input at a time, decides, stores, applies, publishes, acts, then does its duties."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.market.market_days import market_days
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.access import Access
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import RiskClass
from optconsole.engine.observe.log import incident
from optconsole.engine.ports import JournalBroken
from optconsole.engine.ports.strategists import unregistered
from optconsole.engine.rules.access import require_access
from optconsole.engine.rules.pretrade import risk_class
from optconsole.engine.rules.tags import install_code
from optconsole.engine.shell.answers import Answers
from optconsole.engine.shell.duties import Duties
from optconsole.engine.shell.effects import Effects
from optconsole.engine.shell.hearing import Hearing
from optconsole.engine.shell.inbox import (
    Answered,
    Asked,
    Heard,
    Inbox,
    Input,
    Nudged,
    Stated,
    StrategyAnswered,
    Unreadable,
)
from optconsole.engine.shell.latching import UnstoredKill
from optconsole.engine.shell.pacing import guarded
from optconsole.engine.shell.record import Record
from optconsole.engine.shell.sight import Sight
from optconsole.engine.shell.steering import steer
from optconsole.engine.state import IllegalTransition
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.handlers import View, decide
from optconsole.engine.watching import Book
from optconsole.engine.world import World

COMMAND_LIFE: Final = 5.0
"""Seconds after which an order to take risk that nobody got round to is refused: it was meant for another market."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the task works with. ``master`` gives the contracts of the day."""

    world: World
    record: Record
    inbox: Inbox
    answers: Answers
    effects: Effects
    kill: UnstoredKill
    sight: Sight
    master: Callable[[], InstrumentMaster]


class Worker:
    """Owns what changes the record."""

    def __init__(self, rooms: Rooms) -> None:
        self._world, self._record, self._inbox = rooms.world, rooms.record, rooms.inbox
        self._answers, self._effects, self._kill = rooms.answers, rooms.effects, rooms.kill
        self._sight, self._master = rooms.sight, rooms.master
        self._install = install_code(rooms.world.install_id)
        self._log = logging.getLogger("optconsole.engine")
        book = rooms.record.book
        self.hearing = Hearing(rooms.world, book, self._instrument, self.settle, self._failed, rooms.sight.reference)
        self._days = market_days(rooms.world.calendar)
        self._duties = Duties(rooms.inbox, book, rooms.sight.situation, self.settle, self._install, self._days)

    async def run(self) -> None:
        """Take inputs for ever."""
        while True:
            item = await self._inbox.take()
            if await self._taken(item):
                await self._go_on()
            self._inbox.done()

    async def _taken(self, item: Input) -> bool:
        """Take one input. False when it was not carried out, which whoever waits for it was told."""
        try:
            await self._take(item)
        except JournalBroken as broken:
            self._break(broken, item)
            return False
        except Exception as error:
            try:
                await self._failed(item, error)
            except Exception as worse:  # without this task nothing is guarded any more: it outlives every input
                self._log.error("a failed input could not be kept, incident %s", incident("engine", worse))
            return False
        return True

    async def _go_on(self) -> None:
        """Take the steps that are due after an input. What it was answered stands, whatever becomes of them."""
        try:
            await self._duties.advance(self._master(), priced=self._sight.priced)
        except JournalBroken as broken:
            self._record.lost(broken)
        except Exception as error:
            text = f"The guards could not look (incident {incident('duty', error)}); the log tells why."
            self._inbox.warn_once(self._record.state, "DUTY_FAILED", text)

    async def _take(self, item: Input) -> None:
        match item:
            case Asked(command, answer):
                await self._carry_out(command, answer)
            case Heard():
                await self.hearing.row(item)
            case Answered():
                await self.hearing.answer(item)
            case Stated():
                await self._state(item)
            case Book():
                await self.hearing.read(item)
            case Unreadable(account):
                await self.hearing.blind(item, self._sight.health(account), guarded(self._record.state, account))
            case StrategyAnswered(answer):
                await self._duties.hear(self._master(), answer)
            case Nudged():
                return

    async def _state(self, item: Stated) -> None:
        await self.settle(Decision(item.actor, item.cause, facts=item.facts))
        if not item.done.done():
            item.done.set_result(None)

    async def _carry_out(self, command: AnyCommand, answer: asyncio.Future[Reply]) -> None:
        if self._record.broken is not None:
            self._refuse(command, answer, self._record.broken)
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
        await self.settle(decision)
        if isinstance(command, cmd.EngageKill):
            self._kill.stored()
        self._answers.give(command, answer, msgspec.structs.replace(reply, seq=self._record.state.seq))

    def _decide(self, command: AnyCommand) -> Decision:
        require_access(self._record.state, command)
        if isinstance(command, cmd.SteerReplay):
            return steer(command, self._world.playback, self._world.clock.now(), self._inbox.spawn)
        if isinstance(command, cmd.PlaceOrder | cmd.PlaceGroup | cmd.Reverse):
            self._still_meant(command)
        if isinstance(command, cmd.ReadBookNow) and command.account not in self._world.brokers:
            known = ", ".join(sorted(self._world.brokers)) or "none"
            raise Refusal("UNKNOWN_ACCOUNT", f"No broker serves an account {command.account!r}; known: {known}.")
        vet = unregistered if self._world.strategies is None else self._world.strategies.faults
        view = View(self._record.state, self._master(), self._sight.situation(), self._install, self._days, vet)
        return decide(view, command)

    def _still_meant(self, command: cmd.PlaceOrder | cmd.PlaceGroup | cmd.Reverse) -> None:
        """Raises Refusal for an order that waited, with the machine asleep or busy, until its market was gone."""
        waited = 0.0 if command.asked is None else self._world.clock.monotonic() - command.asked
        closes = isinstance(command, cmd.PlaceOrder) and (
            risk_class(self._record.state, command.terms) is not RiskClass.INCREASE
        )
        if waited > COMMAND_LIFE and not closes:
            raise Refusal(
                "STALE_COMMAND",
                f"The order was given {waited:.0f} s ago and is not sent any more; "
                "look at the price and give it again.",
            )

    async def settle(self, decision: Decision) -> None:
        """Store, apply, publish, act: in this order and no other."""
        decided = self._world.clock.monotonic()
        if decision.facts:
            await self._record.add(decision, self._world.clock.now())
            self.hearing.stored(decision.facts)
            self._effects.stored(decision.facts)
        for effect in decision.effects:
            self._effects.act(effect, decided)

    # ------------------------------------------------------------ what goes wrong

    def _break(self, broken: JournalBroken, item: Input) -> None:
        """This input could not be stored and is not carried out."""
        self._record.lost(broken)
        if isinstance(item, Asked):
            self._refuse(item.command, item.answer, broken)
        else:
            self._release(item, broken.code, broken.text)

    def _refuse(self, command: AnyCommand, answer: asyncio.Future[Reply], broken: JournalBroken) -> None:
        """A command that cannot be stored is not carried out; the kill switch is."""
        reply = Reply(ok=False, code=broken.code, text=broken.text)
        if isinstance(command, cmd.EngageKill) and broken.code != "FENCED" and command.access is not Access.OBSERVER:
            reply = self._kill.engage(self._record.state, command, broken)
        self._answers.give(command, answer, reply)
        if broken.code == "STORE_DOWN":
            refused = ev.CommandRefused(command=type(command).__name__, code=broken.code, reason=broken.text)
            self._inbox.state_later([refused], command.actor, command.id)

    async def _failed(self, item: Input, error: Exception) -> None:
        """A defect of ours costs this one input, never the engine."""
        code = incident("engine", error)
        kind = "fact" if isinstance(error, IllegalTransition) else "input"
        self._log.error("an impossible %s was refused, incident %s", kind, code)
        self._release(item, "INTERNAL", f"The engine could not do this (incident {code}); the log tells why.")
        if isinstance(item, Heard):
            try:
                await self.hearing.set_aside(item, code)
            except JournalBroken as broken:
                self._break(broken, item)
        if isinstance(item, Heard | Answered):
            self._inbox.warn_once(
                self._record.state,
                "BROKER_ROW_REFUSED",
                f"What the broker said could not be taken into the book (incident {code}); compare it with the "
                "broker's. The Health screen keeps what was said and can have it heard again.",
            )

    def _release(self, item: Input, code: str, text: str) -> None:
        """Tell whoever waits for an input that it was not carried out."""
        if isinstance(item, Asked):
            self._answers.give(item.command, item.answer, Reply(ok=False, code=code, text=text))
        elif isinstance(item, Stated) and not item.done.done():
            item.done.set_exception(Refusal(code, text))

    def latch_again(self) -> None:
        """Give the kill that could not be stored once more."""
        repeat = self._kill.again()
        if repeat is not None:
            self._inbox.put(Asked(repeat, asyncio.get_running_loop().create_future()))

    def _instrument(self, name: str) -> Instrument | None:
        return self._master().get(name)
