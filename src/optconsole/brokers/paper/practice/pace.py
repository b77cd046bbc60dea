"""The flow of practice time: held, at a speed, or as fast as the engine takes it; perhaps up to a goal."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

from optconsole.engine.clock import MarketClock, pause
from optconsole.engine.model.errors import Refusal

BEAT: Final = 0.05
"""Seconds between two batches at a given speed, for thousands of quotes a second."""
CALM_BEAT: Final = 0.1
BUSY_RATE: Final = 2_000.0
"""Quotes a second from which on the shorter beat pays: a batch has a fixed cost."""
MOST_OWED: Final = 0.25
"""Seconds of quotes a late batch may make up for; more would make it later still."""
LAST_BEATS: Final = 2
STRIDE: Final = timedelta(seconds=1)
"""Market time between two batches at speed 0."""


class Pace:
    """Decides when the next batch is due and how many quotes belong to it; sets the clock."""

    def __init__(self, clock: MarketClock, rate: float, speed: float) -> None:
        self._clock, self._rate = clock, rate
        self._speed = _checked(speed)
        self._paused = False
        self._flowing = False
        self._beat = BEAT if rate >= BUSY_RATE else CALM_BEAT
        self._owed = 0.0
        self._counted = clock.monotonic()
        self._changed = asyncio.Event()
        self._goal: datetime | None = None
        self._reached: asyncio.Future[None] | None = None

    @property
    def paused(self) -> bool:
        """Whether the time is held on request."""
        return self._paused

    @property
    def speed(self) -> float:
        """Market seconds a second while not paused; 0 is as fast as the engine takes it."""
        return self._speed

    def pause(self) -> None:
        """Hold the time, and give up any moment that was to be reached."""
        self._paused = True
        self._set_clock()
        self._release()

    def resume(self, speed: float | None = None) -> None:
        """Run on. Raises Refusal(BAD_SPEED)."""
        if speed is not None:
            self._speed = _checked(speed)
        self._paused = False
        self._set_clock()

    async def run_to(self, moment: datetime) -> None:
        """Run until ``moment`` and hold there; returns then, when it is paused, or when a later call takes over."""
        self._release()
        if moment <= self._clock.now():
            self.pause()
            return
        self._goal, self._reached = moment, asyncio.get_running_loop().create_future()
        self.resume()
        await self._reached

    def begin(self) -> None:
        """A session starts: time flows from here on, unless it is held or the goal lies behind."""
        self._flowing = True
        self.check_goal(self._clock.now())
        self._set_clock()

    async def next_batch(self, limit: datetime) -> tuple[datetime, int]:
        """Wait until a batch is due; its moment, not after ``limit``, and its number of quotes.

        The clock is held for the last beats before ``limit`` or the goal, so that no lateness carries it past.
        """
        await self._while_paused()
        if self._goal is not None:
            limit = min(limit, self._goal)
        if self._speed == 0.0:
            await pause()
            moment = min(self._clock.now() + STRIDE, limit)
            self._clock.set(moment, 0.0)
            return moment, self._whole(STRIDE.total_seconds())
        left = (limit - self._clock.now()).total_seconds() / self._speed
        if left > LAST_BEATS * self._beat:
            await self._clock.sleep(self._beat)
            return min(self._clock.now(), limit), self._since_last()
        self._clock.set(self._clock.now(), 0.0)
        await self._clock.sleep(max(left, 0.0))
        if not self._paused:
            self._clock.set(limit)
        self._set_clock()
        return min(self._clock.now(), limit), self._since_last()

    def check_goal(self, moment: datetime) -> None:
        """Hold and tell whoever waits, once the goal is reached."""
        if self._goal is not None and moment >= self._goal:
            self.pause()

    async def close(self) -> None:
        """A session is over: time stands until the next one begins. Waits while it is held on request."""
        self._flowing = False
        self._set_clock()
        await self._while_paused()

    def ended(self, task: asyncio.Task[None]) -> None:
        """The play is over. A failure reaches whoever waits for a moment, else the loop's exception handler."""
        error = None if task.cancelled() else task.exception()
        if error is None:
            self._release()
        elif self._reached is not None and not self._reached.done():
            self._reached.set_exception(error)
        else:
            task.get_loop().call_exception_handler(
                {"message": "the practice market stopped", "exception": error, "task": task}
            )

    async def _while_paused(self) -> None:
        while self._paused:
            self._changed.clear()
            await self._changed.wait()

    def _release(self) -> None:
        waiting, self._goal, self._reached = self._reached, None, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _since_last(self) -> int:
        """Quotes for the real time since the batch before."""
        now = self._clock.monotonic()
        passed, self._counted = now - self._counted, now
        return self._whole(min(passed, MOST_OWED))

    def _whole(self, seconds: float) -> int:
        """Quotes for ``seconds``, the fraction being kept for the next time."""
        self._owed += self._rate * seconds
        whole = int(self._owed)
        self._owed -= whole
        return whole

    def _set_clock(self) -> None:
        flows = self._flowing and not self._paused
        self._clock.set(self._clock.now(), self._speed if flows else 0.0)
        self._changed.set()


def _checked(speed: float) -> float:
    if not 0.0 <= speed <= 10_000.0:
        raise Refusal("BAD_SPEED", f"{speed:g} is not a speed; choose 0 (as fast as possible) to 10000.")
    return speed
