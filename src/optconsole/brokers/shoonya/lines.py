"""What is known of one watched contract: its two streams, when it was last heard of, and its quote."""

from __future__ import annotations

from typing import Final

from optconsole.brokers.shoonya.frames import Frame, Scrip
from optconsole.brokers.shoonya.sanity import implausible
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.model.quotes import Depth, Level, Quote

LEVELS: Final = range(1, 6)


class Line:
    """One watched contract. Times are monotonic seconds but for ``vouched``, which is epoch milliseconds.

    ``touch`` and ``book`` are None until the stream's acknowledgement has seeded them. ``asked`` is when a
    subscription was last sent, None where none is out, and ``book_asked`` the same of depth; ``tries`` how often;
    ``dropped`` that it was never confirmed. ``book_wanted`` is when somebody last looked at the depth.
    """

    __slots__ = (
        "asked",
        "book",
        "book_asked",
        "book_wanted",
        "dropped",
        "heard",
        "held",
        "index",
        "listed",
        "polled",
        "touch",
        "tries",
        "vouched",
    )

    def __init__(self, listed: Listed) -> None:
        self.listed = listed
        self.held = False
        self.index: Line | None = None
        self.touch: Scrip | None = None
        self.book: Scrip | None = None
        self.vouched: int | None = None
        self.heard: float | None = None
        self.polled: float | None = None
        self.book_wanted: float | None = None
        self.forget_stream()

    def forget_stream(self) -> None:
        """The socket is gone: nothing is subscribed, and what was known is not to be built upon."""
        self.touch = self.book = None
        self.asked: float | None = None
        self.tries = 0
        self.dropped = False
        self.book_asked: float | None = None

    def silent_since(self, began: float) -> float:
        """When it was last heard of or asked for, ``began`` where never."""
        return max(self.heard or began, self.polled or began)

    def overlay(self, scrip: Scrip, frame: Frame) -> tuple[bool, str]:
        """Let a frame change one of the streams, unless its price cannot be this contract's.

        Returns whether it did, and what is wrong with the frame, "" if nothing.
        """
        found, bad = scrip.read(frame)
        fault = implausible(self.listed.instrument, found, scrip.values, self.spot)
        if fault:
            return False, fault
        scrip.values.update(found)
        return True, f"no possible value in {', '.join(bad)}" if bad else ""

    @property
    def spot(self) -> int | None:
        """The underlying's price where it is watched as well."""
        index = self.index
        return None if index is None or index.touch is None else index.touch.price("lp")

    def quote(self, scrip: Scrip, now: int) -> Quote:
        """The merged view. The stamp is the exchange's, ``now`` where it sent none yet."""
        values = scrip.values
        stamp = values.get("ft")
        instrument = self.listed.instrument
        booked = instrument.tradable
        return Quote(
            name=instrument.name,
            ts=now if stamp is None else stamp * 1000,
            bid=scrip.price("bp1") if booked else None,
            bid_qty=values.get("bq1", 0) if booked else 0,
            ask=scrip.price("sp1") if booked else None,
            ask_qty=values.get("sq1", 0) if booked else 0,
            ltp=scrip.price("lp"),
            volume=values.get("v", 0),
            oi=values.get("oi"),
            oi_open=values.get("poi"),
            prev_close=scrip.price("c"),
            booked=booked,
        )

    def depth(self, now: int) -> Depth | None:
        """The five levels, None until the stream of depth has begun."""
        if self.book is None:
            return None
        stamp = self.book.values.get("ft")
        ts = now if stamp is None else stamp * 1000
        return Depth(self.listed.instrument.name, ts, self._side("b"), self._side("s"))

    def _side(self, side: str) -> tuple[Level, ...]:
        assert self.book is not None
        found = ((self.book.price(f"{side}p{level}"), self.book.values.get(f"{side}q{level}", 0)) for level in LEVELS)
        return tuple((price, size) for price, size in found if price and size)
