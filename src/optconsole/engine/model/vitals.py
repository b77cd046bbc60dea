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
    """One broker by capability. Latencies are milliseconds of the last hundred order calls; None without any."""

    name: str
    quotes: LinkState
    order_read: LinkState
    order_write: LinkState
    latency_p50: float | None = None
    latency_p99: float | None = None
    note: str = ""


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of the engine's health, sent with every beat.

    ``phase_ends`` is when the market phase next changes; ``feed_age`` seconds since the last quote of anything;
    ``loop_lag`` and ``commit_p99`` milliseconds. ``world`` says what plays: practice, replay FILE or live.
    ``guard`` is why entries are refused, in two words such as GUARD ONLY or STORE DOWN, empty when they are not.
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
