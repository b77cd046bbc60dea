"""Minutes of the day as the rehearsal saw them: what charts are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from optconsole.brokers.rehearsal.noren.charts import Candle
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import from_millis

MINUTE = timedelta(minutes=1)
MINUTE_MS = 60_000


class _Minute:
    """One minute of one contract while it is still being traded."""

    __slots__ = ("close", "high", "low", "number", "oi", "open", "volume_after", "volume_before")

    def __init__(self, number: int, price: int, volume_before: int) -> None:
        self.number = number
        self.open = self.high = self.low = self.close = price
        self.volume_before = self.volume_after = volume_before
        self.oi = 0


class History:
    """Minutes by contract, oldest first, since the day was listed."""

    def __init__(self) -> None:
        self._minutes: dict[str, list[_Minute]] = {}

    def clear(self) -> None:
        self._minutes.clear()

    def saw(self, quotes: Sequence[Quote]) -> None:
        """Take a batch of quotes."""
        for quote in quotes:
            if quote.ltp is None:
                continue
            minutes = self._minutes.setdefault(quote.name, [])
            number = quote.ts // MINUTE_MS
            if not minutes or minutes[-1].number != number:
                minutes.append(_Minute(number, quote.ltp, minutes[-1].volume_after if minutes else quote.volume))
            minute = minutes[-1]
            minute.high, minute.low = max(minute.high, quote.ltp), min(minute.low, quote.ltp)
            minute.close, minute.volume_after, minute.oi = quote.ltp, quote.volume, quote.oi or 0

    def minutes(self, name: str, since: datetime, until: datetime) -> list[Candle]:
        """Minutes that begin within a span of time, oldest first."""
        return [
            Candle(
                at=at,
                open=minute.open,
                high=minute.high,
                low=minute.low,
                close=minute.close,
                volume=max(0, minute.volume_after - minute.volume_before),
                total=minute.volume_after,
                oi=minute.oi,
            )
            for minute in self._minutes.get(name, ())
            if since <= (at := from_millis(minute.number * MINUTE_MS)) <= until
        ]
