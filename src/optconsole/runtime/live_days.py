"""The days of the real market: each morning's contracts, the session's beginning and its end, by the calendar."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from typing import Final

from optconsole.engine.clock import Clock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.timeline import IST
from optconsole.engine.observe.log import incident

FILES_AT: Final = time(8, 15)
"""Brokers write the day's instrument files before; a file fetched earlier may be yesterday's."""
LINGER: Final = timedelta(minutes=20)
"""After the close in which brokers' closing facts come in."""
LOOK: Final = 1.0
AGAIN: Final = 60.0
"""Seconds until a day's files that could not be had are asked for again."""

Turn = Callable[[date], Awaitable[None]]


class LiveDays:
    """Turns the days. ``prepare`` fetches a day's contracts and says whether all are there; until then it is asked."""

    def __init__(
        self,
        clock: Clock,
        calendar: Calendar,
        prepare: Callable[[date], Awaitable[bool]],
        on_open: Turn,
        on_close: Turn,
    ) -> None:
        self._clock, self._calendar = clock, calendar
        self._prepare, self._on_open, self._on_close = prepare, on_open, on_close
        self._prepared: date | None = None
        self._opened: date | None = None
        self._closed: date | None = None
        self._next_try = 0.0
        self._task: asyncio.Task[None] | None = None

    def begin(self, day: date, prepared: bool) -> None:
        """The engine has opened ``day`` itself; ``prepared`` says whether its contracts are all there."""
        self._opened = day
        self._prepared = day if prepared else None
        if not self._sitting(self._clock.now()):
            self._closed = day
        self._task = asyncio.create_task(self._run(), name="live-days")

    def hurry(self) -> None:
        """Something has changed, a login perhaps: ask at once for what is missing."""
        self._next_try = 0.0

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(LOOK)
            try:
                await self._look(self._clock.now())
            except Exception as error:  # the next look must come whatever this one met
                incident("days", error)

    async def _look(self, now: datetime) -> None:
        today = now.astimezone(IST).date()
        if self._calendar.is_trading_day(today) and self._prepared != today and self._due(now):
            if await self._prepare(today):
                self._prepared = today
            # what is there is better than yesterday's; the rest is asked for again
            await self._on_open(today)
            self._opened, self._next_try = today, self._clock.monotonic() + AGAIN
        if self._opened == today and self._closed != today and self._over(now):
            self._closed = today
            await self._on_close(today)

    def _due(self, now: datetime) -> bool:
        return now.astimezone(IST).time() >= FILES_AT and self._clock.monotonic() >= self._next_try

    def _over(self, now: datetime) -> bool:
        session = self._calendar.session(now.astimezone(IST).date())
        return session is not None and now >= session.closes + LINGER

    def _sitting(self, now: datetime) -> bool:
        """Whether the end of the session is still to come."""
        session = self._calendar.session(now.astimezone(IST).date())
        return session is not None and now < session.closes + LINGER
