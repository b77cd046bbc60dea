"""What the frame and the Health screen show of the engine itself."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class MarketPhase(StrEnum):
    """State of the derivatives session at an instant."""

    PRE_OPEN = "PRE-OPEN"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    HOLIDAY = "HOLIDAY"


class LinkState(StrEnum):
    """Health of one dependency."""

    LIVE = "LIVE"
    STALE = "STALE"
    DEAD = "DEAD"
    CLOSED = "CLOSED"


class BrokerVitals(msgspec.Struct, frozen=True, kw_only=True):
    """One broker by capability. Latencies are milliseconds of the last hundred order calls; None without any.

    The rest is the engine's own experience with the account: ``book_age`` seconds since its book was last read whole,
    None before the first; ``refusing_for`` seconds for which the breaker holds entries back after ``failures``
    requests that failed in a row; ``lost`` why the login is gone.
    """

    name: str
    quotes: LinkState
    order_read: LinkState
    order_write: LinkState
    latency_p50: float | None = None
    latency_p99: float | None = None
    note: str = ""
    account: str = ""
    book_age: float | None = None
    refusing_for: float = 0.0
    failures: int = 0
    lost: str = ""


class DoubtVitals(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence about one order in doubt.

    It was ``waited`` for this many seconds and is released at the earliest in ``due_in``; ``reads`` of
    ``reads_needed`` usable books do not show it, and ``fresh`` says whether one of them was newer than the order.
    """

    order_id: str
    waited: float
    due_in: float
    reads: int
    reads_needed: int
    fresh: bool


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of the engine's health, sent with every beat.

    ``phase_ends`` is when the market phase next changes; ``feed_age`` seconds since the last quote of anything;
    ``loop_lag`` and ``commit_p99`` milliseconds. ``world`` says what plays: practice, replay FILE or live.
    ``guard`` is why entries are refused, in two words such as GUARD ONLY or STORE DOWN, empty when they are not;
    ``guard_why`` says it in a sentence. ``entry_wait`` is the seconds an entry would wait for its turn to leave.
    """

    now: datetime
    world: str
    phase: MarketPhase
    phase_ends: datetime | None
    feed: LinkState
    feed_age: float | None
    quotes_per_second: float
    store: LinkState
    commit_p50: float | None
    commit_p99: float | None
    loop_lag: float | None
    inbox: int
    seq: int
    consoles: int
    orders_last_second: int
    orders_per_second_cap: int
    brokers: tuple[BrokerVitals, ...]
    disk_free: int | None
    uptime: float
    paused: bool = False
    speed: float | None = None
    guard: str = ""
    entry_wait: float = 0.0
    guard_why: str = ""
    doubts: tuple[DoubtVitals, ...] = ()
