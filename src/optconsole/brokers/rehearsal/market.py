"""The market behind a rehearsal: the paper exchange's account as ground truth, and what contracts are quoted at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.paper.rules import Exposure, PaperRules
from optconsole.brokers.rehearsal.minutes import Minute, Minutes
from optconsole.brokers.rehearsal.venue import Venue
from optconsole.engine.clock import MarketClock
from optconsole.engine.model.accounts import Account
from optconsole.engine.model.instruments import Instrument, Kind
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.timeline import millis
from optconsole.engine.ports import BrokerUpdate, Feed, PlaceRequest, Playback, QuoteSink, UpdateSink

Leave = Callable[[], None]
DayHook = Callable[[date], None]


class MarketFeed(Feed, Playback, Protocol):
    """A feed whose time can be steered: the practice market or a recording."""


@dataclass(frozen=True, slots=True)
class Session:
    """High, low and first price of a contract since the market opened here, in paise."""

    open: int
    high: int
    low: int


class Market:
    """One account at the paper exchange, and the quotes it trades against.

    Without a feed it is a market that stands still until it is shown something. A dialect trades at ``desk``;
    ``broker`` is the ground truth that a test compares with.
    """

    def __init__(
        self, broker: PaperBroker, clock: MarketClock, rules: PaperRules, instruments: Iterable[Instrument]
    ) -> None:
        self.broker, self.clock, self.rules = broker, clock, rules
        self.feed: MarketFeed | None = None
        self._listed: dict[str, Instrument] = {}
        self._latest: dict[str, Quote] = {}
        self._depths: dict[str, Depth] = {}
        self._sessions: dict[str, Session] = {}
        self._minutes = Minutes()
        self._quotes: list[QuoteSink] = []
        self._updates: list[UpdateSink] = []
        self._days: list[DayHook] = []
        self.desk = Venue(broker, self.now, self._told)
        self.load(instruments)

    # ------------------------------------------------------------ what a dialect asks

    def now(self) -> datetime:
        return self.clock.now()

    @property
    def account(self) -> Account:
        return self.broker.account

    def instruments(self) -> list[Instrument]:
        """Contracts of the day, indices included."""
        return list(self._listed.values())

    def instrument(self, name: str) -> Instrument | None:
        return self._listed.get(name)

    def quote(self, name: str) -> Quote | None:
        """The latest quote; None while there was none today."""
        return self._latest.get(name)

    def session(self, name: str) -> Session | None:
        """How the price went today; None before the first."""
        return self._sessions.get(name)

    def minutes(self, name: str) -> list[Minute]:
        """The minutes of a contract that were played here, oldest first."""
        return self._minutes.of(name)

    def margin_alone(self, requests: Sequence[PlaceRequest]) -> int:
        """Paise that orders tie up once they are done, as if nothing else were open: premium paid, and margin.

        Raises Refusal where a price it needs is unknown.
        """
        exposures = [Exposure(each.instrument, each.side.sign * each.qty, each.price) for each in requests]
        bought = [held for held in exposures if held.qty > 0 and held.instrument.kind is Kind.OPTION]
        premium = sum(held.qty * held.price for held in bought)
        if len(bought) == len(exposures):
            return premium
        return premium + self.rules.margin(exposures, self._latest.get, self.clock.now())

    def depth(self, name: str) -> Depth | None:
        """The book: as shown, as the feed has it, else the best prices of the latest quote."""
        shown = self._depths.get(name) or (self.feed.depth(name) if self.feed is not None else None)
        quote = self._latest.get(name)
        if shown is not None or quote is None or not quote.booked:
            return shown
        bids = ((quote.bid, quote.bid_qty),) if quote.bid is not None else ()
        asks = ((quote.ask, quote.ask_qty),) if quote.ask is not None else ()
        return Depth(name, quote.ts, bids, asks)

    def listen(self, sink: QuoteSink) -> Leave:
        """Hear each batch of quotes, after the exchange has. The answer ends it."""
        return _join(self._quotes, sink)

    def updates(self, sink: UpdateSink) -> Leave:
        """Hear of each order, trade and settlement. The answer ends it."""
        return _join(self._updates, sink)

    def on_day(self, hook: DayHook) -> Leave:
        """Be told when another day is listed."""
        return _join(self._days, hook)

    def watch(self, names: Sequence[str]) -> None:
        """Let these tick often."""
        if self.feed is not None:
            self.feed.watch(names)

    # ------------------------------------------------------------ what drives it

    def show(self, quote: Quote, depth: Depth | None = None) -> None:
        """Quote one contract so from now on; a ``depth`` stays until the next one is shown without."""
        self._depths.pop(quote.name, None)
        if depth is not None:
            self._depths[quote.name] = depth
        self.on_quotes([quote])

    def stamp(self) -> int:
        """The market's time in epoch milliseconds, for a quote to show."""
        return millis(self.clock.now())

    async def advance(self, seconds: float) -> None:
        """Move the market's time on: a feed plays to it at once and then goes on as before, a still market jumps."""
        moment = self.clock.now() + timedelta(seconds=seconds)
        if self.feed is None:
            self.clock.set(moment)
        else:
            paused, speed = self.feed.paused, self.feed.speed
            self.feed.resume(0.0)
            await self.feed.run_to(moment)
            self.feed.resume(speed)
            if paused:
                self.feed.pause()
        self.broker.on_time(self.clock.now())

    async def opened(self, patience: float) -> None:
        """Wait until every contract has been quoted, so that the first client finds prices; not longer than that."""
        began = self.clock.monotonic()
        while len(self._latest) < len(self._listed) and self.clock.monotonic() - began < patience:
            await self.clock.sleep(0.005)

    async def close_out(self) -> None:
        """Let the broker's risk desk close every position."""
        await self.desk.close_out(self.quote, self._listed)

    async def close(self) -> None:
        """Stop the feed and let go of the ledger, with the time it reached."""
        if self.feed is not None:
            await self.feed.stop()
        self.broker.mark_time(self.clock.now())
        await self.broker.close()

    # ------------------------------------------------------------ what a feed tells

    def load(self, instruments: Iterable[Instrument]) -> None:
        """Take a day's contracts; yesterday's prices are forgotten."""
        self._listed = {instrument.name: instrument for instrument in instruments}
        self._latest.clear()
        self._depths.clear()
        self._sessions.clear()
        self.broker.load(list(self._listed.values()))
        for hook in list(self._days):
            hook(self.clock.now().date())

    def on_quotes(self, quotes: Sequence[Quote]) -> None:
        """The exchange first, so that a listener sees what a quote made happen."""
        for quote in quotes:
            self._latest[quote.name] = quote
            if quote.ltp is not None:
                self._sessions[quote.name] = _seen(self._sessions.get(quote.name), quote.ltp)
                self._minutes.see(quote, quote.ltp)
        self.broker.on_quotes(quotes)
        self.desk.see(quotes)
        for sink in list(self._quotes):
            sink(quotes)

    def _told(self, update: BrokerUpdate) -> None:
        for sink in list(self._updates):
            sink(update)

    def shown(self, name: str) -> Depth | None:
        """What the exchange matches against: a book that was shown, else the feed's."""
        return self._depths.get(name) or (self.feed.depth(name) if self.feed is not None else None)


def _seen(before: Session | None, price: int) -> Session:
    if before is None:
        return Session(price, price, price)
    if before.low <= price <= before.high:
        return before
    return Session(before.open, max(before.high, price), min(before.low, price))


def _join(all_of: list[Callable[..., None]], one: Callable[..., None]) -> Leave:
    all_of.append(one)

    def leave() -> None:
        with suppress(ValueError):  # leaving twice is no fault
            all_of.remove(one)

    return leave
