"""What the paper exchange has seen of the market: latest quotes, recent trades, an index's closing minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import from_millis, millis

_TRADES_KEPT: Final = 256
Minute = tuple[str, datetime]
"""An index and the start of a minute."""


class Tape:
    """Fed with every quote; must cost next to nothing for the many contracts nobody has an order in.

    ``closing`` names the indices whose values make a settlement, with the time window (epoch milliseconds);
    ``minutes`` collects (sum of paise, number of values) of each of their minutes, ``kept`` those that are durable.
    """

    def __init__(self, reference_seconds: int) -> None:
        self.latest: dict[str, Quote] = {}
        self.minutes: dict[Minute, tuple[int, int]] = {}
        self.kept: set[Minute] = set()
        self.closing: dict[str, tuple[int, int]] = {}
        self._window = reference_seconds * 1000
        self._trades: dict[str, deque[tuple[int, int]]] = {}

    def saw(self, quote: Quote) -> None:
        """Remember a quote, and the trade that moved its last price."""
        before = self.latest.get(quote.name)
        self.latest[quote.name] = quote
        window = self.closing.get(quote.name)
        if window is not None and quote.ltp is not None and window[0] <= quote.ts < window[1]:
            self._add_minute(quote.name, quote.ts, quote.ltp)
        if before is None or before.ltp == quote.ltp or quote.ltp is None:
            return
        trades = self._trades.get(quote.name)
        if trades is None:
            trades = self._trades[quote.name] = deque(maxlen=_TRADES_KEPT)
        trades.append((quote.ts, quote.ltp))
        # nobody asks for older ones, and a day of them for a thousand contracts is tens of megabytes
        while trades[0][0] < quote.ts - self._window:
            trades.popleft()

    def _add_minute(self, name: str, ts: int, value: int) -> None:
        minute = from_millis(ts).replace(second=0, microsecond=0)
        total, count = self.minutes.get((name, minute), (0, 0))
        self.minutes[name, minute] = (total + value, count + 1)

    def forget(self) -> None:
        """A new day: yesterday's prices are no prices."""
        self.latest.clear()
        self.minutes.clear()
        self.kept.clear()
        self.closing.clear()
        self._trades.clear()

    def reference(self, name: str, now: datetime) -> int | None:
        """The price that limit protection is measured from (market.md 5).

        The mean of the trades seen in the last seconds; while nothing traded, the mark. None without any price.
        """
        since = millis(now) - self._window
        recent = [price for ts, price in self._trades.get(name, ()) if ts >= since]
        if recent:
            return sum(recent) // len(recent)
        quote = self.latest.get(name)
        return None if quote is None else quote.mark


def closing_value(minutes: Iterable[tuple[datetime, int, int]], until: datetime, window: int) -> int | None:
    """Mean of an index over the last ``window`` minutes before ``until``, to the nearest paisa; None if unseen.

    ``minutes`` are (start, sum of paise, number of values).
    """
    since = until - timedelta(minutes=window)
    inside = [(total, count) for start, total, count in minutes if since <= start < until]
    total, count = sum(row[0] for row in inside), sum(row[1] for row in inside)
    return (2 * total + count) // (2 * count) if count else None
