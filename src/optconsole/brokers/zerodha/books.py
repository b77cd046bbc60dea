"""The day's books of an account: orders, trades and positions, and what later requests must know of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from optconsole.brokers.transport.gateway import Evidence, Listed
from optconsole.brokers.zerodha.envelope import SAID
from optconsole.brokers.zerodha.instruments import KiteMaster
from optconsole.brokers.zerodha.orders import well_formed
from optconsole.brokers.zerodha.rows import BadRow, OrderRow, Positions, Reader, TradeRow
from optconsole.brokers.zerodha.session import KiteSession
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.text import display
from optconsole.engine.ports import BrokerOrder, BrokerPosition, BrokerTrade, BrokerUnreachable

REGULAR: Final = "regular"


class KiteBooks:
    """Every read raises BrokerUnreachable or LoginLost rather than leave something out."""

    def __init__(self, account: str, session: KiteSession, evidence: Evidence) -> None:
        self._session, self._evidence = session, evidence
        self._master: KiteMaster | None = None
        self._varieties: dict[str, tuple[str, str | None]] = {}
        self.reader = Reader(account, self._contract_of, evidence)
        self.tags: set[str] = set()
        """Tags that the book has shown or that were sent."""

    def adopt(self, master: KiteMaster) -> None:
        """Go by another day's instrument file; ids and tags of the day before mean nothing any more."""
        if self._master is None or master.day != self._master.day:
            self.tags.clear()
            self._varieties.clear()
            self.reader.tags.clear()
        self._master = master

    # ------------------------------------------------------------ reads

    async def orders(self) -> list[BrokerOrder]:
        return self._orders(await self._session.read("orders", "/orders", list[OrderRow]))

    async def history(self, broker_id: str) -> list[BrokerOrder]:
        """What an order went through, oldest first. Raises Refusal(NO_ORDER) for what can be no order's id."""
        if not well_formed(broker_id):
            raise Refusal("NO_ORDER", f"{display(broker_id, SAID)!r} is no order id of Zerodha's.")
        return self._orders(await self._session.read("history", f"/orders/{broker_id}", list[OrderRow]))

    async def trades(self, broker_id: str = "", deadline: float | None = None) -> list[BrokerTrade]:
        """Of one order; of the whole day where none is named."""
        path = f"/orders/{broker_id}/trades" if broker_id else "/trades"
        read = await self._session.read("trades", path, list[TradeRow], deadline=deadline)
        tags = self.reader.tags
        if any(row.order_id not in tags for row in read):
            await self.orders()  # trades carry no tag: whose they are, the order book says
            for row in read:
                tags.setdefault(row.order_id, "")
        try:
            return [self.reader.trade(row) for row in read]
        except BadRow as wrong:
            raise self._unreadable("trade book", wrong) from None

    async def positions(self) -> list[BrokerPosition]:
        read = await self._session.read("positions", "/portfolio/positions", Positions)
        return self.reader.positions(read.net)

    # ------------------------------------------------------------ what requests must know

    def listed(self, instrument: Instrument) -> Listed | None:
        """What Kite calls a contract; None for one that is not in the day's file."""
        return None if self._master is None else self._master.of(instrument.name)

    def place_of(self, broker_id: str) -> tuple[str, str | None]:
        """(path of a request about an order, the order it belongs to)."""
        variety, parent = self._varieties.get(broker_id, (REGULAR, None))
        return f"/orders/{variety}/{broker_id}", parent

    # ------------------------------------------------------------ inside

    def _orders(self, read: Sequence[OrderRow]) -> list[BrokerOrder]:
        try:
            found = [self.reader.order(row) for row in read]
        except BadRow as wrong:
            raise self._unreadable("order book", wrong) from None
        for row in read:
            if well_formed(row.variety):  # it becomes part of a path
                self._varieties[row.order_id] = (row.variety, row.parent_order_id)
        self.tags.update(order.tag for order in found if order.tag)
        return found

    def _unreadable(self, book: str, wrong: BadRow) -> BrokerUnreachable:
        self._evidence("BAD_ROW", f"The {book} cannot be read: {wrong}.", "")
        return BrokerUnreachable(f"Zerodha's {book} cannot be read: {wrong}.")

    def _contract_of(self, segment: str, symbol: str) -> str:
        return display(f"{segment}:{symbol}", 60) if self._master is None else self._master.contract_of(segment, symbol)
