"""Packets turned into quotes of contracts we know, and those that cannot be true laid aside (feature MD-6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from optconsole.brokers.zerodha import frames
from optconsole.brokers.zerodha.frames import BulkRow, Packet
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.quotes import Depth, Quote

Report = Callable[[str, str, bytes], None]
HIGHEST: Final = 2**31
MOST_MOVED: Final = 25
"""Percent of the index by which nothing moves in a day: its circuit breakers close the market at 20."""


class Known:
    """One contract as its packets are judged: its name, and between which prices it may be, given yesterday's close.

    Only contracts and indices of shares are listed, whose raw prices are paise.
    """

    __slots__ = ("close", "high", "low", "name", "strike")

    def __init__(self, instrument: Instrument) -> None:
        self.name = instrument.name
        self.strike = instrument.strike or 0
        self.close = 0
        self.low, self.high = self._bounds(0)

    def plausible(self, price: int, close: int) -> bool:
        """Whether a price in paise may be true; 0 is unknown, as a price and as a close."""
        if close != self.close:
            self.close = close
            self.low, self.high = self._bounds(close)
        return self.low <= price <= self.high or price == 0

    def _bounds(self, close: int) -> tuple[int, int]:
        if self.strike:
            # an option moves by no more than its index, for which its strike stands; none is dearer than the index
            span = max(self.strike * MOST_MOVED // 100, close)
            return 0, min(self.strike * 2, close + span) if close > 0 else self.strike * 2
        if close <= 0:
            return 0, HIGHEST
        return -(-close * (100 - MOST_MOVED) // 100), close * (100 + MOST_MOVED) // 100


class Decoder:
    """Frames to quotes. ``listed`` is every contract by token; what is not in it is counted and dropped.

    ``oddities`` counts what was laid aside by why; the first of each kind and token goes to ``report``.
    """

    def __init__(self, listed: Mapping[int, Instrument], report: Report) -> None:
        self._known = {token: Known(instrument) for token, instrument in listed.items()}
        self._report = report
        self._walk = frames.Walk(report)
        self._books: dict[str, tuple[int, bytes]] = {}
        self.oddities: Counter[str] = self._walk.unread
        self._told: set[tuple[str, int]] = set()

    def decode(self, frame: bytes, now: int) -> list[Quote]:
        """Quotes of a frame that arrived at ``now`` (epoch ms). Never raises."""
        rows = frames.bulk(frame)
        if rows is not None:
            return self._full(rows, now)
        walk, quotes, whole = self._walk, [], []
        for at, length in walk.places(frame):
            if length == frames.FULL_LENGTH:
                whole.append(frames.full(frame, at))
            else:
                packet = walk.packet(frame[at : at + length])
                quote = None if packet is None else self._short(packet, now)
                if quote is not None:
                    quotes.append(quote)
        return quotes + self._full(whole, now) if whole else quotes

    def _full(self, rows: Iterable[BulkRow], now: int) -> list[Quote]:
        """Packets with a book. The book is kept as it came and read when somebody asks for it."""
        quotes: list[Quote] = []
        known, books, best = self._known, self._books, frames.best
        for _length, token, last, volume, close, oi, stamp, depth in rows:
            contract = known.get(token)
            # the bounds are kept, so that a tick of a contract whose close is known costs two comparisons
            if contract is None or not (
                (close == contract.close and contract.low <= last <= contract.high) or contract.plausible(last, close)
            ):
                self._aside(token, contract, last, close)
                continue
            bid_qty, bid, ask_qty, ask = best(depth)
            bought, sold = bid > 0 and bid_qty > 0, ask > 0 and ask_qty > 0
            ts = stamp * 1000 or now
            books[contract.name] = (ts, depth)
            quotes.append(
                Quote(
                    contract.name,
                    ts,
                    bid if bought else None,
                    bid_qty if bought else 0,
                    ask if sold else None,
                    ask_qty if sold else 0,
                    last or None,
                    volume,
                    oi,
                    None,
                    close if close > 0 else None,
                )
            )
        return quotes

    def _short(self, packet: Packet, now: int) -> Quote | None:
        """A packet without a book: of an index, or of a contract before the mode that was asked for is on."""
        contract = self._known.get(packet.token)
        close = packet.close or 0
        if contract is None or not contract.plausible(packet.last_price, close):
            self._aside(packet.token, contract, packet.last_price, close)
            return None
        return Quote(
            name=contract.name,
            ts=(packet.stamped_at or 0) * 1000 or now,
            ltp=packet.last_price or None,
            volume=packet.volume or 0,
            prev_close=close if close > 0 else None,
            booked=False,
        )

    def depth(self, name: str) -> Depth | None:
        """The book of a contract as its last full packet showed it."""
        kept = self._books.get(name)
        if kept is None:
            return None
        bids, asks = frames.levels(kept[1])
        return Depth(name, kept[0], bids, asks)

    def forget(self, name: str) -> None:
        """Drop the book of a contract that is not watched any more."""
        self._books.pop(name, None)

    def _aside(self, token: int, contract: Known | None, last: int, close: int) -> None:
        kind = "UNKNOWN_TOKEN" if contract is None else "BAD_TICK"
        self.oddities[kind] += 1
        if (kind, token) in self._told:
            return
        self._told.add((kind, token))
        name = f"token {token}" if contract is None else contract.name
        self._report(kind, f"A quote of {name} at {last} paise, closed at {close}, was laid aside.", b"")
