"""Streaming 2.0 as bytes: one little-endian packet of fixed size for each mode. Prices in paise."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import Final

import msgspec


class StreamMode(IntEnum):
    """What a subscription asks for; also the first byte of its packets."""

    LTP = 1
    QUOTE = 2
    SNAP = 3
    DEPTH20 = 4


class Offer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One level of a book."""

    qty: int
    price: int
    orders: int


class Tick(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that a packet of any mode may say of one token.

    ``at`` is epoch milliseconds, ``traded_at`` epoch seconds; quantities are units, ``oi_change`` percent.
    """

    segment: int
    token: str
    sequence: int
    at: int
    ltp: int
    last_qty: int = 0
    average: int = 0
    volume: int = 0
    buy_qty: float = 0.0
    sell_qty: float = 0.0
    open: int = 0
    high: int = 0
    low: int = 0
    close: int = 0
    traded_at: int = 0
    oi: int = 0
    oi_change: float = 0.0
    buys: Sequence[Offer] = ()
    sells: Sequence[Offer] = ()
    upper: int = 0
    lower: int = 0
    year_high: int = 0
    year_low: int = 0


SIZES: Final = {StreamMode.LTP: 51, StreamMode.QUOTE: 123, StreamMode.SNAP: 379, StreamMode.DEPTH20: 443}
_HEAD: Final = struct.Struct("<BB25sqqq")
_DAY: Final = struct.Struct("<qqqddqqqq")
_LAST: Final = struct.Struct("<qqd")
_LEVEL: Final = struct.Struct("<hqqh")
_LIMITS: Final = struct.Struct("<qqqq")
_DEEP_HEAD: Final = struct.Struct("<BB25sqq")
_DEEP: Final = struct.Struct("<iih")
_BUY: Final = 1
_SELL: Final = 0
_NOBODY: Final = Offer(0, 0, 0)
TOKEN_BYTES: Final = 25


def packet(mode: StreamMode, tick: Tick) -> bytes:
    """The packet of ``mode``; its size is ``SIZES[mode]``. Raises ValueError for a token longer than its field."""
    token = tick.token.encode("ascii")
    if not 0 < len(token) <= TOKEN_BYTES:
        raise ValueError(f"the token {tick.token!r} does not fit into {TOKEN_BYTES} bytes")
    if mode is StreamMode.DEPTH20:
        return _deep(token, tick)
    found = _HEAD.pack(mode, tick.segment, token, tick.sequence, tick.at, tick.ltp)
    if mode is StreamMode.LTP:
        return found
    found += _DAY.pack(
        tick.last_qty,
        tick.average,
        tick.volume,
        tick.buy_qty,
        tick.sell_qty,
        tick.open,
        tick.high,
        tick.low,
        tick.close,
    )
    return found if mode is StreamMode.QUOTE else found + _snap(tick)


def _snap(tick: Tick) -> bytes:
    levels = [_LEVEL.pack(_BUY, *_fields(level)) for level in _filled(tick.buys, 5)]
    levels += [_LEVEL.pack(_SELL, *_fields(level)) for level in _filled(tick.sells, 5)]
    ends = _LIMITS.pack(tick.upper, tick.lower, tick.year_high, tick.year_low)
    return _LAST.pack(tick.traded_at, tick.oi, tick.oi_change) + b"".join(levels) + ends


def _deep(token: bytes, tick: Tick) -> bytes:
    levels = [_DEEP.pack(*_fields(level)) for side in (tick.buys, tick.sells) for level in _filled(side, 20)]
    return _DEEP_HEAD.pack(StreamMode.DEPTH20, tick.segment, token, tick.sequence, tick.at) + b"".join(levels)


def _filled(levels: Sequence[Offer], count: int) -> list[Offer]:
    """Exactly ``count`` levels; nobody beyond the last is a level of zeros, as on the wire."""
    return [*levels[:count], *[_NOBODY] * (count - len(levels))]


def _fields(level: Offer) -> tuple[int, int, int]:
    return level.qty, level.price, level.orders
