"""Kite's rate limits: calls a second by kind of call, orders a minute and a day."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from optconsole.brokers.rehearsal.kite.replies import NETWORK, TOO_MANY, KiteError


@dataclass(frozen=True, slots=True)
class Limits:
    """As published. Per second, except where the name says otherwise."""

    quote: int = 1
    candles: int = 3
    orders: int = 10
    others: int = 10
    orders_a_minute: int = 400
    orders_a_day: int = 5000


UNLIMITED = Limits(*[1_000_000] * 6)


class Meter:
    """Counts the calls of the app by the machine's time. Raises KiteError(429) for one too many."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._limits, self._monotonic = limits, monotonic
        self._seen: dict[str, deque[float]] = {}
        self._placed_today = 0

    def new_day(self) -> None:
        self._placed_today = 0

    def count(self, bucket: str, places: bool = False) -> None:
        """One call of a bucket: quote, candles, orders or others; ``places`` for one that counts for the day."""
        limits = self._limits
        most = {"quote": limits.quote, "candles": limits.candles, "orders": limits.orders}.get(bucket, limits.others)
        self._within(bucket, most, 1.0)
        if bucket == "orders":
            self._within("minute", limits.orders_a_minute, 60.0)
        if places:
            self._placed_today += 1
            if self._placed_today > limits.orders_a_day:
                raise KiteError(NETWORK, TOO_MANY, 429)

    def _within(self, name: str, most: int, seconds: float) -> None:
        now, seen = self._monotonic(), self._seen.setdefault(name, deque())
        while seen and seen[0] <= now - seconds:
            seen.popleft()
        if len(seen) >= most:
            raise KiteError(NETWORK, TOO_MANY, 429)
        seen.append(now)
