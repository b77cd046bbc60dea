"""The quote board: the latest quote of every contract, and what changed since each tap last looked."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from typing import Final

from optconsole.engine.market.references import Traded
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import millis

HIGHEST_PRICE: Final = 10**10
"""Paise above which a price is noise; also what keeps an infinity out."""
_OPTION_ENDS: Final = (" CE", " PE")


class QuoteBoard:
    """Quotes by contract name, each overwriting the one before. Synchronous: nothing waits here, nothing queues.

    An update costs one dictionary store for each quote and each tap watching it.
    """

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}
        self._seen: dict[str, float] = {}
        self._watchers: dict[str, list[BoardTap]] = {}
        self._index_of: dict[str, str] = {}
        self._traded: dict[str, Traded] = {}
        self.quotes_seen = 0
        self.rejected = 0
        self.last_rejection = ""
        self.last_update_ms = 0

    def update(self, quotes: Sequence[Quote], at: float = 0.0) -> None:
        """Take in a batch that came at a monotonic second ``at``.

        An insane quote is counted in ``rejected`` and leaves the one before standing, as old as it is.
        """
        held, seen, watchers = self._quotes, self._seen, self._watchers
        for quote in quotes:
            fault = self._fault(quote)
            if fault:
                self.rejected += 1
                self.last_rejection = f"{quote.name}: {fault}"
                continue
            name = quote.name
            before = held.get(name)
            if before is not None and before.ltp is not None and _trades(before, quote):
                self._trade(name, quote)
            held[name] = quote
            seen[name] = at
            if quote.ts > self.last_update_ms:
                self.last_update_ms = quote.ts
            for tap in watchers.get(name, ()):
                tap.dirty[name] = quote
        self.quotes_seen += len(quotes)

    def keep(self, listed: Container[str]) -> None:
        """Forget contracts that are listed no more: a board that runs for a year must not remember all its expiries."""
        for gone in [name for name in self._quotes if name not in listed and name not in self._watchers]:
            del self._quotes[gone]
            self._seen.pop(gone, None)
            self._index_of.pop(gone, None)

    def get(self, name: str) -> Quote | None:
        """The latest quote; None for a contract never quoted."""
        return self._quotes.get(name)

    def seen(self, name: str) -> float | None:
        """The monotonic second at which a contract was last quoted; None when it never was."""
        return self._seen.get(name)

    def traded(self, name: str, now_ms: int) -> int | None:
        """The average of the trades before now, as price bands go by it; None where too little traded."""
        seen = self._traded.get(name)
        return None if seen is None else seen.average(now_ms)

    def _trade(self, name: str, quote: Quote) -> None:
        seen = self._traded.get(name)
        if seen is None:
            seen = self._traded[name] = Traded()
        if quote.ltp is not None:
            seen.saw(quote.ts, quote.ltp)

    def names(self) -> Iterable[str]:
        """Every contract quoted so far."""
        return self._quotes.keys()

    def age(self, name: str, now: datetime) -> float | None:
        """Seconds since the contract last changed at the exchange; None when it was never quoted."""
        quote = self._quotes.get(name)
        return None if quote is None else (millis(now) - quote.ts) / 1000

    def open_tap(self, names: Iterable[str] = ()) -> BoardTap:
        """A tap on these contracts; close it when its reader is gone."""
        tap = BoardTap(self)
        tap.watch(names)
        return tap

    def attach(self, tap: BoardTap, name: str) -> None:
        """Mark later quotes of a contract dirty for ``tap``."""
        self._watchers.setdefault(name, []).append(tap)

    def detach(self, tap: BoardTap, name: str) -> None:
        """Stop marking for ``tap``."""
        taps = self._watchers[name]
        taps.remove(tap)
        if not taps:
            del self._watchers[name]

    def _fault(self, quote: Quote) -> str:
        """Why a quote cannot be true; empty when it can."""
        bid, ask, ltp = quote.bid, quote.ask, quote.ltp
        for price in (bid, ask, ltp, quote.prev_close):
            if price is not None and not 0 < price < HIGHEST_PRICE:
                return f"price {price} paise is out of range"
        if (bid is not None and quote.bid_qty <= 0) or (ask is not None and quote.ask_qty <= 0):
            return "a side has a price and no size"
        if bid is not None and ask is not None and bid > ask:
            return f"crossed book, bid {bid} above ask {ask} paise"
        if quote.volume < 0 or (quote.oi is not None and quote.oi < 0):
            return "volume or open interest is negative"
        if ltp is not None and ltp == self._index_price(quote.name):
            return "priced like its index"
        return ""

    def _index_price(self, name: str) -> int | None:
        """The last price of an option's index; None for anything that is no option."""
        index = self._index_of.get(name)
        if index is None:
            index = name.split(" ", 1)[0] if name.endswith(_OPTION_ENDS) else ""
            self._index_of[name] = index
        quote = self._quotes.get(index) if index else None
        return None if quote is None else quote.ltp


def _trades(before: Quote, quote: Quote) -> bool:
    """Whether something traded between two quotes: the volume tells, or the price where there is no volume."""
    return quote.volume > before.volume or (quote.ltp != before.ltp and not quote.volume)


class BoardTap:
    """One reader's view of what changed: each watched contract at most once a drain, with its latest quote."""

    __slots__ = ("_board", "_watched", "dirty")

    def __init__(self, board: QuoteBoard) -> None:
        self._board = board
        self._watched: frozenset[str] = frozenset()
        self.dirty: dict[str, Quote] = {}

    def watch(self, names: Iterable[str]) -> None:
        """Replace the watched set. Newly watched contracts are dirty at once, dropped ones no more."""
        wanted = frozenset(names)
        for name in self._watched - wanted:
            self._board.detach(self, name)
            self.dirty.pop(name, None)
        for name in wanted - self._watched:
            self._board.attach(self, name)
            quote = self._board.get(name)
            if quote is not None:
                self.dirty[name] = quote
        self._watched = wanted

    def drain(self) -> tuple[Quote, ...]:
        """The latest quote of every contract that changed since the last drain."""
        if not self.dirty:
            return ()
        changed = tuple(self.dirty.values())
        self.dirty = {}
        return changed

    def close(self) -> None:
        """Stop watching. A closed tap stays empty; closing twice is harmless."""
        self.watch(())
