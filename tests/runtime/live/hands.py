"""A clock moved by hand: sleepers wake when the time they wait for has come."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from optconsole.engine.clock import MarketClock
from optconsole.engine.model.timeline import IST


class HandClock(MarketClock):
    """Stands at 08:00 of a trading day until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 11, 25, 8, 0, tzinfo=IST)) -> None:
        self.passed = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        super().__init__(start, 1.0, monotonic=lambda: self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        due = asyncio.Event()
        self._sleepers.append((self.passed + seconds, due))
        await due.wait()

    def pass_by(self, seconds: float) -> None:
        """Move the time at once; who waits for less wakes up."""
        self.passed += seconds
        for moment, due in list(self._sleepers):
            if moment <= self.passed:
                due.set()
                self._sleepers.remove((moment, due))

    async def run_to(self, moment: datetime, step: float = 1.0) -> None:
        """Move the time step by step, letting everybody work in between."""
        while self.now() < moment:
            self.pass_by(min(step, (moment - self.now()).total_seconds() + 0.001))
            for _ in range(5):
                await asyncio.sleep(0)

    def at(self, hour: int, minute: int, days: int = 0) -> datetime:
        return (self.now() + timedelta(days=days)).replace(hour=hour, minute=minute, second=0, microsecond=0)
