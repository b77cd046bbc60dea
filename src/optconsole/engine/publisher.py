"""Facts to whoever follows: from memory while they keep up, from the journal when they fell behind. Never a queue."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Final

from optconsole.engine.events import Recorded
from optconsole.engine.ports import Journal

KEPT: Final = 4096
PAGE: Final = 1000


class Publisher:
    """Holds the newest facts and wakes followers. A follower's pace is its own and costs the engine nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._recent: deque[Recorded] = deque(maxlen=KEPT)
        self._advanced = asyncio.Event()
        self._head = 0

    def start_at(self, seq: int) -> None:
        """The journal's head before the first fact of this run."""
        self._head = seq

    def publish(self, facts: Sequence[Recorded]) -> None:
        """Make applied facts visible and wake who waits."""
        if not facts:
            return
        self._recent.extend(facts)
        self._head = facts[-1].seq
        self._advanced.set()
        self._advanced = asyncio.Event()

    async def follow(self, after: int) -> AsyncIterator[Recorded]:
        """Every fact above ``after`` in order, for ever."""
        while True:
            for fact in await self._page(after):
                after = fact.seq
                yield fact
            if after >= self._head:
                await self._advanced.wait()

    async def _page(self, after: int) -> Sequence[Recorded]:
        if after >= self._head:
            return ()
        if self._recent and self._recent[0].seq <= after + 1:
            return [fact for fact in self._recent if fact.seq > after]
        # The journal may be ahead of what is applied; nobody sees a fact before the state has it.
        page = await self._journal.read(after=after, limit=PAGE)
        return [fact for fact in page if fact.seq <= self._head]
