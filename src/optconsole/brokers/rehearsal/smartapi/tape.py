"""What Angel One would show of each contract: the market's latest quote with what its day adds up to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.smartapi.glances import Glance
from optconsole.brokers.rehearsal.smartapi.packets import Offer
from optconsole.brokers.rehearsal.smartapi.symbols import Scrip
from optconsole.engine.model.quotes import Depth, Level, Quote
from optconsole.engine.model.timeline import from_millis

LOTS_AN_ORDER = 3
"""Lots behind one order of a level: books here carry sizes only."""


class _Day(msgspec.Struct, gc=False):
    """What was traded since the rehearsal began to look: paise for units, and the last trade's units."""

    volume: int
    units: int = 0
    value: int = 0
    last: int = 0


class Tape:
    """Follows every quote of the market."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._days: dict[str, _Day] = {}

    def forget(self) -> None:
        """Another day begins."""
        self._days.clear()

    def saw(self, quotes: Sequence[Quote]) -> None:
        """Add what new quotes say was traded."""
        for quote in quotes:
            day = self._days.setdefault(quote.name, _Day(volume=quote.volume))
            traded = quote.volume - day.volume
            if traded > 0 and quote.ltp is not None:
                day.units += traded
                day.value += traded * quote.ltp
                day.last = traded
            day.volume = max(day.volume, quote.volume)

    def glance(self, scrip: Scrip, deep: bool = True) -> Glance | None:
        """A contract now; None before its first price of the day. Without ``deep`` its book is the best prices alone:
        the practice market draws a deeper one each time it is asked, which costs more than all the rest."""
        item, market = scrip.instrument, self._market
        quote, session = market.quote(item.name), market.session(item.name)
        if quote is None or session is None or quote.ltp is None:
            return None
        depth = market.depth(item.name) if item.tradable and deep else _best(quote)
        buys = _offers(depth.bids, item.lot) if depth else ()
        sells = _offers(depth.asks, item.lot) if depth else ()
        day = self._days.get(item.name)
        close = quote.prev_close or 0
        lower, upper = self._circuits(scrip, close or quote.ltp)
        return Glance(
            scrip=scrip,
            at=from_millis(quote.ts),
            ltp=quote.ltp,
            open=session.open,
            high=session.high,
            low=session.low,
            close=close,
            last_qty=day.last if day else 0,
            average=round(day.value / day.units) if day and day.units else quote.ltp,
            volume=quote.volume,
            oi=quote.oi or 0,
            oi_open=quote.oi_open or 0,
            buy_qty=sum(level.qty for level in buys),
            sell_qty=sum(level.qty for level in sells),
            buys=buys,
            sells=sells,
            lower=lower,
            upper=upper,
            year_high=session.high,
        )

    def _circuits(self, scrip: Scrip, reference: int) -> tuple[int, int]:
        if not scrip.instrument.tradable:
            return 0, 0
        return self._market.rules.band(self._market.now().date(), scrip.instrument, reference)


def _best(quote: Quote) -> Depth | None:
    """The best prices of a quote; None for an index."""
    if not quote.booked:
        return None
    bids = ((quote.bid, quote.bid_qty),) if quote.bid is not None else ()
    asks = ((quote.ask, quote.ask_qty),) if quote.ask is not None else ()
    return Depth(quote.name, quote.ts, bids, asks)


def _offers(levels: Sequence[Level], lot: int) -> tuple[Offer, ...]:
    return tuple(Offer(size, price, 1 + size // (lot * LOTS_AN_ORDER)) for price, size in levels)
