"""Where quotes come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Protocol

from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.quotes import Depth, Quote

QuoteSink = Callable[[Sequence[Quote]], None]


class Feed(Protocol):
    """A source of quotes. Delivery is synchronous into the sink, on the loop's thread, without a queue."""

    @property
    def name(self) -> str: ...

    async def start(self, sink: QuoteSink) -> None: ...

    async def stop(self) -> None: ...

    def instruments(self, day: date) -> list[Instrument]:
        """Contracts listed on ``day``, indices included."""
        ...

    def watch(self, names: Sequence[str]) -> None:
        """Ask for quotes of these contracts, on top of what is watched already."""
        ...

    def depth(self, name: str) -> Depth | None:
        """The present book of a contract; None where the source has none."""
        ...


class Playback(Protocol):
    """A feed whose time can be driven: the practice market and replays."""

    def pause(self) -> None: ...

    def resume(self, speed: float | None = None) -> None:
        """Run on; ``speed`` 0 is as fast as the engine takes it."""
        ...

    async def run_to(self, moment: datetime) -> None:
        """Play to a moment of market time, then hold. Returns when it is reached or the recording ends."""
        ...

    @property
    def paused(self) -> bool: ...

    @property
    def speed(self) -> float: ...
