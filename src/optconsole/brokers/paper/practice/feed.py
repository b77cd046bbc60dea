"""The practice market as a feed whose time can be driven: session after session, nights and holidays skipped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Final

import numpy as np

from optconsole.brokers.paper.practice.chains import chain
from optconsole.brokers.paper.practice.day import PracticeDay
from optconsole.brokers.paper.practice.hours import Listing, TradingDays, next_hours
from optconsole.brokers.paper.practice.noise import Counts
from optconsole.brokers.paper.practice.pace import Pace
from optconsole.brokers.paper.practice.turns import Turns
from optconsole.engine.clock import MarketClock, pause
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.quotes import Depth
from optconsole.engine.model.timeline import millis
from optconsole.engine.ports import QuoteSink

DEFAULT_RATE: Final = 400.0
MOST_RATE: Final = 100_000.0
CHUNK: Final = 400
"""Quotes of the opening snapshot between two turns of the loop: about a millisecond of work."""
GRID_MS: Final = 50
"""Market time of a batch is rounded down to this, so that a batch is one of a fixed set whatever the loop's timing."""

DayHook = Callable[[date], Awaitable[None]]
Settled = Callable[[], Awaitable[None]]


class PracticeFeed:
    """Feed and Playback over `PracticeDay`.

    ``clock`` is set by this feed alone; its time when `start` is called is where the play begins or resumes, and
    moves on to the next open when that is outside a session. ``on_close(day)`` is awaited when a session is over,
    with the time held at the close, and must bear a second call after a restart at that very moment;
    ``on_open(day)`` when the next one is listed, before its first quote. ``settled`` is awaited after each batch
    at speed 0. ``rate`` is quotes a second of real time (of market time at speed 0). Raises Refusal(BAD_RATE).
    """

    name = "practice"

    def __init__(
        self,
        *,
        seed: int,
        clock: MarketClock,
        calendar: TradingDays,
        listing: Listing,
        on_open: DayHook,
        on_close: DayHook,
        settled: Settled,
        rate: float = DEFAULT_RATE,
        speed: float = 1.0,
    ) -> None:
        if not 0.0 < rate <= MOST_RATE:
            raise Refusal("BAD_RATE", f"{rate:g} quotes a second cannot be played; choose 1 to {MOST_RATE:,.0f}.")
        self._seed, self._clock, self._calendar, self._listing = seed, clock, calendar, listing
        self._on_open, self._on_close, self._settled = on_open, on_close, settled
        self._pace = Pace(clock, rate, speed)
        self._watched: set[str] = set()
        self._watched_rows: Counts = np.zeros(0, dtype=np.int64)
        self._chains: dict[date, list[Instrument]] = {}
        self._day: PracticeDay | None = None
        self._turns: Turns | None = None
        self._sink: QuoteSink | None = None
        self._task: asyncio.Task[None] | None = None
        self._sent = 0

    # ------------------------------------------------------------ Feed

    async def start(self, sink: QuoteSink) -> None:
        """List the day and begin to play in a task of its own. Raises Refusal when it is running already."""
        if self._task is not None:
            raise Refusal("ALREADY_PLAYING", "The practice market is playing already; stop it first.")
        self._sink = sink
        now = self._clock.now()
        hours = self._calendar.session(now.date())
        day = now.date()
        if hours is None:
            day, hours = next_hours(self._calendar, day)
        await self._list(day)
        self._task = asyncio.create_task(self._play(listed_anew=day != now.date()), name="practice market")
        self._task.add_done_callback(self._pace.ended)

    async def stop(self) -> None:
        """End the play and hold the time. Raises what ended it, if something else did before."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        self._clock.set(self._clock.now(), 0.0)
        if not task.cancelled():
            task.result()

    def instruments(self, day: date) -> list[Instrument]:
        """Contracts listed on ``day``, indices and India VIX included."""
        if day not in self._chains:
            self._chains = {known: self._chains[known] for known in list(self._chains)[-2:]}
            self._chains[day] = chain(self._seed, day, self._listing)
        return self._chains[day]

    def watch(self, names: Sequence[str]) -> None:
        """Let these tick at least once a second of market time; a name that is not listed today waits for its day."""
        self._watched.update(names)
        self._find_watched()

    def depth(self, name: str) -> Depth | None:
        """The book at this instant; None for an index or a name that is not listed today."""
        if self._day is None or name not in self._day.sheet.place:
            return None
        instrument = self._day.sheet.instruments[self._day.sheet.place[name]]
        moment = min(max(self._clock.now(), self._day.opens), self._day.closes)
        return self._day.depth(instrument, moment)

    def vouched(self, name: str) -> int | None:
        """This instant for what is listed: nothing is lost on the way from an exchange in the same process."""
        listed = self._day is not None and name in self._day.sheet.place
        return millis(self._clock.now()) if listed else None

    # ------------------------------------------------------------ Playback

    def pause(self) -> None:
        """Hold the time."""
        self._pace.pause()

    def resume(self, speed: float | None = None) -> None:
        """Let the time run on; ``speed`` 0 is as fast as the engine takes it. Raises Refusal(BAD_SPEED)."""
        self._pace.resume(speed)

    async def run_to(self, moment: datetime) -> None:
        """Play until ``moment``, or the next open when that falls outside a session, then hold.

        Raises Refusal(NOT_PLAYING) before the start, and whatever ends the play on the way.
        """
        if self._task is None or self._task.done():
            raise Refusal("NOT_PLAYING", "The practice market is not playing; start it first.")
        await self._pace.run_to(moment)

    @property
    def paused(self) -> bool:
        """Whether the time is held."""
        return self._pace.paused

    @property
    def speed(self) -> float:
        """Market seconds a second, kept through a pause; 0 is as fast as the engine takes it."""
        return self._pace.speed

    @property
    def day(self) -> PracticeDay | None:
        """The day that is played, for questions about any of its instants; None before the start."""
        return self._day

    # ------------------------------------------------------------ the play

    async def _play(self, listed_anew: bool) -> None:
        while True:
            day = self._playing()
            self._clock.set(day.opens, 0.0)
            if listed_anew:
                await self._on_open(day.day)
            if self._clock.now() < day.closes:
                await self._snapshot()
                await self._session(day)
            await self._pace.close()
            self._clock.set(day.closes, 0.0)
            await self._on_close(day.day)
            following, _ = next_hours(self._calendar, day.day)
            await self._list(following)
            listed_anew = True

    async def _list(self, day: date) -> None:
        # A day takes some 50 ms to lay out; in a thread the loop does not feel it.
        self._day = await asyncio.to_thread(self._lay_out, day)
        self._turns = Turns(self._day)
        self._find_watched()

    def _lay_out(self, day: date) -> PracticeDay:
        return PracticeDay(self._seed, day, self.instruments(day), self._calendar)

    async def _snapshot(self) -> None:
        day = self._playing()
        self._sent = self._on_grid(self._clock.now())
        for start in range(0, len(day.sheet), CHUNK):
            rows = np.arange(start, min(start + CHUNK, len(day.sheet)), dtype=np.int64)
            self._deliver(rows, self._sent)
            await pause()

    async def _session(self, day: PracticeDay) -> None:
        self._pace.begin()
        while self._clock.now() < day.closes:
            moment, count = await self._pace.next_batch(day.closes)
            stamp = self._on_grid(moment)
            if stamp > self._sent and self._turns is not None:
                rows = self._turns.due(self._sent, stamp, count, self._watched_rows)
                self._sent = stamp
                self._deliver(rows, stamp)
            if self._pace.speed == 0.0:
                await self._settled()
            self._pace.check_goal(moment)

    def _deliver(self, rows: Counts, stamp: int) -> None:
        if self._sink is not None and len(rows):
            self._sink(self._playing().rows(rows, stamp))

    def _playing(self) -> PracticeDay:
        assert self._day is not None
        return self._day

    def _on_grid(self, moment: datetime) -> int:
        opened = millis(self._playing().opens)
        return opened + (millis(moment) - opened) // GRID_MS * GRID_MS

    def _find_watched(self) -> None:
        if self._day is not None:
            place = self._day.sheet.place
            self._watched_rows = np.array(
                sorted(place[name] for name in self._watched if name in place), dtype=np.int64
            )
