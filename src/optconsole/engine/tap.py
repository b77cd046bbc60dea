"""A console's conflated view of the quotes: each beat carries what changed since the last, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from optconsole.engine.clock import Clock
from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.model.vitals import Vitals
from optconsole.engine.ports import Beat


class ConflatedTap:
    """Beats at ``hz`` of machine time. A reader that is late gets fewer, newer beats and holds nothing up."""

    def __init__(
        self,
        board: QuoteBoard,
        clock: Clock,
        vitals: Callable[[], Vitals],
        hz: float,
        wanted: Callable[[Sequence[str]], None] = lambda _names: None,
    ) -> None:
        self._wanted = wanted
        self._tap = board.open_tap(())
        self._clock = clock
        self._vitals = vitals
        self._period = 1.0 / hz
        self._closed = False

    def watch(self, names: Sequence[str]) -> None:
        """Replace what is watched; ``wanted`` asks the source for it, which may send nothing unasked."""
        self._wanted(names)
        self._tap.watch(names)

    async def __aiter__(self) -> AsyncIterator[Beat]:
        due = self._clock.monotonic()
        while not self._closed:
            yield Beat(vitals=self._vitals(), quotes=self._tap.drain())
            due = max(due + self._period, self._clock.monotonic())
            await self._clock.sleep(due - self._clock.monotonic())

    async def close(self) -> None:
        self._closed = True
        self._tap.close()
