"""Quotes by REST: rows of the quote call checked against what was asked for, and what a sane price is."""

from __future__ import annotations

from typing import Any, Final

from optconsole.brokers.angelone.frames import Tick
from optconsole.brokers.angelone.rows import BadRow, Row
from optconsole.brokers.transport.coerce import moment, paise, text, units
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.quotes import Depth, Level, Quote
from optconsole.engine.model.timeline import millis

STAMP: Final = "%d-%b-%Y %H:%M:%S"
Band = tuple[int, int]
"""Lowest and highest price of the day in paise."""


def quote_of(name: str, tick: Tick, booked: bool) -> Quote:
    """A quote of a packet; a price of 0 is none."""
    bid, ask = tick.bid, tick.ask
    return Quote(
        name=name,
        ts=tick.at,
        bid=bid[0] if bid else None,
        bid_qty=bid[1] if bid else 0,
        ask=ask[0] if ask else None,
        ask_qty=ask[1] if ask else 0,
        ltp=tick.ltp or None,
        volume=tick.volume,
        oi=tick.oi if booked else None,
        prev_close=tick.prev_close or None,
        booked=booked,
    )


def quote_row(row: Row, listed: Listed) -> tuple[Quote, Depth, Band | None]:
    """A fetched row in FULL mode about ``listed``. Raises BadRow; for a row about another contract too."""
    try:
        if (text(row["exchange"]), text(row["symbolToken"])) != (listed.segment, listed.token):
            raise BadRow(f"{row['exchange']} {row['symbolToken']} was not asked for")
        if text(row["tradingSymbol"]) not in ("", listed.symbol):
            raise BadRow(f"token {listed.token} is {listed.symbol}, and the quote says {text(row['tradingSymbol'])}")
        at = millis(moment(row["exchFeedTime"], STAMP))
        bids, asks = _side(row, "buy"), _side(row, "sell")
        booked = listed.instrument.kind is not Kind.INDEX
        lower, upper = _paise(row, "lowerCircuit"), _paise(row, "upperCircuit")
        quote = Quote(
            name=listed.instrument.name,
            ts=at,
            bid=bids[0][0] if bids else None,
            bid_qty=bids[0][1] if bids else 0,
            ask=asks[0][0] if asks else None,
            ask_qty=asks[0][1] if asks else 0,
            ltp=_paise(row, "ltp") or None,
            volume=units(row.get("tradeVolume") or 0),
            oi=units(row.get("opnInterest") or 0) if booked else None,
            prev_close=_paise(row, "close") or None,
            booked=booked,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadRow(f"a quote that cannot be read: {error}") from None
    return quote, Depth(listed.instrument.name, at, bids[:5], asks[:5]), (lower, upper) if upper > 0 else None


def fault(quote: Quote, listed: Listed, band: Band | None, spot: int | None) -> tuple[str, str] | None:
    """Why a quote cannot be true, as (kind, sentence): outside the day's band, or the index's price on an option."""
    for price in (quote.ltp, quote.bid, quote.ask):
        if price is not None and price < 0:
            return "BAD_PRICE", f"{quote.name} at {price} paise is no price."
    ltp = quote.ltp
    if ltp is None:
        return None
    if band is not None and not band[0] <= ltp <= band[1]:
        return "OUTSIDE_BAND", f"{quote.name} at {ltp} paise is outside the day's band of {band[0]} to {band[1]}."
    if listed.instrument.kind is Kind.OPTION and spot is not None and ltp == spot:
        return "SPOT_AS_OPTION", f"{quote.name} at {ltp} paise is the price of {listed.instrument.underlying} itself."
    return None


def _side(row: Row, side: str) -> tuple[Level, ...]:
    depth: Any = row.get("depth") or {}
    levels = ((paise(level["price"]), units(level["quantity"])) for level in depth.get(side) or ())
    return tuple((price, qty) for price, qty in levels if price > 0 and qty > 0)


def _paise(row: Row, key: str) -> int:
    value = row.get(key)
    return 0 if value is None or value == "" else paise(value)
