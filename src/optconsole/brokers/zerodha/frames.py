"""The binary frames of Kite's socket: a count, then packets with a length before each. All big-endian.

A frame of full packets alone, which is what a subscription to contracts gives, is read in one pass (``iter_unpack``);
any other is walked packet by packet. Nothing here raises for what a socket may send.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from struct import Struct
from typing import Final

import msgspec

from optconsole.engine.model.quotes import Level

Side = tuple[tuple[int, int, int], ...]
"""(quantity, raw price, orders) by level."""

FULL_LENGTH: Final = 184
DIVISORS: Final = {3: 10_000_000, 6: 10_000, 12: 10_000}
"""Raw units a rupee by the token's low byte, where it is not 100: currencies of NSE and BSE, and NCO."""

_COUNT: Final = Struct(">H")
_LTP: Final = Struct(">Ii")
_INDEX: Final = Struct(">I6i")
_TRADED: Final = Struct(">IiIi3I4i")
_LATER: Final = Struct(">5I")
_LEVEL: Final = Struct(">IiH2x")
_STAMP: Final = Struct(">I")
# length, token, last price, volume, previous close, OI, exchange time, depth whole
_BULK: Final = Struct(">HIi8xI8x12xi4xI8xI120s")
_BEST: Final = Struct(">Ii52xIi52x")
_HEARTBEAT: Final = 2


class Packet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One packet whole. Prices are raw, ``divisor`` to the rupee; times epoch seconds, 0 where never.

    What a mode does not carry is None; ``bids`` and ``asks`` are None but in full mode.
    """

    token: int
    last_price: int
    last_qty: int | None = None
    average_price: int | None = None
    volume: int | None = None
    buy_qty: int | None = None
    sell_qty: int | None = None
    open: int | None = None
    high: int | None = None
    low: int | None = None
    close: int | None = None
    change: int | None = None
    traded_at: int | None = None
    oi: int | None = None
    oi_high: int | None = None
    oi_low: int | None = None
    stamped_at: int | None = None
    bids: Side | None = None
    asks: Side | None = None

    @property
    def divisor(self) -> int:
        return DIVISORS.get(self.token & 0xFF, 100)

    def rupees(self, raw: int) -> Decimal:
        """A raw price in rupees, exactly."""
        return Decimal(raw) / self.divisor


BulkRow = tuple[int, int, int, int, int, int, int, bytes]
"""(length, token, last price, volume, previous close, OI, exchange time, depth) of a full packet."""


def bulk(frame: bytes) -> Iterable[BulkRow] | None:
    """The packets of a frame that holds full packets and nothing else; None for any other frame."""
    size = len(frame)
    if size < 2 + _BULK.size or (size - 2) % _BULK.size:
        return None
    count = (size - 2) // _BULK.size
    if frame[0] << 8 | frame[1] != count or _odd_lengths(frame, count):
        return None
    rows: Iterable[BulkRow] = _BULK.iter_unpack(memoryview(frame)[2:])
    return rows


def _odd_lengths(frame: bytes, count: int) -> bool:
    """Whether any of the lengths where a frame of full packets has them is another."""
    return (
        frame[2 :: _BULK.size].count(0, 0, count) != count
        or frame[3 :: _BULK.size].count(FULL_LENGTH, 0, count) != count
    )


def best(depth: bytes) -> tuple[int, int, int, int]:
    """(bid quantity, raw bid, ask quantity, raw ask) of the 120 bytes of depth."""
    top: tuple[int, int, int, int] = _BEST.unpack(depth)
    return top


def levels(depth: bytes) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Bids and asks as (price in paise, units), best first, without the empty ones."""
    rows = list(_LEVEL.iter_unpack(depth))
    return _filled(rows[:5]), _filled(rows[5:])


def _filled(rows: list[tuple[int, int, int]]) -> tuple[Level, ...]:
    return tuple((price, qty) for qty, price, _orders in rows if qty > 0 and price > 0)


