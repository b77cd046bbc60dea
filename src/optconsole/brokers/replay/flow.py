"""The flow of a replay's time: held, paced or as fast as the engine takes it; perhaps up to a goal."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from optconsole.engine.clock import MarketClock
from optconsole.engine.model.errors import Refusal

BEAT: Final = 0.05
"""Seconds after which a pause or another speed is seen at the latest."""
SHORTEST: Final = 0.001
FORGIVEN: Final = 0.5
"""Seconds of delay beyond which the pace starts anew instead of hurrying after itself."""
FASTEST: Final = 100_000.0


class Flow:
    """Carries the clock from frame to frame. It never passes a frame, so nothing is decided on a price before its time.

    Raises Refusal(BAD_SPEED).
    """

    def __init__(self, clock: MarketClock, speed: float) -> None:
        self._clock = clock
        self._speed = _checked(speed)
        self._paused = False
        self._over = False
        self._changed = asyncio.Event()
        self._goal: datetime | None = None
        self._reached: asyncio.Future[None] | None = None
        self._base = clock.now()
        self._mark = clock.monotonic()

    @property
    def paused(self) -> bool:
        """Whether the time is held."""
        return self._paused

    @property
    def speed(self) -> float:
        """Market seconds a second while not paused; 0 is as fast as the engine takes it."""
        return self._speed

    def begin(self) -> None:
        """The clock stands where the play begins."""
        self._anchor()

    def pause(self) -> None:
        """Hold the time, and give up any moment that was to be reached."""
        self._hold()
        self._release()

    def resume(self, speed: float | None = None) -> None:
        """Run on, unless all is played. Raises Refusal(BAD_SPEED)."""
        if speed is not None:
            self._speed = _checked(speed)
        self._paused = self._over
        self._clock.set(self._clock.now(), 0.0)
        self._anchor()
        self._changed.set()

    async def run_to(self, moment: datetime) -> None:
        """Run until ``moment`` and hold there; returns then, when all is played, or when a later call takes over."""
        self._release()
        if self._over or moment <= self._clock.now():
            self.pause()
            return
        self._goal, self._reached = moment, asyncio.get_running_loop().create_future()
        self.resume()
        await self._reached

    async def reach(self, moment: datetime) -> None:
        """Carry the clock to a moment, holding on the way where asked to. Returns while nothing holds the time."""
        while not await self.near(moment):
            pass

    async def near(self, moment: datetime) -> bool:
        """One step of ``reach``; False until it is there. What lies ahead may have changed while the time was held."""
        await self._while_paused()
        limit = moment if self._goal is None else min(moment, self._goal)
        if self._clock.now() < limit:
            await self._approach(limit)
        elif limit < moment:
            self.check_goal()
        else:
            return True
        return False

    def check_goal(self) -> None:
        """Hold and tell whoever waits, once the goal is reached."""
        if self._goal is not None and self._clock.now() >= self._goal:
            self.pause()

    def finish(self, error: BaseException | None = None) -> None:
        """All is played: the time stands. Whoever waits for a moment hears of it, or of the error."""
        self._over = True
        self._hold()
        self._release(error)

    def _hold(self) -> None:
        self._paused = True
        self._changed.set()
        self._clock.set(self._clock.now(), 0.0)

    async def _approach(self, limit: datetime) -> None:
        """Come nearer to ``limit``, or reach it exactly."""
        if self._speed == 0.0:
            self._clock.set(limit, 0.0)
            return
        due = self._mark + (limit - self._base).total_seconds() / self._speed
        left = due - self._clock.monotonic()
        if left > 0.0:
            self._clock.set(self._clock.now(), self._speed, until=limit)
            await self._clock.sleep(max(min(left, BEAT), SHORTEST))
            return
        self._clock.set(limit, 0.0)
        if left < -FORGIVEN:
            self._anchor()

    async def _while_paused(self) -> None:
        while self._paused:
            self._changed.clear()
            await self._changed.wait()

    def _anchor(self) -> None:
        self._base, self._mark = self._clock.now(), self._clock.monotonic()

    def _release(self, error: BaseException | None = None) -> None:
        waiting, self._goal, self._reached = self._reached, None, None
        if waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)


def _checked(speed: float) -> float:
    if not 0.0 <= speed <= FASTEST:
        raise Refusal("BAD_SPEED", f"{speed:g} is not a speed; choose 0 (as fast as possible) to {FASTEST:,.0f}.")
    return speed
