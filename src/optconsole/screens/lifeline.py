"""The link's lifetime: opened, followed, lost, tried again until it is back, and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.link.protocol import EngineLink, LinkLost
from optconsole.screens.mirror import Mirror
from optconsole.screens.pulse import Pulse

Stop = Callable[[], Awaitable[None]]
Opener = Callable[[], Awaitable[tuple[EngineLink, Stop]]]
"""Starts or reaches an engine and says how to let go of it. Raises Refusal with what to do when it cannot."""

NO_ENGINE: Final = "NO_ENGINE"
RETRY_AFTER: Final = (0.5, 1.0, 2.0, 5.0)


class Lifeline:
    """Keeps a mirror on its engine. ``open`` first, then ``follow`` for as long as the console lives."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._stop: Stop | None = None

    async def open(self) -> Mirror:
        """Reach the engine. The mirror is empty yet. Raises Refusal."""
        link, self._stop = await self._opener()
        return Mirror(link)

    async def follow(self, mirror: Mirror, pulse: Pulse) -> None:
        """Facts and quotes for ever; whenever the link is lost, it is tried again until it is back."""
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(mirror.follow())
                    group.create_task(pulse.drain())
            except* (LinkLost, Refusal) as lost:
                mirror.lose(str(lost.exceptions[0]))
            await self._regain(mirror)

    async def _regain(self, mirror: Mirror) -> None:
        attempt = 0
        while True:
            await asyncio.sleep(RETRY_AFTER[min(attempt, len(RETRY_AFTER) - 1)])
            attempt += 1
            try:
                await self.close()
                link, self._stop = await self._opener()
                await mirror.regain(link)
            except (Refusal, LinkLost, OSError) as missed:
                mirror.missed(gone=isinstance(missed, Refusal) and missed.code == NO_ENGINE)
                continue
            return

    async def close(self) -> None:
        """Let go of the engine: an attached one runs on, one of our own stops in good order."""
        stop, self._stop = self._stop, None
        if stop is not None:
            await stop()
