"""Frames of the order socket: the row of an order in each, and the trades of it fetched before its row is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from optconsole.brokers.angelone.rows import Row
from optconsole.engine.ports import BrokerOrder, BrokerTrade, BrokerUnreachable, LoginLost, UpdateSink

PONG: Final = "pong"
TRIES: Final = 5
"""Readings of the trade book for a fill it does not show yet; then the row goes out alone, as the hint it is."""


class BadUpdate(ValueError):
    """A frame in no documented form."""


class _Frame(msgspec.Struct):
    orderData: Any = None


def order_data(frame: str | bytes) -> Row | None:
    """The order's row of a frame; None for a pong and for the greeting, which is about no order. Raises BadUpdate.

    ``order-status`` is left unread: frames were seen that greet with a rejected order in them.
    """
    if frame in (PONG, b"pong"):
        return None
    try:
        found = msgspec.json.decode(frame, type=_Frame)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadUpdate("an order update that is no JSON object") from None
    row = found.orderData
    if row is None:
        return None
    if not isinstance(row, dict):
        raise BadUpdate("an order update without an order's row")
    return row if row.get("orderid") else None


class Hearing:
    """Tells rows to the engine, each fill's trade before the row that counts it.

    ``trades`` reads the trade book; what it cannot give in a few tries the engine's own readings will.
    """

    def __init__(self, sink: UpdateSink, trades: Callable[[], Awaitable[list[BrokerTrade]]]) -> None:
        self._sink = sink
        self._trades = trades
        self._told: dict[str, int] = {}
        self._known: set[str] = set()
        self._waiting: list[BrokerOrder] = []
        self._task: asyncio.Task[None] | None = None

    def take(self, row: BrokerOrder) -> None:
        """A row that was pushed. One that shows more than the trades told so far waits, and so do later ones of its
        order."""
        behind = any(each.broker_id == row.broker_id for each in self._waiting)
        if not behind and row.filled <= self._told.get(row.broker_id, 0):
            self._sink(row)
            return
        self._waiting.append(row)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._catch_up())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _catch_up(self) -> None:
        tried: dict[str, int] = {}
        while self._waiting:
            orders = {row.broker_id for row in self._waiting}
            found: list[BrokerTrade] = []
            tries = 1
            try:
                found = await self._trades()
            except LoginLost:
                tries = TRIES  # nothing is asked again with a token that is dead
            except BrokerUnreachable:
                tries = 1  # the engine reads the same book and tells of its failures
            for trade in found:
                if trade.broker_id in orders:
                    self._tell(trade)
            for order_id in orders:
                tried[order_id] = tried.get(order_id, 0) + tries
            self._release(tried)

    def _tell(self, trade: BrokerTrade) -> None:
        if trade.trade_id in self._known:
            return
        self._known.add(trade.trade_id)
        self._told[trade.broker_id] = self._told.get(trade.broker_id, 0) + trade.qty
        self._sink(trade)

    def _release(self, tried: dict[str, int]) -> None:
        """Tell the rows whose trades are told or were asked for often enough, each order's in their sequence."""
        held: list[BrokerOrder] = []
        holding: set[str] = set()
        for row in self._waiting:
            known = row.filled <= self._told.get(row.broker_id, 0) or tried.get(row.broker_id, 0) >= TRIES
            if row.broker_id in holding or not known:
                holding.add(row.broker_id)
                held.append(row)
            else:
                self._sink(row)
        self._waiting = held
