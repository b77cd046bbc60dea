"""Order book, trade book and positions of one account, and what is remembered of its orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

from optconsole.brokers.angelone.instruments import AngelMaster
from optconsole.brokers.angelone.rows import (
    BadRow,
    Kept,
    OrderRow,
    Row,
    order_row,
    ours,
    position_row,
    trade_row,
)
from optconsole.brokers.angelone.tally import Tally
from optconsole.brokers.angelone.wire import ORDERS, Wire
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.clock import Clock
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.ports import BrokerOrder, BrokerPosition, BrokerTrade, BrokerUnreachable

T = TypeVar("T")
Latest = tuple[datetime, int, bool]
"""(updated at, units filled, whether ended) of an order as it was last seen."""
NO_ORDERS, NO_TRADES, NO_POSITIONS = "AB1013", "AB1014", "AB1016"
"""By which code each book may say that it is empty; null says the same."""


class Books:
    """Reads the books. Raises BrokerUnreachable for one that cannot be read whole, LoginLost."""

    def __init__(self, account: str, wire: Wire, clock: Clock, tally: Tally) -> None:
        self._account = account
        self._wire = wire
        self._clock = clock
        self._tally = tally
        self._master: AngelMaster | None = None
        self._kept: dict[str, Kept] = {}
        self._latest: dict[str, Latest] = {}
        self._held: dict[str, tuple[str, str]] = {}
        self.tags: set[str] = set()
        """Tags that an order at the broker has, or may have."""

    def adopt(self, master: AngelMaster) -> None:
        """Take the day's contracts. What is kept of orders is of a day, as they are."""
        if self._master is not None and self._master.day != master.day:
            self._kept.clear()
            self._latest.clear()
            self.tags.clear()
        self._master = master

    def listed(self, contract: str) -> Listed | None:
        return None if self._master is None else self._master.of(contract)

    def place(self, contract: str) -> tuple[str, str] | None:
        """Segment and token of a contract: of the day's file, else as the positions showed them."""
        listed = self.listed(contract)
        return self._held.get(contract) if listed is None else (listed.segment, listed.token)

    def keep(self, order_id: str, kept: Kept) -> None:
        self._kept[order_id] = kept

    def forget(self, order_id: str) -> None:
        """Have the book say anew what an order is."""
        self._kept.pop(order_id, None)

    async def kept(self, order_id: str) -> Kept | None:
        """What is known of an order, from the book where nothing is; None for one that the book does not show."""
        if order_id not in self._kept:
            await self.orders()
        return self._kept.get(order_id)

    async def orders(self) -> list[BrokerOrder]:
        rows = await self._rows(f"{ORDERS}/getOrderBook", "orders", NO_ORDERS)
        return [self._remember(self._order(row)) for row in self._each(rows, "order book")]

    async def trades(self) -> list[BrokerTrade]:
        """The trade book says neither tag nor token: the order book is read first where it shows an order new to us."""
        rows = self._each(await self._rows(f"{ORDERS}/getTradeBook", "trades", NO_TRADES), "trade book")
        if any(str(row.get("orderid") or "").strip() not in self._kept for row in rows):
            await self.orders()
        day = self._today()

        def read(row: Row) -> BrokerTrade:
            kept = self._kept.get(str(row.get("orderid") or "").strip())
            return trade_row(row, self._account, self._find, kept, day)

        return [self._read(read, row, "trade book") for row in rows]

    async def positions(self) -> list[BrokerPosition]:
        """Open ones; what was closed today is a row of 0 at the broker."""
        rows = self._each(await self._rows(f"{ORDERS}/getPosition", "positions", NO_POSITIONS), "positions")
        found = [self._read(lambda row: position_row(row, self._account, self._find), row, "positions") for row in rows]
        for row, position in zip(rows, found, strict=True):
            self._held[position.contract] = (str(row["exchange"]), str(row.get("symboltoken") or ""))
        return [position for position in found if position.qty]

    def pushed(self, row: Row) -> BrokerOrder | None:
        """A row of an update, remembered; None for one that was overtaken by what is known (W05).

        Raises BrokerUnreachable for one that cannot be read.
        """
        found = self._order(row)
        return None if _overtaken(found.order, self._latest.get(found.order.broker_id)) else self._remember(found)

    def _remember(self, found: OrderRow) -> BrokerOrder:
        order = found.order
        self._kept[order.broker_id] = found.kept
        self._latest[order.broker_id] = (order.updated_at, order.filled, order.status.final)
        if order.tag:
            self.tags.add(order.tag)
        if order.status is OrderStatus.UNKNOWN:
            detail = f"Angel One calls order {order.broker_id} {order.word!r}, which is new to us."
            self._tally.note("UNKNOWN_STATUS", detail, order.word)
        return order

    def _order(self, row: Row) -> OrderRow:
        return self._read(lambda each: order_row(each, self._account, self._find, self._today()), row, "order book")

    # ------------------------------------------------------------ reading

    async def _rows(self, path: str, bucket: str, nothing: str) -> list[Any]:
        data = await self._wire.get(path, bucket, nothing)
        if data is None:
            return []
        if not isinstance(data, list):
            raise BrokerUnreachable(f"Angel One answered {bucket} with something that is no list of rows.")
        return data

    def _each(self, rows: list[Any], book: str) -> list[Row]:
        """The rows of our segments; one that is no object makes the book unreadable."""
        if not all(isinstance(row, dict) for row in rows):
            raise BrokerUnreachable(f"Angel One's {book} holds something that is no row.")
        return [row for row in rows if ours(row)]

    def _read(self, read: Callable[[Row], T], row: Row, book: str) -> T:
        try:
            return read(row)
        except BadRow as bad:
            self._tally.note("BAD_ROW", f"A row of Angel One's {book} is no use: {bad}.", str(dict(row))[:600])
            raise BrokerUnreachable(f"Angel One's {book} cannot be read whole: {bad}.") from None

    def _find(self, segment: str, token: str, symbol: str) -> Listed | None:
        if self._master is None:
            raise BrokerUnreachable("Angel One's instrument file of today is not there yet; its rows have no names.")
        return self._master.find(segment, token, symbol)

    def _today(self) -> date:
        return self._clock.now().date()


def _overtaken(order: BrokerOrder, known: Latest | None) -> bool:
    """Whether more than this is known of an order already: fills do not go back, and nothing follows an end."""
    if known is None:
        return False
    at, filled, ended = known
    if order.filled != filled or order.status.final != ended:
        return order.filled < filled or (ended and not order.status.final)
    return order.updated_at < at
