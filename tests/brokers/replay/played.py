"""A replay on a clock that moves only when somebody sleeps on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from optconsole.brokers.replay.feed import ReplayFeed
from optconsole.brokers.replay.opening import open_recording
from optconsole.engine.clock import MarketClock
from optconsole.engine.model.quotes import Quote


class SleptClock(MarketClock):
    """Machine time passes in sleeps alone, and exactly as long as they last."""

    def __init__(self, start: datetime) -> None:
        self.machine = 0.0
        super().__init__(start, 0.0, lambda: self.machine)

    async def sleep(self, seconds: float) -> None:
        self.machine += seconds
        await asyncio.sleep(0)


class Stage:
    """A feed with everything it told: (market time, quotes) of each delivery, and the hooks in between."""

    def __init__(
        self, path: Path, start: datetime, speed: float, hold: Sequence[datetime], alarms: Sequence[datetime] = ()
    ) -> None:
        self.clock = SleptClock(start)
        self.told: list[tuple[datetime, object]] = []
        self._holds = list(hold)
        self.alarms = list(alarms)
        self.feed = ReplayFeed(
            open_recording(path),
            clock=self.clock,
            on_open=self._opened,
            on_close=self._closed,
            settled=self._settled,
            alarm=lambda after: next((at for at in self.alarms if at > after), None),
            speed=speed,
        )

    def sink(self, quotes: Sequence[Quote]) -> None:
        self.told.append((self.clock.now(), list(quotes)))

    @property
    def frames(self) -> list[tuple[datetime, list[Quote]]]:
        """Deliveries alone."""
        return [(at, said) for at, said in self.told if isinstance(said, list)]

    @property
    def hooks(self) -> list[tuple[datetime, object]]:
        """What was called besides."""
        return [(at, said) for at, said in self.told if not isinstance(said, list)]

    async def ended(self) -> None:
        """Wait until all is played."""
        await until(lambda: self.feed.ended)

    async def _opened(self, day: date) -> None:
        self.told.append((self.clock.now(), f"open {day}"))

    async def _closed(self, day: date) -> None:
        self.told.append((self.clock.now(), f"close {day}"))

    async def _settled(self) -> None:
        if self._holds and self.clock.now() >= self._holds[0]:
            self._holds.pop(0)
            self.feed.pause()


async def until(condition: Any) -> None:
    """Let the loop run until something holds; fails when it does not in good time."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


@asynccontextmanager
async def playing(
    path: Path,
    start: datetime,
    speed: float = 0.0,
    hold: Sequence[datetime] = (),
    alarms: Sequence[datetime] = (),
) -> AsyncIterator[Stage]:
    """A feed that plays, stopped at the end."""
    stage = Stage(path, start, speed, hold, alarms)
    await stage.feed.start(stage.sink)
    try:
        yield stage
    finally:
        await stage.feed.stop()
