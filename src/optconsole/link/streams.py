"""What has arrived at a console and is not read yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from optconsole.engine.events import Recorded
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import Vitals
from optconsole.engine.ports import Beat


class Subscription:
    """Facts in order; the engine sends at most ``wire.FACTS_AHEAD`` beyond what is read."""

    def __init__(self, check: Callable[[], None]) -> None:
        self.changed = asyncio.Event()
        self._check = check
        self._facts: deque[Recorded] = deque()
        self._over = False
        self._refusal: Refusal | None = None

    def add(self, facts: Sequence[Recorded]) -> None:
        self._facts.extend(facts)
        self.changed.set()

    def end(self, refusal: Refusal | None) -> None:
        self._over, self._refusal = True, refusal
        self.changed.set()

    async def take(self) -> Recorded | None:
        """The next fact; None at the end. Facts that arrived before a loss still count. Raises LinkLost, Refusal."""
        while not self._facts:
            if self._refusal is not None:
                raise self._refusal
            if self._over:
                return None
            self._check()
            self.changed.clear()
            await self.changed.wait()
        return self._facts.popleft()


class Upstream(Protocol):
    """What a tap needs of its link."""

    def check(self) -> None: ...

    def watch(self, rid: int, names: Sequence[str]) -> None: ...

    def drop_stream(self, rid: int) -> None: ...


class FoldedTap:
    """Beats folded into one: a slow screen gets the latest of everything, and nothing twice."""

    def __init__(self, link: Upstream, rid: int) -> None:
        self.changed = asyncio.Event()
        self._link = link
        self._rid = rid
        self._vitals: Vitals | None = None
        self._quotes: dict[str, Quote] = {}
        self._over = False
        self._refusal: Refusal | None = None

    def watch(self, names: Sequence[str]) -> None:
        self._link.watch(self._rid, names)

    def add(self, beat: Beat) -> None:
        self._vitals = beat.vitals
        self._quotes.update((quote.name, quote) for quote in beat.quotes)
        self.changed.set()

    def end(self, refusal: Refusal | None) -> None:
        self._over, self._refusal = True, refusal
        self.changed.set()

    async def __aiter__(self) -> AsyncIterator[Beat]:
        while True:
            if self._vitals is not None:
                beat = Beat(vitals=self._vitals, quotes=tuple(self._quotes.values()))
                self._vitals = None
                self._quotes.clear()
                yield beat
                continue
            if self._refusal is not None:
                raise self._refusal
            if self._over:
                return
            self._link.check()
            self.changed.clear()
            await self.changed.wait()

    async def close(self) -> None:
        if not self._over:
            self._over = True
            self._link.drop_stream(self._rid)
            self.changed.set()
