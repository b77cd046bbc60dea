"""Kite's binary stream: packets of five lengths, big-endian, several to a frame."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from optconsole.brokers.rehearsal.kite.contracts import KiteContract
from optconsole.brokers.rehearsal.kite.quotes import orders_at, padded, total
from optconsole.brokers.rehearsal.market import Market, Session
from optconsole.engine.model.quotes import Depth, Level, Quote

LTP: Final = "ltp"
QUOTE: Final = "quote"
FULL: Final = "full"
MODES: Final = (LTP, QUOTE, FULL)
HEARTBEAT: Final = b"\x00"
_COUNT: Final = struct.Struct(">H")
_LTP: Final = struct.Struct(">Ii")
_INDEX: Final = struct.Struct(">I6i")
_QUOTE: Final = struct.Struct(">IiIi3I4i")
_AFTER: Final = struct.Struct(">5I")
_TIME: Final = struct.Struct(">I")
_LEVEL: Final = struct.Struct(">IiHxx")
_U32: Final = 0xFFFF_FFFF


def frame(packets: Sequence[bytes]) -> bytes:
    """Packets with their count and their lengths."""
    return _COUNT.pack(len(packets)) + b"".join(_COUNT.pack(len(packet)) + packet for packet in packets)


def packet(contract: KiteContract, quote: Quote, mode: str, market: Market) -> bytes | None:
    """One contract in one mode; None while it has no last price."""
    last = quote.ltp
    if last is None:
        return None
    if mode == LTP:
        return _LTP.pack(contract.token, last)
    session = market.session(quote.name) or Session(last, last, last)
    close = quote.prev_close or last
    if not contract.instrument.tradable:
        body = _INDEX.pack(contract.token, last, session.high, session.low, session.open, close, last - close)
        return body if mode == QUOTE else body + _TIME.pack(quote.ts // 1000)
    depth = market.depth(quote.name) or Depth(quote.name, quote.ts)
    body = _QUOTE.pack(
        contract.token,
        last,
        contract.instrument.lot,
        last,
        quote.volume & _U32,
        total(depth.bids) & _U32,
        total(depth.asks) & _U32,
        session.open,
        session.high,
        session.low,
        close,
    )
    return body if mode == QUOTE else body + _rest(contract, quote, depth)


def _rest(contract: KiteContract, quote: Quote, depth: Depth) -> bytes:
    oi, seconds = quote.oi or 0, quote.ts // 1000
    opened = quote.oi_open if quote.oi_open is not None else oi
    head = _AFTER.pack(seconds, oi & _U32, max(oi, opened) & _U32, min(oi, opened) & _U32, seconds)
    levels: list[Level] = [*padded(depth.bids), *padded(depth.asks)]
    lot = contract.instrument.lot
    return head + b"".join(
        _LEVEL.pack(level[1] & _U32, level[0], min(orders_at(level, lot), 65535)) for level in levels
    )
