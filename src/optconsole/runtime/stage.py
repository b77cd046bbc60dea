"""Stages: markets with a clock and a place in the home, that do not know the engine yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.config import Settings
from optconsole.engine.clock import Clock, MarketClock, seeded
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Account, Mode
from optconsole.runtime.bonds import Bonds
from optconsole.runtime.market import Market, PlayedFeed
from optconsole.runtime.places import Place
from optconsole.runtime.rates import paper_rules

DayHook = Callable[[date], Awaitable[None]]
Settled = Callable[[], Awaitable[None]]
Alarm = Callable[[datetime], datetime | None]
Progress = Callable[[str], None]


class Stage(Protocol):
    """``title`` is shown in the frame; ``cadence`` is the market seconds that usually pass between two deliveries."""

    @property
    def title(self) -> str: ...

    @property
    def place(self) -> Place: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def cadence(self) -> float: ...

    async def set(self, stack: AsyncExitStack, bonds: Bonds, progress: Progress) -> Market:
        """Build what stands on it; what must be closed goes onto the stack. Raises Refusal."""
        ...


@dataclass(frozen=True, slots=True)
class PlayedStage:
    """A market that is played: one feed whose time is steered, and the paper exchange it moves."""

    title: str
    mode: Mode
    place: Place
    clock: MarketClock
    build_feed: Callable[[DayHook, DayHook, Settled, Alarm], PlayedFeed]
    settings: Settings
    calendar: Calendar
    cadence: float = 0.0

    async def set(self, _stack: AsyncExitStack, bonds: Bonds, _progress: Progress) -> Market:
        """Raises Refusal(PAPER_LEDGER)."""
        paper = self.settings.paper
        account = Account(id=paper.account, broker="paper", mode=self.mode, capital=paper.capital * 100)
        broker = PaperBroker(
            account,
            self.clock,
            self.place.ledger,
            PaperSettings(**paper.broker_fields()),
            paper_rules(self.calendar),
            seeded(self.place.world),
            bonds.depth,
        )
        feed = self.build_feed(bonds.on_open, bonds.on_close, bonds.settled, bonds.alarm)
        return Market(clock=self.clock, feed=feed, playback=feed, brokers={account.id: broker}, papers=(broker,))
