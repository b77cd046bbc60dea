"""What the market shows of one contract at one instant, as Noren tells of it. Prices in paise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.symbols import Symbol
from optconsole.brokers.rehearsal.noren.words import clock_of
from optconsole.engine.model.quotes import Level

CIRCUIT_PERCENT: Final = 20


@dataclass(frozen=True, slots=True)
class Sight:
    """One contract as the wire tells of it. ``stamp`` is epoch milliseconds, ``last`` None before any trade."""

    symbol: Symbol
    stamp: int
    booked: bool
    last: int | None
    open: int
    high: int
    low: int
    close: int
    volume: int
    oi: int
    oi_before: int
    trade_qty: int
    trade_time: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    @property
    def average(self) -> int:
        """Mean of the day's range: the market behind keeps no turnover."""
        return (self.high + self.low + (self.last or 0)) // 3 if self.last else 0

    @property
    def upper(self) -> int:
        return self.close + self.close * CIRCUIT_PERCENT // 100

    @property
    def lower(self) -> int:
        return self.close - self.close * CIRCUIT_PERCENT // 100

    @property
    def year_high(self) -> int:
        return max(self.high, self.close)

    @property
    def year_low(self) -> int:
        return min(self.low, self.close)


def look(market: Market, symbol: Symbol) -> Sight | None:
    """What is to be seen of a contract now; None before its first quote of the day."""
    name = symbol.instrument.name
    quote, session = market.quote(name), market.session(name)
    if quote is None:
        return None
    depth = market.depth(name) if quote.booked else None
    close = quote.prev_close or quote.ltp or 0
    return Sight(
        symbol=symbol,
        stamp=quote.ts,
        booked=quote.booked,
        last=quote.ltp,
        open=session.open if session else close,
        high=session.high if session else close,
        low=session.low if session else close,
        close=close,
        volume=quote.volume,
        oi=quote.oi or 0,
        oi_before=quote.oi_open or 0,
        trade_qty=symbol.instrument.lot if quote.volume else 0,
        trade_time=clock_of(quote.ts),
        bids=_levels(quote.bid, quote.bid_qty, depth.bids if depth else ()),
        asks=_levels(quote.ask, quote.ask_qty, depth.asks if depth else ()),
    )


def _levels(best: int | None, size: int, deep: tuple[Level, ...]) -> tuple[Level, ...]:
    """The quote's best level, then the book's levels behind it where they begin at the same price."""
    if best is None:
        return ()
    behind = deep[1:] if deep and deep[0][0] == best else ()
    return ((best, size), *behind)
