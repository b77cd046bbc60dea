"""How old the price of one contract is: a contract may fall silent while all around it tick.

Silence alone says little of a contract that nobody trades. Where the source vouches for its last quote, by a heartbeat,
a book, or having asked anew, the quote is as young as that word, though never younger than the source itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from optconsole.engine.clock import Clock
from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.model.timeline import millis

GAP: Final = 5.0
"""Seconds between two looks after which the machine must have stood still: that silence was not the market's."""


class QuoteSight:
    """Ages of quotes on the machine's own clock. ``vouched`` gives the source's word in epoch milliseconds, or None."""

    def __init__(self, clock: Clock, board: QuoteBoard, vouched: Callable[[str], int | None]) -> None:
        self._clock = clock
        self._board = board
        self._vouched = vouched
        self._looked = self._watching_since = clock.monotonic()
        self._held_until = 0.0

    def look(self, trading: bool, held: bool) -> None:
        """Take note of the time: ``trading`` while the session is open, ``held`` while played time stands still."""
        now = self._clock.monotonic()
        if held:
            self._held_until = now
        if not trading or held or now - self._looked > GAP:
            self._watching_since = now
        self._looked = now

    def watched_for(self) -> float:
        """Seconds for which this machine has watched an open market without a break."""
        return self._clock.monotonic() - self._watching_since

    def age(self, name: str, source: float | None) -> float | None:
        """Seconds since a contract was last known to be priced as it is, None when it never was.

        ``source`` is the age of the newest quote of anything.
        """
        seen = self._board.seen(name)
        if seen is None:
            return None
        own = max(self._clock.monotonic() - max(seen, self._held_until), 0.0)
        if source is None or own <= source:
            return own
        vouched = self._vouched(name)
        if vouched is None:
            return own
        return min(own, max((millis(self._clock.now()) - vouched) / 1000, source))
