"""Orders that were accepted and of which nothing has been heard: Kite pushes no message when an order begins to rest.

Whether a stop works at the exchange is worth knowing sooner than the next reading of the book comes round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from optconsole.engine.clock import Clock
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.ports import BrokerOrder, BrokerUnreachable

PAUSES: Final = (0.15, 0.3, 0.6)
"""Seconds before each look; after the last the engine's own readings have to do."""


class Settling:
    """Give it ids by ``accepted`` and every order that is heard of by ``seen``; ``tell`` gets what a look shows."""

    def __init__(
        self, read: Callable[[], Awaitable[list[BrokerOrder]]], tell: Callable[[BrokerOrder], None], clock: Clock
    ) -> None:
        self._read, self._tell, self._clock = read, tell, clock
        self._looks: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def accepted(self, broker_id: str) -> None:
        """Look for an order soon, with all others that wait."""
        self._looks[broker_id] = 0
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look())

    def seen(self, order: BrokerOrder) -> None:
        """An order was pushed: once it is past the broker's own checks there is nothing to look for."""
        if order.status is not OrderStatus.SENT:
            self._looks.pop(order.broker_id, None)

    async def close(self) -> None:
        self._looks.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _look(self) -> None:
        try:
            while self._looks:
                await self._clock.sleep(PAUSES[min(self._looks.values())])
                waiting = list(self._looks)
                if waiting:
                    await self._once(waiting)
        finally:
            self._task = None

    async def _once(self, waiting: list[str]) -> None:
        try:
            found = {order.broker_id: order for order in await self._read()}
        except BrokerUnreachable:
            found = {}
        for broker_id in waiting:
            if broker_id not in self._looks:
                continue
            order = found.get(broker_id)
            if order is not None and order.status is not OrderStatus.SENT:
                del self._looks[broker_id]
                self._tell(order)
            elif self._looks[broker_id] + 1 < len(PAUSES):
                self._looks[broker_id] += 1
            else:
                del self._looks[broker_id]
