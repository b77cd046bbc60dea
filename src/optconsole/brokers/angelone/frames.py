"""Packets of Streaming 2.0: little-endian, one a message, its size fixed by its mode.

One `Struct` reads what a quote needs of a packet in one call and steps over the rest; the five levels of a book are
read only when somebody looks at them. Prices come in paise, those of currencies in ten-millionths of a rupee.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

import msgspec

from optconsole.engine.model.quotes import Depth, Level

LTP: Final = 1
QUOTE: Final = 2
SNAP: Final = 3
DEPTH: Final = 4
SIZES: Final = {LTP: 51, QUOTE: 123, SNAP: 379, DEPTH: 443}
CURRENCY: Final = 13
CURRENCY_UNITS: Final = 100_000
"""Units of a currency price in a paisa."""

_LTP: Final = Struct("<27x8xqq")
_QUOTE: Final = Struct("<27x8xqq16xq16x24xq")
_SNAP: Final = Struct("<27x8xqq16xq16x24xq8xq8x2xqq2x80x2xqq2x80xqq16x")
"""With the first level of each half of the book."""
_LEVEL: Final = Struct("<hqqh")
_DEPTH: Final = Struct("<27x8xq")
_LEVEL_20: Final = Struct("<iih")
_BOOK: Final = 147
_BUYS_20: Final = 43
_SELLS_20: Final = 243
_BUY: Final = 1
_FLAGS: Final = slice(147, 347, 20)
_IN_ORDER: Final = b"\1" * 5 + b"\0" * 5
"""Low bytes of the flags of a book as it should be: five buys, then five sells."""
KEY: Final = slice(1, 27)
"""Segment number and token as they stand in a packet."""


class Tick(msgspec.Struct, frozen=True, gc=False):
    """A packet in paise, units and epoch milliseconds. 0 is what the packet says, not what it means."""

    key: bytes
    mode: int
    at: int
    ltp: int
    volume: int = 0
    prev_close: int = 0
    oi: int = 0
    upper: int = 0
    lower: int = 0
    bid: Level | None = None
    ask: Level | None = None


def key_of(segment: int, token: str) -> bytes:
    """What packets of a token hold in ``KEY``. Raises ValueError for a token no packet can carry."""
    raw = token.encode("ascii", "strict")
    if not raw or len(raw) > 25 or not 0 < segment < 256:
        raise ValueError(f"{token!r} of segment {segment} is no token of the stream")
    return bytes((segment,)) + raw.ljust(25, b"\0")


def decode(packet: bytes) -> Tick | None:
    """The tick in a packet; None for one of no documented mode and length. Never raises."""
    if len(packet) < 27:
        return None
    mode = packet[0]
    if len(packet) != SIZES.get(mode):
        return None
    key = packet[KEY]
    if mode == SNAP:
        return _snap(packet, key)
    if mode == QUOTE:
        at, ltp, volume, close = _QUOTE.unpack(packet)
        tick = Tick(key, QUOTE, at, ltp, volume, close)
    elif mode == LTP:
        at, ltp = _LTP.unpack(packet)
        tick = Tick(key, LTP, at, ltp)
    else:
        bids, asks = book(packet)
        (at,) = _DEPTH.unpack_from(packet)
        return Tick(key, DEPTH, at, 0, bid=bids[0] if bids else None, ask=asks[0] if asks else None)
    return _in_paise(tick) if packet[1] == CURRENCY else tick


def _snap(packet: bytes, key: bytes) -> Tick:
    at, ltp, volume, close, oi, qty, price, other_qty, other_price, upper, lower = _SNAP.unpack(packet)
    if packet[1] == CURRENCY:
        bids, asks = book(packet)
        tick = Tick(key, SNAP, at, ltp, volume, close, oi, upper, lower)
        return msgspec.structs.replace(_in_paise(tick), bid=bids[0] if bids else None, ask=asks[0] if asks else None)
    # buys come first, yet the flags of the levels say whose they are
    if packet[_FLAGS] == _IN_ORDER and qty > 0 and price > 0 and other_qty > 0 and other_price > 0:
        return Tick(key, SNAP, at, ltp, volume, close, oi, upper, lower, (price, qty), (other_price, other_qty))
    bids, asks = book(packet)
    best = (bids[0] if bids else None, asks[0] if asks else None)
    return Tick(key, SNAP, at, ltp, volume, close, oi, upper, lower, *best)


def cleaned(key: bytes) -> bytes:
    """A key whose token ends at its first NUL, whatever was left behind it."""
    return key[:1] + key[1:].split(b"\0", 1)[0].ljust(25, b"\0")


def depth(name: str, packet: bytes) -> Depth | None:
    """The book in a packet that ``decode`` could read; None for a mode without one."""
    if packet[0] not in (SNAP, DEPTH):
        return None
    at = int.from_bytes(packet[35:43], "little", signed=True)
    bids, asks = book(packet)
    return Depth(name, at, bids[:5], asks[:5])


def book(packet: bytes) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Bids and asks, best first, empty levels left out."""
    bids: list[Level] = []
    asks: list[Level] = []
    if packet[0] == SNAP:
        for flag, qty, price, _orders in _LEVEL.iter_unpack(packet[_BOOK : _BOOK + 10 * _LEVEL.size]):
            if qty > 0 and price > 0:
                (bids if flag == _BUY else asks).append((price, qty))
    else:
        for side, start in ((bids, _BUYS_20), (asks, _SELLS_20)):
            levels = _LEVEL_20.iter_unpack(packet[start : start + 20 * _LEVEL_20.size])
            side.extend((price, qty) for qty, price, _orders in levels if qty > 0 and price > 0)
    if packet[1] == CURRENCY:
        return _levels_in_paise(bids), _levels_in_paise(asks)
    return tuple(bids), tuple(asks)


def _in_paise(tick: Tick) -> Tick:
    return msgspec.structs.replace(
        tick,
        ltp=_paise(tick.ltp),
        prev_close=_paise(tick.prev_close),
        upper=_paise(tick.upper),
        lower=_paise(tick.lower),
    )


def _levels_in_paise(levels: list[Level]) -> tuple[Level, ...]:
    return tuple((_paise(price), qty) for price, qty in levels)


def _paise(price: int) -> int:
    """To the nearest paisa, half to even: currencies are priced in quarters of one."""
    return round(price, -5) // CURRENCY_UNITS
