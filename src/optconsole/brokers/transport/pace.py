"""Calls a broker allows in a time, kept by waiting: the exchange's ten orders a second are the engine's business."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from optconsole.engine.clock import Clock


@dataclass(frozen=True, slots=True)
class Budget:
    """``calls`` in any ``seconds``."""

    calls: int
    seconds: float


class Pace:
    """One bucket's budgets; whoever comes first goes first."""

    def __init__(self, clock: Clock, *budgets: Budget) -> None:
        self._clock = clock
        self._budgets = budgets
        self._gone: deque[float] = deque(maxlen=max((each.calls for each in budgets), default=1))
        self._turn = asyncio.Lock()

    def wait(self) -> float:
        """Seconds until the next call may leave."""
        now = self._clock.monotonic()
        due = now
        for each in self._budgets:
            if len(self._gone) >= each.calls:
                due = max(due, self._gone[-each.calls] + each.seconds)
        return due - now

    async def turn(self) -> None:
        """Return once a call may leave, and count it."""
        async with self._turn:
            while (pause := self.wait()) > 0:
                await self._clock.sleep(pause)
            self._gone.append(self._clock.monotonic())
