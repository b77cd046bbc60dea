"""Facts on their way to one console: a bounded buffer that the engine never waits for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from optconsole.engine.events import Recorded
from optconsole.engine.ports import EnginePort
from optconsole.link.wire import FACTS_AHEAD

BUFFER: Final = 1_000
"""Facts kept for a console that is behind. Beyond that it is fed from the journal again."""

BATCH: Final = 200
"""Facts in one frame."""

Send = Callable[[tuple[Recorded, ...]], Awaitable[None]]


class Delivery:
    """One console's subscription to the facts above ``after``.

    The engine's live stream is always emptied at once. When the console falls behind by more than the buffer,
    the live stream is let go and taken up again, from the journal, once the console has caught up.
    """

    def __init__(self, engine: EnginePort, after: int, send: Send) -> None:
        self._engine = engine
        self._send = send
        self._buffer: deque[Recorded] = deque()
        self._taken = self._sent = self._read = after
        self._over = False
        self._arrived = asyncio.Event()
        self._emptied = asyncio.Event()
        self._granted = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Facts held for the console right now."""
        return len(self._buffer)

    def read_up_to(self, seq: int) -> None:
        """The console has taken the facts up to ``seq``. A number never sent counts as the newest sent."""
        self._read = max(self._read, min(seq, self._sent))
        self._granted.set()

    async def run(self) -> None:
        """Deliver until the engine's stream ends or the task is cancelled."""
        collecting = asyncio.create_task(self._collect())
        try:
            await self._deliver()
            await collecting
        finally:
            collecting.cancel()

    async def _collect(self) -> None:
        try:
            while await self._collect_until_full():
                while self._buffer:
                    self._emptied.clear()
                    await self._emptied.wait()
        finally:
            self._over = True
            self._arrived.set()

    async def _collect_until_full(self) -> bool:
        """True when the buffer is full, False when the engine's stream is over."""
        stream = self._engine.facts(self._taken)
        try:
            async for fact in stream:
                self._buffer.append(fact)
                self._taken = fact.seq
                self._arrived.set()
                if len(self._buffer) >= BUFFER:
                    return True
            return False
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    async def _deliver(self) -> None:
        while True:
            batch = self._next()
            if batch:
                self._sent = batch[-1].seq
                await self._send(batch)
            elif self._buffer:
                self._granted.clear()
                await self._granted.wait()
            elif self._over:
                return
            else:
                self._emptied.set()
                self._arrived.clear()
                await self._arrived.wait()

    def _next(self) -> tuple[Recorded, ...]:
        room = min(BATCH, FACTS_AHEAD - (self._sent - self._read), len(self._buffer))
        return tuple(self._buffer.popleft() for _ in range(room))
