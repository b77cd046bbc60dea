"""The worst price at which an order without a limit really travels (features OE-1). Pure."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderTerms, OrderType, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules.bands import price_band, protected_limit


def reference_price(quote: Quote | None, side: Side) -> int | None:
    """What a marketable order is measured from: the opposite best price, else the last trade."""
    if quote is None:
        return None
    opposite = quote.ask if side is Side.BUY else quote.bid
    return opposite if opposite is not None else quote.mark


def with_protection(
    terms: OrderTerms, instrument: Instrument, quote: Quote | None, band_from: int | None = None
) -> OrderTerms:
    """MARKET and SL-M with the limit price they really travel at (features OE-1); other types unchanged.

    Where the spread is wide the opposite price may lie outside the price band; the limit then stops at its edge
    (OE-3). ``band_from`` is what the band is measured from, the mark where it is not given. A market order without any
    known price stays without protection, which ``checks`` refuses.
    """
    if terms.type is OrderType.MARKET:
        base = reference_price(quote, terms.side)
    elif terms.type is OrderType.SL_M:
        base = terms.trigger
    else:
        return terms
    limit = None if base is None else protected_limit(terms.side, base, instrument.tick)
    mark = (None if quote is None else quote.mark) if band_from is None else band_from
    if limit is not None and mark is not None and terms.type is OrderType.MARKET and instrument.tradable:
        low, high = price_band(instrument, mark)
        limit = min(limit, high) if terms.side is Side.BUY else max(limit, low)
    return msgspec.structs.replace(terms, protection=limit)