def is_heartbeat(frame: bytes) -> bool:
    """Whether a frame says nothing but that the socket lives."""
    return len(frame) < _HEARTBEAT


class Walk:
    """Finds the packets of any frame, and counts what it cannot read by what is wrong with it."""

    def __init__(self, report: Callable[[str, str, bytes], None]) -> None:
        """``report`` hears (kind, sentence, sample) the first time something is wrong in one way."""
        self._report = report
        self.unread: Counter[str] = Counter()

    def places(self, frame: bytes) -> list[tuple[int, int]]:
        """(where a packet begins, its length) for every whole packet; a heartbeat has none."""
        found: list[tuple[int, int]] = []
        if is_heartbeat(frame):
            return found
        at, end = 2, len(frame)
        for _ in range(_COUNT.unpack_from(frame)[0]):
            if at + 2 > end:
                self.odd("BAD_FRAME", "A frame of quotes ends before its packets do.", frame)
                return found
            length = _COUNT.unpack_from(frame, at)[0]
            if at + 2 + length > end:
                self.odd("BAD_FRAME", "A frame of quotes ends in the middle of a packet.", frame)
                return found
            found.append((at + 2, length))
            at += 2 + length
        if at != end:
            self.odd("BAD_FRAME", "A frame of quotes goes on after its last packet.", frame)
        return found

    def packets(self, frame: bytes) -> list[Packet]:
        """The packets of a frame that can be read, every field of them."""
        return [read for at, length in self.places(frame) if (read := self.packet(frame[at : at + length])) is not None]

    def packet(self, body: bytes) -> Packet | None:
        """One packet; None, and counted, for a length that is none of Kite's."""
        read = packet(body)
        if read is None:
            self.odd("UNKNOWN_PACKET", f"A packet of quotes is {len(body)} bytes long, a length new to us.", body)
        return read

    def odd(self, kind: str, detail: str, sample: bytes) -> None:
        """Count something that cannot be read; the first of its kind is told."""
        self.unread[detail] += 1
        if self.unread[detail] == 1:
            self._report(kind, detail, sample[:256])


def full(frame: bytes, at: int) -> BulkRow:
    """The full packet of ``FULL_LENGTH`` bytes that begins at ``at``, as `bulk` gives it."""
    row: BulkRow = _BULK.unpack_from(frame, at - 2)
    return row


def packet(body: bytes) -> Packet | None:
    """One packet, told by its length; None for a length that is none of Kite's."""
    match len(body):
        case 8:
            token, last = _LTP.unpack(body)
            return Packet(token=token, last_price=last)
        case 28 | 32:
            return _index(body)
        case 44 | 184:
            return _traded(body)
        case _:
            return None


def _index(body: bytes) -> Packet:
    # high, low, open, close: not the order of contracts
    token, last, high, low, opened, close, change = _INDEX.unpack_from(body)
    stamped = _STAMP.unpack_from(body, 28)[0] if len(body) == 32 else None
    return Packet(
        token=token,
        last_price=last,
        open=opened,
        high=high,
        low=low,
        close=close,
        change=change,
        stamped_at=stamped,
    )


def _traded(body: bytes) -> Packet:
    token, last, last_qty, average, volume, buys, sells, opened, high, low, close = _TRADED.unpack_from(body)
    head = Packet(
        token=token,
        last_price=last,
        last_qty=last_qty,
        average_price=average,
        volume=volume,
        buy_qty=buys,
        sell_qty=sells,
        open=opened,
        high=high,
        low=low,
        close=close,
    )
    if len(body) == 44:
        return head
    traded_at, oi, oi_high, oi_low, stamped_at = _LATER.unpack_from(body, 44)
    rows = tuple(_LEVEL.iter_unpack(body[64:]))
    return msgspec.structs.replace(
        head,
        traded_at=traded_at,
        oi=oi,
        oi_high=oi_high,
        oi_low=oi_low,
        stamped_at=stamped_at,
        bids=rows[:5],
        asks=rows[5:],
    )
