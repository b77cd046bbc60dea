"""Which quotes are worth a look at once: those beyond a level of a guard. For the quote path: O(quotes), no walk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.protection import Protection
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules.protection import crossing
from optconsole.engine.trading.runs.alarms import next_alarm

PULSE: Final = timedelta(milliseconds=250)
"""Market time between two looks at strategies."""


class Lookout:
    """Remembers the guarded contracts of the state it saw last."""

    def __init__(self) -> None:
        self._seq = -1
        self._live = False
        self._looked: datetime | None = None
        self._alarmed = -1
        self._alarm: datetime | None = None
        self._guards: dict[str, list[Protection]] = {}

    def crossed(self, state: TradingState, quotes: Sequence[Quote]) -> bool:
        """Whether a quote lies beyond a level of its contract's guards, or takes an earlier crossing back."""
        self._renew(state)
        if not self._guards:
            return False
        return any(
            crossing(guard, quote) or guard.crossing for quote in quotes for guard in self._guards.get(quote.name, ())
        )

    def due(self, state: TradingState, now: datetime) -> bool:
        """Whether strategies are to be looked at: as often in market time as in real time, and at its alarms."""
        self._renew(state)
        if not self._live or not (self._pulse(now) or self._called(state, now)):
            return False
        self._looked, self._alarmed = now, -1
        return True

    def _pulse(self, now: datetime) -> bool:
        return self._looked is None or not timedelta() <= now - self._looked < PULSE

    def _called(self, state: TradingState, now: datetime) -> bool:
        """Whether the time of something has come since the last look."""
        if self._looked is None:
            return True
        if self._alarmed != state.seq:
            self._alarmed, self._alarm = state.seq, next_alarm(state, self._looked)
        return self._alarm is not None and self._alarm <= now

    def _renew(self, state: TradingState) -> None:
        if self._seq == state.seq:
            return
        self._seq, self._guards = state.seq, {}
        for guard in state.protections.values():
            self._guards.setdefault(guard.key.contract, []).append(guard)
        active = any(book.status is BasketStatus.ACTIVE for book in state.baskets.values())
        self._live = active or any(not run.status.over for run in state.runs.values())
