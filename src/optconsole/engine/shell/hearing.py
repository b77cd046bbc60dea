"""What brokers say, heard against the state: rows, answers to requests, whole books and silence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.events import AnyEvent
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.health import AccountHealth, BookSeen
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.text import display
from optconsole.engine.model.vitals import DoubtVitals
from optconsole.engine.ports import JournalBroken
from optconsole.engine.rules.tags import install_code
from optconsole.engine.shell.effects import account_of
from optconsole.engine.shell.inbox import Answered, Heard, Unreadable
from optconsole.engine.trading import band_words, intake, letters, outcomes, reconciliation, resolution, sentinel
from optconsole.engine.trading.decision import Decision, SendCancel, SendModify, SendPlace
from optconsole.engine.trading.drift import Drifts
from optconsole.engine.trading.standing import book_seen
from optconsole.engine.trading.stopless import stopless_shorts, told
from optconsole.engine.trading.unanswered import Unanswered
from optconsole.engine.watching import Book
from optconsole.engine.world import World

BLIND: Final = 10.0
"""Seconds without a readable book, in session and with something to guard, after which the trader is told."""


class Hearing:
    """Turns what brokers say into facts. ``settle`` stores them; ``failed`` hears of a row that could not be taken."""

    def __init__(
        self,
        world: World,
        book: Callable[[], TradingState],
        instrument: Callable[[str], Instrument | None],
        settle: Callable[[Decision], Awaitable[None]],
        failed: Callable[[Heard, Exception], Awaitable[None]],
        reference: Callable[[str], int | None],
    ) -> None:
        self._world = world
        self._book = book
        self._instrument, self._reference = instrument, reference
        self._stored = settle
        self._failed = failed
        ours = frozenset(map(install_code, world.installs | {world.install_id}))
        self.intake = intake.Intake(instrument, world.charge_for, world.exercise_charge, ours)
        self._resolvers = {
            name: resolution.Resolver(name, broker.name, broker.book_is_proof) for name, broker in world.brokers.items()
        }
        self._drifts = {name: Drifts(name, broker.name) for name, broker in world.brokers.items()}
        self._unanswered = {name: Unanswered(name) for name in world.brokers}
        self._blind: set[str] = set()
        self.books: dict[str, BookSeen] = {}
        """What each account's book said of positions when it was last heard."""

    async def _settle(self, decision: Decision) -> None:
        await self._stored(band_words.in_words(self._book(), decision, self._instrument, self._reference))

    def doubts(self) -> tuple[DoubtVitals, ...]:
        """The evidence about every order in doubt."""
        now = self._world.clock.monotonic()
        return tuple(doubt for resolver in self._resolvers.values() for doubt in resolver.evidence(now))

    def stored(self, facts: list[AnyEvent]) -> None:
        """What waits for an answer, and what is in doubt, does so from the moment in which it was stored."""
        state, now = self._book(), self._world.clock.monotonic()
        if any(isinstance(event, ev.OrderDoubted) for event in facts):
            for resolver in self._resolvers.values():
                resolver.notice(state, now)
        if any(isinstance(event, ev.OrderChangeAsked | ev.OrderCancelAsked) for event in facts):
            for waits in self._unanswered.values():
                waits.notice(state, now)

    # ------------------------------------------------------------ rows and answers

    async def row(self, heard: Heard) -> None:
        """Hear one row."""
        name = self._world.brokers[heard.account].name
        await self._settle(self.intake.hear(self._book(), name, heard.update))
        if heard.letter in self._book().letters:
            await self._settle(Decision("engine", "dead letter", [ev.InputReplayed(letter_id=heard.letter)]))

    async def answer(self, answered: Answered) -> None:
        """Hear the outcome of a request of ours."""
        request, outcome = answered.request, answered.outcome
        broker = self._world.brokers.get(account_of(request))
        name, state = "engine" if broker is None else broker.name, self._book()
        match request:
            case SendPlace(order_id, _):
                await self._settle(outcomes.placed(state, name, order_id, outcome))
            case SendModify(order_id, _, _):
                await self._settle(outcomes.modified(state, name, order_id, outcome))
            case SendCancel(order_id, _, _):
                await self._settle(outcomes.cancelled(state, name, order_id, outcome))

    async def set_aside(self, heard: Heard, code: str) -> None:
        """Keep a row that failed; the same row read from the book every two seconds is kept once."""
        state = self._book()
        aside = letters.set_aside(state, heard.update, f"incident {code}", heard.letter)
        (kept,) = aside.facts
        if heard.letter or not any(
            isinstance(kept, ev.InputSetAside) and letter.row == kept.row for letter in state.letters.values()
        ):
            await self._settle(aside)

    # ------------------------------------------------------------ whole books

    async def read(self, book: Book) -> None:
        """Hear a whole book, then settle what it does not show."""
        account, broker = book.account, self._world.brokers[book.account]
        await self._rows(book, broker.name)
        resolver, now = self._resolvers[account], self._world.clock.monotonic()
        resolver.notice(self._book(), now)
        tags = {row.tag for row in book.orders if row.tag}
        asked = resolver.asked_before(book.asked)
        await self._settle(reconciliation.resolve_missing(self._book(), broker.name, asked, tags, broker.book_is_proof))
        await self._settle(self._unanswered[account].judge(self._book(), now))
        await self._settle(resolver.judge(self._book(), book.orders, book.positions, book.asked, now))
        await self._settle(self._drifts[account].compare(self._book(), book.positions, now))
        self.books[account] = book_seen(self._book(), account, book.positions, book.asked)
        seen_wrong = sentinel.inspect(self._book(), account, book.orders)
        if seen_wrong is not None:
            await self._settle(seen_wrong)
        if account in self._blind:
            self._blind.discard(account)
            text = f"The book of {account} is readable again."
            await self._settle(Decision("engine", "", [ev.NoticeRaised(level="info", code="BOOK_BACK", text=text)]))

    async def _rows(self, book: Book, broker: str) -> None:
        for row in reconciliation.book_rows(book.orders, book.trades):
            try:
                decision = self.intake.hear(self._book(), broker, row)
                if decision.facts or decision.effects:
                    await self._settle(decision)
            except JournalBroken:
                raise
            except Exception as error:
                await self._failed(Heard(book.account, row), error)

    # ------------------------------------------------------------ silence

    def sees(self, account: str) -> bool:
        """Whether the trader was not told that the account's book cannot be read."""
        return account not in self._blind

    async def blind(self, unread: Unreadable, health: AccountHealth, guarded: bool) -> None:
        """One alarm for a book that stays unreadable while something is to be ``guarded``."""
        account, age = unread.account, health.book_age
        if account in self._blind or not guarded or (not health.lost and age is not None and age < BLIND):
            return
        self._blind.add(account)
        text = f"The book of {account} cannot be read: {display(unread.why)}. Nothing new is taken on; exits go on."
        if health.lost:
            text += " " + told(stopless_shorts(self._book(), account))
        code = "LOGIN_LOST" if health.lost else "BOOK_UNREADABLE"
        notice = ev.NoticeRaised(level="alarm", code=code, text=text, subject=account)
        await self._settle(Decision("engine", "reconcile", [notice]))
