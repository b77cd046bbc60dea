"""Delivery of updates to the client: in order, at once or after the configured delay."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from optconsole.engine.clock import Clock
from optconsole.engine.ports import BrokerUpdate, UpdateSink


class Outbox:
    """Keeps the order of updates whatever their delays; what happens before ``open`` is not delivered.

    An update that is lost with the process is found again in the order and trade books.
    """

    def __init__(self, clock: Clock, delay: Callable[[], float]) -> None:
        self._clock = clock
        self._delay = delay
        self._sink: UpdateSink | None = None
        self._waiting: deque[tuple[float, BrokerUpdate]] = deque()
        self._carrier: asyncio.Task[None] | None = None

    def open(self, sink: UpdateSink) -> None:
        """Deliver to ``sink`` from now on."""
        self._sink = sink

    async def close(self) -> None:
        """Stop delivering; what is on the way is dropped, as a lost connection would."""
        self._sink = None
        self._waiting.clear()
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            carrier.cancel()
            await asyncio.gather(carrier, return_exceptions=True)

    async def delivered(self) -> None:
        """Wait until nothing is on the way."""
        while self._carrier is not None and not self._carrier.done():
            await asyncio.wait([self._carrier])

    def post(self, update: BrokerUpdate) -> None:
        """Send one update on its way."""
        if self._sink is None:
            return
        delay = self._delay()
        if delay <= 0 and not self._waiting:
            self._sink(update)
            return
        self._waiting.append((self._clock.monotonic() + delay, update))
        if self._carrier is None or self._carrier.done():
            self._carrier = asyncio.get_running_loop().create_task(self._carry())

    async def _carry(self) -> None:
        while self._waiting:
            due, update = self._waiting[0]
            rest = due - self._clock.monotonic()
            if rest > 0:
                await self._clock.sleep(rest)
            self._waiting.popleft()
            if self._sink is not None:
                self._sink(update)
