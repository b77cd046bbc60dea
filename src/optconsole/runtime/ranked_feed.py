"""One feed out of several brokers' data: the best one that is alive speaks, the others stand by.

Orders and data are chosen apart, so an account may trade on the prices of another broker (features.md MD-7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Final, Protocol, runtime_checkable

from optconsole.brokers.transport.gateway import LiveFeed
from optconsole.engine.clock import Clock
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.ports import QuoteSink

DEAD: Final = 5.0
"""Seconds without a frame after which the next source takes over; guards judge prices older than this as stale."""
BACK: Final = 15.0
"""Seconds for which a better source must have been heard without a break before it is believed again."""

MOST: Final = 1_500
"""Contracts watched at once; the smallest broker that streams takes twice as many."""

HOLD: Final = 1.0

Told = Callable[[str, str], None]


@runtime_checkable
class Choosy(Protocol):
    """A feed that cannot stream all it watches."""

    def hold(self, names: Sequence[str]) -> None:
        """Stream these first."""
        ...


class RankedFeed:
    """Quotes of the first of ``sources`` (name, feed) that is alive.

    ``listed`` gives the contracts of a day; ``told`` hears (code, sentence) when another source takes over. Brokers
    cap what one login may watch, so of more than `MOST` contracts those asked for longest ago are let go, but never
    ``needed`` ones.
    """

    def __init__(
        self,
        sources: Sequence[tuple[str, LiveFeed]],
        clock: Clock,
        listed: Callable[[date], list[Instrument]],
        told: Told,
        needed: Callable[[], Collection[str]],
    ) -> None:
        self._needed = needed
        self._task: asyncio.Task[None] | None = None
        self._watched: dict[str, None] = {}
        """In the order they were last asked for."""
        self._sources = tuple(sources)
        self._clock = clock
        self._listed = listed
        self._told = told
        self._current = 0
        self._sink: QuoteSink | None = None
        self._since: list[float | None] = [None] * len(self._sources)
        """When each source's present unbroken speech began."""
        self._last: list[float] = [0.0] * len(self._sources)

    @property
    def name(self) -> str:
        """The source that speaks now."""
        return self._sources[self._current][0] if self._sources else "none"

    async def start(self, sink: QuoteSink) -> None:
        self._sink = sink
        for rank, (_, feed) in enumerate(self._sources):
            self._last[rank] = self._clock.monotonic()
            await feed.start(lambda quotes, rank=rank: self._take(rank, quotes))  # type: ignore[misc]

        self._task = asyncio.create_task(self._hold(), name="held-quotes")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for _, feed in self._sources:
            await feed.stop()

    def instruments(self, day: date) -> list[Instrument]:
        return self._listed(day)

    def watch(self, names: Sequence[str]) -> None:
        """Every source is asked, so that none begins from nothing when it takes over."""
        for name in names:
            self._watched.pop(name, None)
            self._watched[name] = None
        for _, feed in self._sources:
            feed.watch(names)
        if len(self._watched) > MOST:
            self._let_go(len(self._watched) - MOST)

    def _let_go(self, count: int) -> None:
        needed = frozenset(self._needed())
        oldest = [name for name in self._watched if name not in needed][:count]
        for name in oldest:
            del self._watched[name]
        for _, feed in self._sources:
            feed.drop(oldest)

    def depth(self, name: str) -> Depth | None:
        return self._sources[self._current][1].depth(name) if self._sources else None

    def vouched(self, name: str) -> int | None:
        return self._sources[self._current][1].vouched(name) if self._sources else None

    async def _hold(self) -> None:
        """Tell feeds that stream only some contracts which of them something depends on."""
        told: frozenset[str] = frozenset()
        while True:
            await self._clock.sleep(HOLD)
            needed = frozenset(self._needed())
            if needed != told:
                told = needed
                for _, feed in self._sources:
                    if isinstance(feed, Choosy):
                        feed.hold(sorted(needed))

    def _take(self, rank: int, quotes: Sequence[Quote]) -> None:
        now = self._clock.monotonic()
        if self._since[rank] is None or now - self._last[rank] > DEAD:
            self._since[rank] = now
        self._last[rank] = now
        if rank != self._current:
            self._consider(rank, now)
        if rank == self._current and self._sink is not None:
            self._sink(quotes)

    def _consider(self, rank: int, now: float) -> None:
        """Whether a source that stands by should speak: the present one is dead, or a better one is back for good."""
        present, began = self._current, self._since[rank]
        dead = now - self._last[present] > DEAD
        back = rank < present and began is not None and now - began >= BACK
        if not dead and not back:
            return
        name, left = self._sources[rank][0], self._sources[present][0]
        self._current = rank
        if dead:
            text = f"{left} has sent no quote for {now - self._last[present]:.0f} s; prices come from {name} now."
            self._told("FEED_FAILED_OVER", text)
        else:
            self._told("FEED_BACK", f"{name} sends quotes again; prices come from it once more.")
