"""All that Angel One shows of a contract at an instant: as a quote over REST, and as a tick on the stream."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any, Final

import msgspec

from optconsole.brokers.rehearsal.smartapi.habits import number, stamp
from optconsole.brokers.rehearsal.smartapi.packets import Offer, Tick
from optconsole.brokers.rehearsal.smartapi.symbols import Scrip
from optconsole.engine.model.timeline import millis

QUOTE_MODES: Final = frozenset({"LTP", "OHLC", "FULL"})
_GARBAGE_EVERY: Final = 5


class Glance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Prices in paise, quantities in units; 0 where nothing is known, as on the wire."""

    scrip: Scrip
    at: datetime
    ltp: int
    open: int = 0
    high: int = 0
    low: int = 0
    close: int = 0
    last_qty: int = 0
    average: int = 0
    volume: int = 0
    oi: int = 0
    oi_open: int = 0
    buy_qty: int = 0
    sell_qty: int = 0
    buys: tuple[Offer, ...] = ()
    sells: tuple[Offer, ...] = ()
    lower: int = 0
    upper: int = 0
    year_low: int = 0
    year_high: int = 0


def quote_row(glance: Glance, mode: str) -> dict[str, Any]:
    """A fetched row of a quote in ``LTP``, ``OHLC`` or ``FULL``: camel case, rupees as numbers."""
    scrip = glance.scrip
    row: dict[str, Any] = {
        "exchange": scrip.segment,
        "tradingSymbol": scrip.symbol,
        "symbolToken": scrip.token,
        "ltp": number(glance.ltp),
    }
    if mode == "LTP":
        return row
    row |= {name: number(getattr(glance, name)) for name in ("open", "high", "low", "close")}
    if mode == "OHLC":
        return row
    change = glance.ltp - glance.close if glance.close else 0
    return row | {
        "lastTradeQty": glance.last_qty,
        "exchFeedTime": stamp(glance.at),
        "exchTradeTime": stamp(glance.at),
        "netChange": number(change),
        "percentChange": round(100 * change / glance.close, 2) if glance.close else 0.0,
        "avgPrice": number(glance.average),
        "tradeVolume": glance.volume,
        "opnInterest": glance.oi,
        "lowerCircuit": number(glance.lower),
        "upperCircuit": number(glance.upper),
        "totBuyQuan": glance.buy_qty,
        "totSellQuan": glance.sell_qty,
        "52WeekLow": number(glance.year_low),
        "52WeekHigh": number(glance.year_high),
        "depth": {"buy": _levels(glance.buys), "sell": _levels(glance.sells)},
    }


def _levels(levels: tuple[Offer, ...]) -> list[dict[str, Any]]:
    """As many as there are; nobody is not padded here."""
    return [{"price": number(level.price), "quantity": level.qty, "orders": level.orders} for level in levels[:5]]


def tick_of(glance: Glance, sequence: int) -> Tick:
    """The same on the stream. Every fifth packet carries bits that mean nothing where the change of interest stands:
    the broker disclaims the field."""
    change = 100.0 * (glance.oi - glance.oi_open) / glance.oi_open if glance.oi_open else 0.0
    return Tick(
        segment=glance.scrip.stream,
        token=glance.scrip.token,
        sequence=sequence,
        at=millis(glance.at),
        ltp=glance.ltp,
        last_qty=glance.last_qty,
        average=glance.average,
        volume=glance.volume,
        buy_qty=float(glance.buy_qty),
        sell_qty=float(glance.sell_qty),
        open=glance.open,
        high=glance.high,
        low=glance.low,
        close=glance.close,
        traded_at=millis(glance.at) // 1000,
        oi=glance.oi,
        oi_change=change if sequence % _GARBAGE_EVERY else _garbage(sequence),
        buys=glance.buys,
        sells=glance.sells,
        upper=glance.upper,
        lower=glance.lower,
        year_high=glance.year_high,
        year_low=glance.year_low,
    )


def _garbage(sequence: int) -> float:
    bits = sequence * 0x9E3779B97F4A7C15 % 2**64
    return float(struct.unpack("<d", bits.to_bytes(8, "little"))[0])
