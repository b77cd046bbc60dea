"""The only source of time, sleep, identity and randomness in the engine and the brokers."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from optconsole.engine.model.timeline import IST


class Clock(Protocol):
    """Time as the engine knows it. In practice and replay it is not the wall's."""

    def now(self) -> datetime:
        """Aware IST time."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step back and run at the machine's own pace, for ages and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of ``monotonic``."""
        ...


class WallClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(IST)

    def monotonic(self) -> float:
        return time.monotonic()

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

    def monotonic(self) -> float:
        return self._monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


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


def process_seconds() -> float:
    """CPU seconds this process has used, for the Health screen."""
    return time.process_time()


async def pause() -> None:
    """Let other tasks run once."""
    await asyncio.sleep(0)


__all__ = ["Clock", "MarketClock", "Rng", "WallClock", "fresh_id", "pause", "process_seconds", "seeded"]
