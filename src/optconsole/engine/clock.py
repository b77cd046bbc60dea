"""The only source of time, sleep, identity and randomness in the engine and the brokers."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from optconsole.engine.model.timeline import IST


class Clock(Protocol):
    """Time as the engine knows it. In practice and replay it is not the wall's."""

    def now(self) -> datetime:
        """Aware IST time."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step back and run at the machine's own pace, for ages and deadlines."""
        ...

    def stepped(self) -> float:
        """Seconds by which the time of day was set, forward and back, since the start; 0 where nobody can."""
        ...

    def since(self, moment: datetime) -> timedelta:
        """How long ago ``now`` was ``moment``, by a clock nobody can set."""
        ...

    def bounds(self) -> tuple[datetime, datetime]:
        """The earliest and the latest that the time of day may be: the machine's, and what the exchange has shown."""
        ...

    def heard(self, stamp: int) -> None:
        """An exchange stamped something with these epoch milliseconds."""
        ...

    def not_before(self, moment: datetime) -> None:
        """An earlier life of ours wrote a fact at ``moment``; later ones are not written before it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of ``monotonic``."""
        ...


STEP: Final = 1.0
"""Seconds between two looks at a clock by which it may be off before it counts as having been set."""
SLEW: Final = 0.05
APART: Final = 0.5
"""Seconds by which our time and the machine's may drift apart before the two are noted side by side again."""
NOTED: Final = 256


class WallClock:
    """Real time that never goes back.

    A clock set forward is followed at once: the machine may have slept. One set back would put new facts before old
    ones, so our time runs on, a twentieth slower, until the other has caught up.

    Durations are the machine's: our time and the machine's are noted side by side wherever one leaves the other.
    An exchange's stamps bound the time of day from below, since nothing is stamped before it happens.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(IST),
        machine: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._machine = machine
        self._last, self._mark = wall(), machine()
        self._behind = 0.0
        self._stepped = 0.0
        self._ours, self._machines = [self._last], [self._mark]
        self._ahead: float | None = None

    def now(self) -> datetime:
        machine = self._machine()
        if machine == self._mark:  # within one instant of the machine nothing is new
            return self._last
        wall = self._wall()
        passed = machine - self._mark
        expected = self._last + timedelta(seconds=passed)
        off = (wall - expected).total_seconds()
        if abs(off - self._behind) > STEP:
            self._stepped += off - self._behind
        expected = max(wall, expected - timedelta(seconds=passed * SLEW)) if off < 0 else wall
        self._last, self._mark = expected, machine
        self._behind = min(0.0, (wall - expected).total_seconds())
        self._note()
        return expected

    def _note(self) -> None:
        ran = self._last - self._ours[-1]
        if abs(ran.total_seconds() - (self._mark - self._machines[-1])) > APART:
            self._ours.append(self._last)
            self._machines.append(self._mark)
            del self._ours[:-NOTED], self._machines[:-NOTED]

    def since(self, moment: datetime) -> timedelta:
        now, machine = self.now(), self._mark
        if moment > now:  # written by an earlier life, whose clock was ahead: at the latest when it ended
            return timedelta(seconds=machine - self._machines[0])
        place = bisect_right(self._ours, moment) - 1
        if place < 0:
            return timedelta(seconds=machine - self._machines[0]) + (self._ours[0] - moment)
        until = self._machines[place + 1] if place + 1 < len(self._machines) else machine
        then = self._machines[place] + (moment - self._ours[place]).total_seconds()
        return timedelta(seconds=machine - min(then, until))

    def bounds(self) -> tuple[datetime, datetime]:
        wall = self._wall()
        if self._ahead is None:
            return wall, wall
        shown = datetime.fromtimestamp(self._ahead + self._machine(), IST)
        return (wall, shown) if wall <= shown else (shown, wall)

    def heard(self, stamp: int) -> None:
        ahead = stamp / 1000 - self._machine()
        if self._ahead is None or ahead > self._ahead:
            self._ahead = ahead

    def not_before(self, moment: datetime) -> None:
        """A moment of another day is no clock a little ahead but a wrong one, and is not taken over."""
        if moment > self.now() and moment.astimezone(IST).date() == self._last.astimezone(IST).date():
            self._behind = (self._wall() - moment).total_seconds()
            self._last = moment
            self._ours, self._machines = [moment], [self._mark]

    def monotonic(self) -> float:
        return self._machine()

    def stepped(self) -> float:
        self.now()
        return self._stepped

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class MarketClock:
    """Time of a market that is played: set by its feed, running on between settings at ``speed``.

    ``speed`` 0 holds the time still until the next ``set``: a replay at full speed, or a pause.
    """

    def __init__(self, start: datetime, speed: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._base = start
        self._mark = monotonic()
        self._speed = speed
        self._until: datetime | None = None

    def now(self) -> datetime:
        moment = self._base + timedelta(seconds=(self._monotonic() - self._mark) * self._speed)
        return moment if self._until is None else min(moment, self._until)

    def set(self, moment: datetime, speed: float | None = None, until: datetime | None = None) -> None:
        """Jump to ``moment``. Never backwards: an earlier moment leaves the time where it is.

        The time runs on to ``until`` at most and stands there, however late the next ``set`` comes.
        """
        self._base = max(moment, self.now())
        self._mark = self._monotonic()
        self._until = None if until is None else max(until, self._base)
        if speed is not None:
            self._speed = speed

    @property
    def speed(self) -> float:
        """Market seconds per machine second."""
        return self._speed

    def stepped(self) -> float:
        return 0.0

    def since(self, moment: datetime) -> timedelta:
        return self.now() - moment

    def bounds(self) -> tuple[datetime, datetime]:
        now = self.now()
        return now, now

    def heard(self, stamp: int) -> None:
        """A played market's time is its own: stamps teach it nothing."""

    def not_before(self, moment: datetime) -> None:
        """A market whose engine died goes on no earlier than what is written of it, whatever its feed remembered."""
        self.set(moment)

    def monotonic(self) -> float:
        return self._monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def shifted(seconds: float) -> WallClock:
    """Real time moved by ``seconds``: that of a market which is rehearsed at another hour."""
    apart = timedelta(seconds=seconds)
    return WallClock(lambda: datetime.now(IST) + apart)


class Rng(Protocol):
    """Seeded randomness for jitter and simulated markets."""

    def random(self) -> float: ...

    def uniform(self, a: float, b: float) -> float: ...


def seeded(seed: int | str) -> random.Random:
    """A generator whose draws depend on the seed alone."""
    return random.Random(seed)  # noqa: S311 - simulation and jitter, never a secret


def fresh_id() -> str:
    """An unguessable id of 16 hex digits, for commands and installs."""
    return secrets.token_hex(8)


def fresh_bytes(count: int) -> bytes:
    """Unguessable bytes, for keys, salts and nonces."""
    return secrets.token_bytes(count)


def monotonic_seconds() -> float:
    """The machine's monotonic second, the same for all its processes."""
    return time.monotonic()


def process_seconds() -> float:
    """CPU seconds this process has used, for the Health screen."""
    return time.process_time()


async def pause() -> None:
    """Let other tasks run once."""
    await asyncio.sleep(0)


__all__ = [
    "Clock",
    "MarketClock",
    "Rng",
    "WallClock",
    "fresh_bytes",
    "fresh_id",
    "monotonic_seconds",
    "pause",
    "process_seconds",
    "seeded",
]


def cancelled_from_outside() -> bool:
    """Whether this task is being cancelled, or a task of the adapter was, on which it happened to wait."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
