"""Which quotes are worth a look at once: those beyond a level of a guard. For the quote path: O(quotes), no walk."""

from __future__ import annotations

from collections.abc import Sequence

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.protection import Protection
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules.protection import crossing


class Lookout:
    """Remembers the guarded contracts of the state it saw last."""

    def __init__(self) -> None:
        self._seq = -1
        self._guards: dict[str, list[Protection]] = {}

    def crossed(self, state: TradingState, quotes: Sequence[Quote]) -> bool:
        """Whether a quote lies beyond a level of its contract's guards, or takes an earlier crossing back."""
        if self._seq != state.seq:
            self._seq, self._guards = state.seq, {}
            for guard in state.protections.values():
                self._guards.setdefault(guard.key.contract, []).append(guard)
        if not self._guards:
            return False
        return any(
            crossing(guard, quote) or guard.crossing for quote in quotes for guard in self._guards.get(quote.name, ())
        )
