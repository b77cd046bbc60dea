"""Order updates of the stream on their way to the engine, each fill before the order that tells of it.

Kite pushes orders and never trades. An update that tells of more filled than was known waits until the trades are read;
what comes meanwhile waits behind it, so that nothing overtakes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Final

from optconsole.brokers.zerodha.rows import BadRow, OrderRow, Reader
from optconsole.engine.clock import Clock
from optconsole.engine.ports import BrokerOrder, BrokerTrade, BrokerUnreachable, UpdateSink

TradesOf = Callable[[str], Awaitable[list[BrokerTrade]]]
"""Trades of an order id; of the whole day for an empty one. Raises BrokerUnreachable."""
TRIES: Final = 3
"""Reads of the trades of one fill: the trade book may be behind the order book for a moment."""
BETWEEN: Final = 0.2
Report = Callable[[str, str, str], None]


class Updates:
    """Give it orders by ``tell``. Every update is a hint: what is lost here, the next reading of the book brings."""

    def __init__(self, reader: Reader, trades_of: TradesOf, clock: Clock, report: Report) -> None:
        self._reader, self._trades_of, self._clock, self._report = reader, trades_of, clock, report
        self._sink: UpdateSink | None = None
        self._waiting: list[BrokerOrder] = []
        self._task: asyncio.Task[None] | None = None
        self._day: date | None = None
        self._traded: dict[str, int] = {}
        self._given_up: dict[str, int] = {}
        """Fills whose trades did not come in time, told without them."""
        self._told: set[str] = set()
        self._latest: dict[str, tuple[datetime, int, bool]] = {}
        """(updated at, units filled, whether ended) of each order as it was last told."""

    def open(self, sink: UpdateSink) -> None:
        self._sink = sink

    async def close(self) -> None:
        self._sink = None
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._waiting.clear()

    def read(self, row: OrderRow) -> BrokerOrder | None:
        """An order as the stream shows it; None, and evidence, for one that cannot be."""
        try:
            return self._reader.order(row)
        except BadRow as wrong:
            self._report("BAD_ROW", f"An order update cannot be read: {wrong}.", "")
            return None

    def tell(self, order: BrokerOrder) -> None:
        """Pass an order on, after its trades."""
        if self._sink is None:
            return
        self._turn()
        if self._older(order):
            return
        if self._task is None and not self._grew(order):
            self._sink(order)
            return
        self._waiting.append(order)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    def traded(self, trades: Sequence[BrokerTrade]) -> None:
        """Pass on what has not been told of these trades."""
        self._turn()
        for trade in trades:
            if self._sink is not None and trade.trade_id not in self._told:
                self._told.add(trade.trade_id)
                self._traded[trade.broker_id] = self._traded.get(trade.broker_id, 0) + trade.qty
                self._sink(trade)

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._fetch([order for order in batch if self._grew(order)])
                for order in batch:
                    if self._grew(order):
                        self._given_up[order.broker_id] = order.filled
                    if self._sink is not None:
                        self._sink(order)
        finally:
            self._task = None

    async def _fetch(self, grown: list[BrokerOrder]) -> None:
        """Read and tell the trades of orders, all at once where there are several."""
        for attempt in range(TRIES):
            missing = {order.broker_id for order in grown if self._grew(order)}
            if not missing:
                return
            if attempt:
                await self._clock.sleep(BETWEEN)
            try:
                self.traded(await self._trades_of(missing.pop() if len(missing) == 1 else ""))
            except BrokerUnreachable:
                return  # the engine's own reading finds them

    def _older(self, order: BrokerOrder) -> bool:
        """Whether this was overtaken by what is told already (W05); if not, note it as the newest."""
        now = (order.updated_at, order.filled, order.status.final)
        before = self._latest.get(order.broker_id)
        if before is not None:
            if now[1] < before[1] or (before[2] and not now[2]):
                return True
            if now[0] < before[0] and now[1] == before[1] and now[2] == before[2]:
                return True
        self._latest[order.broker_id] = now
        return False

    def _grew(self, order: BrokerOrder) -> bool:
        known = max(self._traded.get(order.broker_id, 0), self._given_up.get(order.broker_id, 0))
        return order.filled > known

    def _turn(self) -> None:
        """Ids are of one day; a machine that runs for months must not keep them."""
        today = self._clock.now().date()
        if today != self._day:
            self._day = today
            self._traded.clear()
            self._given_up.clear()
            self._told.clear()
            self._latest.clear()
