"""A recorded session as a feed whose time can be driven."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from optconsole.brokers.replay.flow import Flow
from optconsole.brokers.replay.reader import Frame, Recording
from optconsole.engine.clock import MarketClock, pause
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, expiry_code
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.timeline import from_millis, millis
from optconsole.engine.ports import QuoteSink

NEAR_CLOSE: Final = timedelta(minutes=10)
"""A recording that ends within this of the close, or later, is taken to cover it."""

DayHook = Callable[[date], Awaitable[None]]
Settled = Callable[[], Awaitable[None]]
Alarm = Callable[[datetime], datetime | None]
"""The next moment after one at which the engine has something to do though no price moves."""


def _nothing_due(_after: datetime) -> datetime | None:
    return None


class ReplayFeed:
    """Feed and Playback over a `Recording`, which it closes when it stops.

    ``clock`` is set by this feed alone; its time when `start` is called is where the play begins or resumes, or the
    recording's first moment where that is later. What was known by then is delivered at once, as one frame.
    ``on_open(day)`` is awaited before it where the clock stood on an earlier day. ``on_close(day)`` is awaited once the
    session's close is reached, where the recording covers it, with the time held at the close; it must bear a second
    call after a restart at that very moment. ``settled`` is awaited after each frame at speed 0, so that what a frame
    sets off happens at that frame. The time stops at each ``alarm`` on its way, at any speed. At the end it is held.
    Raises Refusal(BAD_SPEED).
    """

    name = "replay"

    def __init__(
        self,
        recording: Recording,
        *,
        clock: MarketClock,
        on_open: DayHook,
        on_close: DayHook,
        settled: Settled,
        alarm: Alarm = _nothing_due,
        speed: float = 1.0,
    ) -> None:
        self._recording, self._clock = recording, clock
        self._on_open, self._on_close, self._settled, self._alarm = on_open, on_close, settled, alarm
        self._flow = Flow(clock, speed)
        self._instruments = list(recording.header.instruments)
        self._latest: dict[str, Quote] = {}
        self._sink: QuoteSink | None = None
        self._told = clock.now()
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    # ------------------------------------------------------------ Feed

    async def start(self, sink: QuoteSink) -> None:
        """Deliver what is known at the clock's time, then play on in a task of its own.

        Raises Refusal: ALREADY_PLAYING; REPLAY_PAST where the clock is on a later day than the recording;
        RECORDING_TRUNCATED.
        """
        if self._task is not None:
            raise Refusal("ALREADY_PLAYING", "The recording is playing already; stop it first.")
        day, before = self._recording.header.day, self._clock.now().date()
        if before > day:
            raise Refusal(
                "REPLAY_PAST",
                f"The recording is of {expiry_code(day)} and market time is already {expiry_code(before)}; "
                "play it in another --home.",
            )
        self._sink = sink
        self._clock.set(self._recording.begins, 0.0)
        if before < day:
            await self._on_open(day)
        begin = millis(self._clock.now())
        known = await asyncio.to_thread(self._recording.state, begin)
        self._deliver(known)
        frames = self._recording.frames(begin)
        self._flow.begin()
        self._task = asyncio.create_task(self._play(frames), name="replay")
        self._task.add_done_callback(self._played)

    async def stop(self) -> None:
        """End the play, hold the time, close the recording. Raises what ended it, if something else did before."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        self._recording.close()
        if not task.cancelled():
            task.result()

    def instruments(self, day: date) -> list[Instrument]:
        """Contracts of the recorded day, indices included; none for any other day."""
        return self._instruments if day == self._recording.header.day else []

    def watch(self, names: Sequence[str]) -> None:
        """Everything recorded is played; there is nothing more to ask for."""

    def depth(self, name: str) -> Depth | None:
        """The best price of each side as a book of one level; None where the recording holds no book."""
        quote = self._latest.get(name)
        if quote is None or not quote.booked:
            return None
        bids = () if quote.bid is None else ((quote.bid, quote.bid_qty),)
        asks = () if quote.ask is None else ((quote.ask, quote.ask_qty),)
        return Depth(name=name, ts=quote.ts, bids=bids, asks=asks)

    def vouched(self, name: str) -> int | None:
        """This instant for what was quoted: what was not recorded did not happen."""
        return millis(self._clock.now()) if name in self._latest else None

    # ------------------------------------------------------------ Playback

    def pause(self) -> None:
        """Hold the time."""
        self._flow.pause()

    def resume(self, speed: float | None = None) -> None:
        """Let the time run on; ``speed`` 0 is as fast as the engine takes it. Raises Refusal(BAD_SPEED)."""
        self._flow.resume(speed)

    async def run_to(self, moment: datetime) -> None:
        """Play until ``moment``, then hold with every frame up to it delivered. Returns then or at the end."""
        await self._flow.run_to(moment)

    @property
    def paused(self) -> bool:
        """Whether the time is held; true at the end."""
        return self._flow.paused

    @property
    def speed(self) -> float:
        """Market seconds a second, kept through a pause; 0 is as fast as the engine takes it."""
        return self._flow.speed

    @property
    def ended(self) -> bool:
        """Whether all is played."""
        return self._ended

    @property
    def covers_close(self) -> bool:
        """Whether the recording reaches the session's close, or all but."""
        return self._recording.ends >= self._recording.header.closes - NEAR_CLOSE

    # ------------------------------------------------------------ the play

    async def _play(self, frames: Iterator[Frame]) -> None:
        closes = self._recording.header.closes
        for frame in frames:
            moment = from_millis(frame.at)
            if moment > closes:
                break  # nothing trades any more, and what is quoted then is no price to settle at
            await self._reach(moment)
            self._deliver(frame.quotes)
            await self._taken()
        if self.covers_close:
            await self._reach(closes)
            await self._on_close(self._recording.header.day)
        self._ended = True
        self._flow.finish()

    async def _reach(self, moment: datetime) -> None:
        """Go on to a moment, with a stop wherever something is due before: at no speed is it done late."""
        while True:
            alarm = self._alarm(self._told)
            early = alarm is not None and alarm < moment
            if not await self._flow.near(alarm if alarm is not None and early else moment):
                continue
            if not early:
                return
            self._deliver([])  # nothing new is quoted, and the time has come
            await self._taken()

    async def _taken(self) -> None:
        """Let the engine take in what came; hold where the play was to end."""
        await (self._settled() if self._flow.speed == 0.0 else pause())
        await pause()
        self._flow.check_goal()

    def _deliver(self, quotes: list[Quote]) -> None:
        self._latest.update((quote.name, quote) for quote in quotes)
        self._told = self._clock.now()
        if self._sink is not None:
            self._sink(quotes)

    def _played(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        self._flow.finish(error)
        if error is not None:
            task.get_loop().call_exception_handler({"message": "the replay stopped", "exception": error, "task": task})
