"""The console's read copy of the engine: a snapshot, the facts since, and the latest quotes. No terminal here."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order
from optconsole.engine.model.parents import ParentStatus
from optconsole.engine.model.positions import Position
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import Vitals
from optconsole.engine.ports import Beat, Snapshot
from optconsole.engine.queries import FundsAnswer, GetFunds, JournalPage, ReadJournal
from optconsole.engine.state import IllegalTransition, apply
from optconsole.link.protocol import EngineLink, LinkLost

RECENT: Final = 500


class Topic(StrEnum):
    """What a listener may care about."""

    ORDERS = "orders"
    POSITIONS = "positions"
    NOTICES = "notices"
    FACTS = "facts"
    RUNS = "runs"
    STATE = "state"
    FUNDS = "funds"
    LINK = "link"


Listener = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Figures:
    """Money over a set of positions, in paise. ``unpriced`` counts open positions without a price.

    ``unrealised`` and the sums with it leave those out, so the reader must be told.
    """

    realised: int = 0
    unrealised: int = 0
    charges: int = 0
    unpriced: int = 0
    open: int = 0

    @property
    def gross(self) -> int:
        return self.realised + self.unrealised

    @property
    def net(self) -> int:
        return self.gross - self.charges


class Mirror:
    """What the screens read. Facts change ``state`` through the engine's own ``apply``; quotes overwrite.

    ``on`` registers a listener per topic; listeners run at once, on the loop, and must be quick.
    """

    def __init__(self, link: EngineLink) -> None:
        self.link = link
        self.state = TradingState()
        self.vitals: Vitals | None = None
        self.quotes: dict[str, Quote] = {}
        self.funds: dict[str, FundsAnswer] = {}
        self.funds_seq = 0
        """The fact up to which ``funds`` count everything in."""
        self.recent: deque[Recorded] = deque(maxlen=RECENT)
        self.version = ""
        self.lost = False
        self.lost_why = ""
        self.gone = False
        """The link is lost because no engine runs; otherwise one may, and only says nothing."""
        self.resyncs = 0
        self._listeners: dict[Topic, list[Listener]] = {topic: [] for topic in Topic}

    # ------------------------------------------------------------ reading

    @property
    def newest(self) -> Recorded | None:
        """The newest fact seen since the console opened."""
        return self.recent[-1] if self.recent else None

    @property
    def now(self) -> datetime | None:
        """Market time of the last beat; None before the first."""
        return self.vitals.now if self.vitals else None

    def quote(self, name: str) -> Quote | None:
        return self.quotes.get(name)

    def age(self, quote: Quote | None) -> float | None:
        """Seconds since the quote last changed, in market time."""
        if quote is None or self.vitals is None:
            return None
        return max(self.vitals.now.timestamp() - quote.ts / 1000, 0.0)

    def mark(self, contract: str) -> int | None:
        quote = self.quotes.get(contract)
        return quote.mark if quote is not None else None

    def unrealised(self, position: Position) -> int | None:
        """Paise at the present mark; None when open and unpriced."""
        return position.unrealised(self.mark(position.key.contract))

    def figures(self, positions: Iterable[Position] | None = None) -> Figures:
        """Sums over ``positions``, by default over all of today."""
        realised = unrealised = charges = unpriced = held = 0
        for position in self.state.positions.values() if positions is None else positions:
            realised += position.realised
            charges += position.charges
            if position.qty:
                held += 1
                gain = self.unrealised(position)
                if gain is None:
                    unpriced += 1
                else:
                    unrealised += gain
        return Figures(realised, unrealised, charges, unpriced, held)

    def working(self, contract: str | None = None) -> list[Order]:
        """Orders that may still trade, oldest first."""
        return [
            order
            for order in self.state.orders.values()
            if not order.status.final and (contract is None or order.terms.contract == contract)
        ]

    def working_parents(self) -> list[str]:
        """Ids of orders in parts of which a part may still leave or trade, oldest first."""
        return [each.id for each in self.state.parents.values() if each.status is ParentStatus.WORKING]

    def unseen(self) -> int:
        """Notices above ``info`` that nobody acknowledged."""
        seen = self.state.acknowledged
        return sum(1 for notice in self.state.notices if notice.seq > seen and notice.level != "info")

    def held_names(self) -> set[str]:
        """Contracts with open quantity."""
        return {position.key.contract for position in self.state.positions.values() if position.qty}

    # ------------------------------------------------------------ listening

    def on(self, topic: Topic, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after each change of the topic; the result stops that."""
        self._listeners[topic].append(listener)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._listeners[topic].remove(listener)

        return stop

    def _tell(self, *topics: Topic) -> None:
        for topic in topics:
            for listener in tuple(self._listeners[topic]):
                listener()

    # ------------------------------------------------------------ following the engine

    async def resync(self) -> None:
        """Take a fresh snapshot. Raises LinkLost."""
        self.adopt(await self.link.snapshot())

    def adopt(self, snapshot: Snapshot) -> None:
        """Stand on a snapshot. The state is copied: a local link may hand out the engine's own."""
        self.state = snapshot.state.copy()
        self.vitals, self.version = snapshot.vitals, snapshot.version
        self._tell(Topic.STATE, Topic.ORDERS, Topic.POSITIONS, Topic.NOTICES)

    async def read_recent(self) -> None:
        """Fill ``recent`` from the journal's end, so that the newest fact is known at once. Raises LinkLost."""
        page = await self.link.query(ReadJournal(limit=RECENT, last=True))
        if isinstance(page, JournalPage):
            self.recent.extend(page.facts)

    async def follow(self) -> None:
        """Apply facts as they come, for ever. A gap takes a fresh snapshot.

        Raises LinkLost, also for an engine whose facts do not follow from its own snapshot.
        """
        fresh = False
        while True:
            async for fact in self.link.facts(self.state.seq):
                if self.take_fact(fact):
                    fresh = False
                    continue
                if fresh:
                    raise LinkLost("The engine's facts do not follow from its snapshot.")
                self.resyncs += 1
                await self.resync()
                fresh = True
                break
            else:
                raise LinkLost("The engine ended its stream of facts.")

    def take_fact(self, fact: Recorded) -> bool:
        """Apply one fact and tell the listeners; False when it does not follow from the state."""
        if fact.seq <= self.state.seq:
            return True
        try:
            apply(self.state, fact)
        except (IllegalTransition, KeyError):
            return False
        if self.newest is None or fact.seq > self.newest.seq:
            self.recent.append(fact)
        self._tell(*_topics(fact.event), Topic.FACTS)
        return True

    def take_beat(self, beat: Beat) -> set[str]:
        """Take over quotes and vitals; returns the names that changed."""
        self.vitals = beat.vitals
        quotes = self.quotes
        for quote in beat.quotes:
            quotes[quote.name] = quote
        return {quote.name for quote in beat.quotes}

    async def refresh_funds(self) -> None:
        """Ask what the broker says on money, for every account. Raises LinkLost."""
        seq = self.state.seq
        for account in tuple(self.state.accounts):
            answer = await self.link.query(GetFunds(account=account))
            if isinstance(answer, FundsAnswer):
                self.funds[account] = answer
        self.funds_seq = max(self.funds_seq, seq)
        self._tell(Topic.FUNDS)

    def lose(self, why: str) -> None:
        """The link is gone: what is shown is as old as the last beat."""
        if not self.lost:
            self.lost, self.lost_why = True, why
            self._tell(Topic.LINK)

    def missed(self, gone: bool) -> None:
        """Another try to reach the engine has failed: is there none at all?"""
        if gone != self.gone:
            self.gone = gone
            self._tell(Topic.LINK)

    async def regain(self, link: EngineLink) -> None:
        """Go on over a new link. Raises LinkLost."""
        self.link = link
        await self.resync()
        self.lost, self.lost_why, self.gone = False, "", False
        self._tell(Topic.LINK)


def _topics(event: ev.AnyEvent) -> tuple[Topic, ...]:
    match event:
        case ev.OrderFilled():
            return (Topic.ORDERS, Topic.POSITIONS)
        case ev.OrderEvent():
            return (Topic.ORDERS,)
        case ev.ParentEvent() | ev.GroupEvent() | ev.BracketEvent():
            return (Topic.ORDERS,)
        case ev.PositionSettled() | ev.ProtectionEvent():
            return (Topic.POSITIONS,)
        case ev.SessionOpened():
            return (Topic.STATE, Topic.ORDERS, Topic.POSITIONS)
        case ev.NoticeRaised() | ev.NoticeAcknowledged():
            return (Topic.NOTICES,)
        case ev.BasketEvent() | ev.RunEvent():
            return (Topic.RUNS,)
        case ev.CommandRefused() | ev.CommandNoted() | ev.BarsMarked() | ev.CandleClosed():
            return ()
        case _:
            return (Topic.STATE,)
