"""Minute candles of every contract, as far as the market has been played here."""

from __future__ import annotations

from typing import Final

import msgspec

from optconsole.engine.model.quotes import Quote

MINUTE_MS: Final = 60_000


class Minute(msgspec.Struct, gc=False):
    """One minute that begins at ``ts`` (epoch milliseconds): prices in paise, the day's ``volume`` at its end."""

    ts: int
    open: int
    high: int
    low: int
    close: int
    before: int
    """The day's volume when it began."""
    volume: int
    oi: int


class Minutes:
    """Kept through nights: a candle of yesterday stays one."""

    def __init__(self) -> None:
        self._of: dict[str, list[Minute]] = {}

    def of(self, name: str) -> list[Minute]:
        return self._of.get(name, [])

    def see(self, quote: Quote, price: int) -> None:
        """Take a quote with a last price in. Must cost little: every quote comes through here."""
        rows = self._of.get(quote.name)
        if rows is None:
            rows = self._of[quote.name] = []
        start = quote.ts - quote.ts % MINUTE_MS
        if rows and rows[-1].ts == start:
            last = rows[-1]
            last.close = price
            if price > last.high:
                last.high = price
            elif price < last.low:
                last.low = price
            last.volume, last.oi = quote.volume, quote.oi or 0
            return
        before = rows[-1].volume if rows and rows[-1].volume <= quote.volume else quote.volume
        rows.append(Minute(start, price, price, price, price, before, quote.volume, quote.oi or 0))
