"""What the contract suite needs of any broker on a test bench."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from optconsole.engine.model.instruments import Instrument
from optconsole.engine.ports import Broker, BrokerUpdate

PATIENCE = 10.0


class Inbox:
    """What a broker told us, and a way to wait for something to be told."""

    def __init__(self) -> None:
        self.rows: list[BrokerUpdate] = []
        self._news = asyncio.Event()

    def take(self, update: BrokerUpdate) -> None:
        self.rows.append(update)
        self._news.set()

    async def until(self, true: Callable[[list[BrokerUpdate]], bool]) -> None:
        """Return once ``true`` of the rows; fail when it never becomes so."""
        async with asyncio.timeout(PATIENCE):
            while not true(self.rows):
                self._news.clear()
                await self._news.wait()


class Rig(Protocol):
    """A connected broker whose market the test makes. Prices in paise, sizes in units."""

    broker: Broker
    inbox: Inbox
    instrument: Instrument
    """An option that trades around 100 rupees."""

    async def show(self, bid: tuple[int, int] | None, ask: tuple[int, int] | None, ltp: int) -> None:
        """Make the market of ``instrument`` look like this, from now on."""
        ...

    async def reconnect(self) -> None:
        """Lose the client's connection and memory, keep what the broker knows, connect anew with an empty inbox."""
        ...
