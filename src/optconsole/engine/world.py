"""What an engine is composed of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from optconsole.engine.clock import Clock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.limits import Limit, OrderLimits
from optconsole.engine.model.orders import Side
from optconsole.engine.ports import Broker, Feed, Journal, Playback, StrategyHost
from optconsole.engine.queries import Check
from optconsole.engine.store.latch import KillLatch


@dataclass(frozen=True, slots=True)
class World:
    """What an engine is composed of. Built by the composition root and by tests."""

    name: str
    version: str
    install_id: str
    clock: Clock
    journal: Journal
    feed: Feed
    brokers: Mapping[str, Broker]
    calendar: Calendar
    limits: OrderLimits
    charge_for: Callable[[date, Instrument, Side, int], int]
    exercise_charge: Callable[[date, Instrument, int], int]
    disk_free: Callable[[], int | None]
    playback: Playback | None = None
    cadence: float = 0.0
    guard_only: str = ""
    installs: frozenset[str] = frozenset()
    """Names that earlier stores of this world had: orders at the broker with their tags are ours."""
    entry_stops: Callable[[], tuple[Check, ...]] = tuple
    """What forbids new risk right now besides the book itself: a store that takes no writes, a full disk."""
    latch: KillLatch | None = None
    """Where the kill switch is latched when the journal cannot be written."""
    vouched: Callable[[str], int | None] = lambda _name: None
    """When the source last vouched for its quote of a contract, in epoch milliseconds, though nothing ticked."""
    limits_at_first: tuple[Limit, ...] = ()
    """Limits that a journal without any begins with; afterwards only commands change them."""

    strategies: StrategyHost | None = None
    """Where registered strategies run; None registers none."""

    def patience(self) -> float:
        """Machine seconds that may pass between two deliveries of quotes: a recorded minute bar comes once a minute."""
        speed = self.playback.speed if self.playback else 1.0
        return self.cadence / speed if speed else 0.0
