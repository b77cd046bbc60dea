"""Market data values. Prices are paise, sizes units, times epoch milliseconds (UTC)."""

from __future__ import annotations

import msgspec

Level = tuple[int, int]
"""(price in paise, size in units)."""


class Quote(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The latest known state of one contract. ``None`` is unknown, never zero.

    ``ts`` is the exchange's time of the last change. ``oi``, ``oi_open`` and ``volume`` are units.
    ``bid``/``ask`` are the best prices; ``None`` with a known ``ltp`` means that side is empty, unless
    ``booked`` is False, which means that the source carries no order book at all.
    """

    name: str
    ts: int
    bid: int | None = None
    bid_qty: int = 0
    ask: int | None = None
    ask_qty: int = 0
    ltp: int | None = None
    volume: int = 0
    oi: int | None = None
    oi_open: int | None = None
    prev_close: int | None = None
    booked: bool = True

    @property
    def mid(self) -> int | None:
        """Half way between bid and ask, rounded down to a paisa; None unless both are known."""
        if self.bid is None or self.ask is None:
            return None
        return (self.bid + self.ask) // 2

    @property
    def empty(self) -> bool:
        """Whether nobody buys and nobody sells, as in a halt; a source without a book cannot tell."""
        return self.booked and self.bid is None and self.ask is None

    @property
    def mark(self) -> int | None:
        """The price open quantity is valued at: the last trade, clamped into the spread when there is one.

        A far strike's last trade may be hours old and outside today's book, so the book has the last word.
        """
        if self.ltp is None:
            return self.mid
        if self.bid is not None and self.ltp < self.bid:
            return self.bid
        if self.ask is not None and self.ltp > self.ask:
            return self.ask
        return self.ltp


class Depth(msgspec.Struct, frozen=True, gc=False):
    """Up to five levels a side, best first. Fewer levels are fewer entries, never zeros."""

    name: str
    ts: int
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
