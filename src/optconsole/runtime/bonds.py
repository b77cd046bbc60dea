"""Feed, exchange and engine tied together, in the order in which each must hear of things."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.engine.core import Engine
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.runtime.evidence import EvidenceDesk
from optconsole.runtime.market import MarketFeed


class Bonds:
    """What hears of quotes, days and consoles. All is set before the first of them comes."""

    engine: Engine
    feed: MarketFeed
    papers: Sequence[PaperBroker] = ()
    evidence: EvidenceDesk | None = None
    begun: Callable[[], None] = staticmethod(lambda: None)
    """What follows once the engine stands and quotes come in."""
    reason = "the start failed"
    """Why the engine stops, for the journal; the house says it when it is asked to."""

    async def farewell(self) -> None:
        await self.engine.stop(self.reason)

    def needed(self) -> frozenset[str]:
        """Contracts that must go on being quoted."""
        return self.engine.needed()

    def depth(self, name: str) -> Depth | None:
        return self.feed.depth(name)

    def on_quotes(self, quotes: Sequence[Quote]) -> None:
        """The board first, so that whatever the exchange does shows against the quote that made it."""
        self.engine.on_quotes(quotes)
        for paper in self.papers:
            paper.on_quotes(quotes)

    async def on_open(self, day: date) -> None:
        for paper in self.papers:
            paper.load(self.feed.instruments(day))
            # A restart must not fall back into the day before the one the journal has opened.
            paper.mark_time(self.engine.world.clock.now())
        await self.engine.open_session(day)

    async def on_close(self, day: date) -> None:
        for paper in self.papers:
            paper.end_session(day)
        await self.engine.settled()
        for paper in self.papers:
            await paper.delivered()
        await self.engine.close_session(day)

    def alarm(self, after: datetime) -> datetime | None:
        return self.engine.next_alarm(after)

    async def settled(self) -> None:
        await self.engine.settled()

    def on_consoles(self, count: int) -> None:
        self.engine.consoles = count
