"""Agreeing with the brokers at a start: each whole book is heard, then what it does not show is settled."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from optconsole.engine.deadlines import within
from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import BrokerUnreachable, BrokerUpdate, UpdateSink
from optconsole.engine.shell.inbox import Heard, Inbox
from optconsole.engine.trading import reconciliation
from optconsole.engine.watching import READ_DEADLINE, Book, BookWatch
from optconsole.engine.world import World

CONNECT_DEADLINE: Final = 8.0
"""Seconds in which a broker's connection is open, or closed, or counts as failed."""
SECOND_LOOK: Final = 5.0
"""Seconds after which a start looks again at positions that differ: a broker's book may be some behind."""


class Agreement:
    """Brings our book and the brokers' together, through the inbox like everything else."""

    def __init__(
        self, world: World, inbox: Inbox, watches: Mapping[str, BookWatch], book: Callable[[], TradingState]
    ) -> None:
        self._world = world
        self._inbox = inbox
        self._watches = watches
        self._book = book
        self._log = logging.getLogger("optconsole.engine")

    async def connect(self, account: str, sink: UpdateSink) -> None:
        """Open the way to a broker. Raises Refusal when there is none."""
        broker = self._world.brokers[account]
        try:
            await within(CONNECT_DEADLINE, broker.connect(sink))
        except BrokerUnreachable as failed:
            raise Refusal("BROKER_UNREACHABLE", f"{broker.name} does not connect: {failed}.") from failed

    async def part(self) -> None:
        """Let go of every broker; one that does not let go is left."""
        for account, broker in self._world.brokers.items():
            try:
                await within(CONNECT_DEADLINE, broker.close())
            except BrokerUnreachable as failed:
                self._log.warning("the connection of %s was not closed: %s", account, failed)

    async def reconcile(self, account: str, late: bool = False) -> int:
        """Hear the broker's whole book, then settle what it does not show. Returns the orders compared.

        A ``late`` one ends a blindness that was told, as any reading does.

        Raises Refusal when the broker does not answer.
        """
        broker = self._world.brokers[account]
        try:
            book = await self._watches[account].read()
            settlements = await within(READ_DEADLINE, broker.settlements())
        except BrokerUnreachable as failed:
            raise Refusal("BROKER_UNREACHABLE", f"{broker.name} does not answer: {failed}.") from failed
        await self._hear(account, [*reconciliation.book_rows(book.orders, book.trades), *settlements])
        tags, ids = {row.tag for row in book.orders if row.tag}, {row.broker_id for row in book.orders}
        proof, asked = broker.book_is_proof, reconciliation.doubted(self._book(), account)
        for decision in (
            reconciliation.resolve_missing(self._book(), broker.name, asked, tags, proof),
            reconciliation.resolve_pending(self._book(), broker.name, account, ids),
            reconciliation.resolve_gone(self._book(), broker.name, account, ids, proof),
        ):
            await self._inbox.state(decision.facts)
        await self._compare(account, book)
        if late:
            self._inbox.put(book)
        return len(book.orders)

    async def _hear(self, account: str, rows: Sequence[BrokerUpdate]) -> None:
        for row in rows:
            self._inbox.put(Heard(account, row))
        await self._inbox.settled()

    async def _compare(self, account: str, book: Book) -> None:
        """Tell of positions that differ, twice in a row: what fills between two reads of one book differs only once."""
        name = self._world.brokers[account].name
        told = reconciliation.compare_positions(self._book(), name, account, book.positions)
        if told.facts:
            await self._world.clock.sleep(SECOND_LOOK)
            with contextlib.suppress(BrokerUnreachable):
                book = await self._watches[account].read()
                await self._hear(account, reconciliation.book_rows(book.orders, book.trades))
            again = reconciliation.compare_positions(self._book(), name, account, book.positions)
            # a difference that moves is one that fills; the readings to come judge it
            told.facts = [fact for fact in again.facts if fact in told.facts]
        await self._inbox.state(told.facts)

    async def take_positions(self, master: InstrumentMaster, board: QuoteBoard) -> None:
        """Take the brokers' quantities for ours: the store that knew how they came about is not there any more."""
        for account, broker in self._world.brokers.items():
            theirs = await self._watches[account].read()
            self._world.feed.watch([row.contract for row in theirs.positions])
            decision = reconciliation.adopt_positions(
                self._book(), broker.name, account, theirs.positions, master, board.get
            )
            await self._inbox.state(decision.facts)
