"""How a rehearsal's market begins: still, played by the practice market, or by any feed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.paper.practice.feed import DEFAULT_RATE, PracticeFeed
from optconsole.brokers.paper.practice.hours import Listing, TradingDays
from optconsole.brokers.paper.rules import PaperRules
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.brokers.rehearsal.market import Market, MarketFeed
from optconsole.engine.clock import MarketClock, pause, seeded
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.quotes import Depth

LEDGER: Final = "rehearsal.db"
QUICK: Final = PaperSettings(ack_latency_ms=1, update_latency_ms=1, latency_jitter_ms=1)
CAPITAL: Final = 1_00_00_000_00


async def still_market(
    folder: Path,
    *,
    rules: PaperRules,
    clock: MarketClock,
    instruments: Sequence[Instrument],
    account: str = "AB1234",
    capital: int = CAPITAL,
    settings: PaperSettings = QUICK,
    seed: int = 1,
) -> Market:
    """A market that stands still until it is shown a quote, on a ledger in ``folder``; ``capital`` in paise."""
    return await _open(folder, rules, clock, instruments, account, capital, settings, seed)


async def open_market(
    folder: Path,
    *,
    calendar: TradingDays,
    rules: PaperRules,
    listing: Listing,
    seed: int,
    start: datetime,
    speed: float = 1.0,
    rate: float = DEFAULT_RATE,
    account: str = "AB1234",
    capital: int = CAPITAL,
    settings: PaperSettings = QUICK,
) -> Market:
    """The practice market of a seed, playing from ``start``, on a ledger in ``folder``. Raises Refusal."""

    def build(clock: MarketClock, hooks: Hooks) -> PracticeFeed:
        return PracticeFeed(
            seed=seed,
            clock=clock,
            calendar=calendar,
            listing=listing,
            on_open=hooks.on_open,
            on_close=hooks.on_close,
            settled=hooks.settled,
            rate=rate,
            speed=speed,
        )

    return await played_market(
        folder, build, rules=rules, start=start, account=account, capital=capital, settings=settings, seed=seed
    )


async def played_market(
    folder: Path,
    build: Callable[[MarketClock, Hooks], MarketFeed],
    *,
    rules: PaperRules,
    start: datetime,
    account: str = "AB1234",
    capital: int = CAPITAL,
    settings: PaperSettings = QUICK,
    seed: int = 1,
) -> Market:
    """A market that the feed of ``build`` moves from ``start`` on. Raises Refusal."""
    clock, hooks = MarketClock(start, 0.0), Hooks()
    hooks.feed = feed = build(clock, hooks)
    listed = feed.instruments(start.date())
    hooks.market = market = await _open(folder, rules, clock, listed, account, capital, settings, seed)
    market.feed = feed
    await feed.start(market.on_quotes)
    return market


class Hooks:
    """What a feed calls at the ends of a day; a feed is made before the market it moves."""

    market: Market
    feed: MarketFeed

    async def on_open(self, day: date) -> None:
        self.market.load(self.feed.instruments(day))

    async def on_close(self, day: date) -> None:
        self.market.broker.end_session(day)
        await self.market.broker.delivered()

    async def settled(self) -> None:
        """Clients come first, however fast the market is played."""
        await pause()


async def _open(
    folder: Path,
    rules: PaperRules,
    clock: MarketClock,
    instruments: Sequence[Instrument],
    account: str,
    capital: int,
    settings: PaperSettings,
    seed: int,
) -> Market:
    markets: list[Market] = []

    def depth(name: str) -> Depth | None:
        return markets[0].shown(name) if markets else None

    owner = Account(id=account, broker="rehearsal", mode=Mode.PAPER, capital=capital)
    broker = PaperBroker(owner, clock, folder / LEDGER, settings, rules, seeded(seed), depth)
    market = Market(broker, clock, rules, instruments)
    markets.append(market)
    await broker.connect(market.desk.hear)
    return market
