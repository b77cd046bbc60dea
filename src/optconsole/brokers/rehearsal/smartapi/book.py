"""Angel One's order and trade books over the market's own: other numbers, other words, the client's terms kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.smartapi import words
from optconsole.brokers.rehearsal.smartapi.catalogue import Catalogue
from optconsole.brokers.rehearsal.smartapi.orders import Terms, WireOrder, WireTrade
from optconsole.engine.clock import fresh_id
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.ports import BrokerOrder, BrokerTrade, BrokerUpdate, Settlement

Heard = Callable[[WireOrder], None]
_AT_WORK: Final = frozenset({OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.FILLED, OrderStatus.TRIGGER_PENDING})


class WireBook:
    """Orders of the day by their number. ``heard`` is told of each change as the order stream tells it."""

    def __init__(self, market: Market, catalogue: Catalogue, heard: Heard) -> None:
        self._market, self._catalogue, self._heard = market, catalogue, heard
        self.orders: dict[str, WireOrder] = {}
        self.trades: dict[str, WireTrade] = {}
        self._paper: dict[str, str] = {}
        """orderid -> the market's number."""
        self._mine: dict[str, str] = {}
        """The market's number -> orderid."""
        self._tags: dict[str, str] = {}
        """The tag an order has at the market -> orderid."""
        self._told: dict[str, WireOrder] = {}
        """orderid -> what was last said of it."""
        self._numbered = 0

    def turn(self) -> None:
        """Another day: yesterday's orders are gone from the books."""
        live = {number: order for number, order in self.orders.items() if not words.ended(order.status)}
        self.orders, self.trades = live, {}

    async def recall(self) -> None:
        """Take in what the market did before this book was opened, or on its own."""
        desk = self._market.desk
        for row in await desk.orders():
            if row.broker_id not in self._mine:
                self.on_update(row)
        for trade in await desk.trades():
            self.on_update(trade)

    # ------------------------------------------------------------ the desk's side

    def enter(self, terms: Terms, status: str, limit: int = 0) -> WireOrder:
        """A new order under the next number; nobody is told before something becomes of it."""
        self._numbered += 1
        now = self._market.now()
        half, other = fresh_id(), fresh_id()
        order = WireOrder(
            orderid=f"{now:%y%m%d}{self._numbered:09d}",
            uniqueorderid=f"{half[:8]}-{half[8:12]}-4{half[13:]}-8{other[1:4]}-{other[4:]}",
            exchange_id="",
            terms=terms,
            status=status,
            limit=limit,
            entered_at=now,
            updated_at=now,
        )
        self.orders[order.orderid] = order
        return order

    def tag_for(self, orderid: str, wanted: str) -> str:
        """The tag under which an order goes to the market: the client's own, unless another order has it."""
        tag = wanted if wanted and wanted not in self._tags else f"SA{self._numbered:013d}"
        self._tags[tag] = orderid
        return tag

    def number_of(self, orderid: str) -> str | None:
        """The market's number of an order; None while it has none."""
        return self._paper.get(orderid)

    def known(self, orderid: str) -> WireOrder | None:
        """By the number clients use."""
        return self.orders.get(orderid)

    def unique(self, uniqueorderid: str) -> WireOrder | None:
        """By its unique id."""
        return next((order for order in self.orders.values() if order.uniqueorderid == uniqueorderid), None)

    def joined(self, orderid: str, broker_id: str) -> None:
        """The market took the order under ``broker_id``."""
        self._paper[orderid], self._mine[broker_id] = broker_id, orderid

    def change(self, orderid: str, *, tell: bool = True, **changes: object) -> WireOrder:
        """Put an order on other terms or into another state, and say so."""
        order = msgspec.structs.replace(self.orders[orderid], updated_at=self._market.now(), **changes)
        self._put(order, tell)
        return order

    def tell(self, order: WireOrder) -> None:
        """Say something of an order that its book does not keep, such as a state in passing."""
        self._told[order.orderid] = order
        self._heard(order)

    # ------------------------------------------------------------ the market's side

    def on_update(self, update: BrokerUpdate) -> None:
        """Fold what the market says."""
        if isinstance(update, Settlement):
            return
        orderid = self._mine.get(update.broker_id) or self._tags.get(update.tag or "-") or self._adopt(update)
        if orderid is None:
            return
        self.joined(orderid, update.broker_id)
        if isinstance(update, BrokerTrade):
            self._traded(orderid, update)
        else:
            self._moved(orderid, update)

    def _adopt(self, update: BrokerOrder | BrokerTrade) -> str | None:
        """An order that did not come over this wire: the broker's own, or one of an earlier life."""
        scrip = self._catalogue.of(update.contract)
        if scrip is None or isinstance(update, BrokerTrade):
            return None
        terms = Terms(
            variety="STOPLOSS" if update.trigger is not None else "NORMAL",
            ordertype=words.TYPE_WORDS[update.type],
            producttype=words.PRODUCT_WORDS[update.product],
            duration=update.validity.value,
            side=update.side,
            scrip=scrip,
            qty=update.qty,
            price=update.price,
            trigger=update.trigger or 0,
            tag=update.tag,
        )
        return self.enter(terms, words.PENDING).orderid

    def _traded(self, orderid: str, trade: BrokerTrade) -> None:
        fillid = trade.trade_id.lstrip("T")
        order = self.orders.get(orderid)
        if order is None or fillid in self.trades:
            return
        self.trades[fillid] = WireTrade(
            fillid=fillid,
            orderid=orderid,
            producttype=order.terms.producttype,
            side=trade.side,
            scrip=order.terms.scrip,
            qty=trade.qty,
            price=trade.price,
            at=trade.at,
        )
        self.orders[orderid] = msgspec.structs.replace(
            order, filled_value=order.filled_value + trade.qty * trade.price, fillid=fillid, filled_at=trade.at
        )

    def _moved(self, orderid: str, row: BrokerOrder) -> None:
        order = self.orders.get(orderid)
        if order is None or words.ended(order.status):
            return
        terms = order.terms
        limit = row.price if order.limit else 0
        self._put(
            msgspec.structs.replace(
                order,
                exchange_id=order.exchange_id or self._exchange_number(row),
                terms=msgspec.structs.replace(
                    terms,
                    qty=row.qty,
                    price=terms.price if order.limit else row.price,
                    trigger=row.trigger if row.trigger is not None else terms.trigger,
                ),
                limit=limit,
                status=words.status_text(row.status),
                filled=max(order.filled, row.filled),
                text=row.reason if row.status is OrderStatus.REJECTED else order.text,
                updated_at=row.updated_at,
            ),
            tell=True,
        )

    def _exchange_number(self, row: BrokerOrder) -> str:
        """A number of sixteen digits once the exchange has the order."""
        return f"11{row.broker_id[1:].rjust(14, '0')}" if row.status in _AT_WORK else ""

    def _put(self, order: WireOrder, tell: bool) -> None:
        self.orders[order.orderid] = order
        before = self._told.get(order.orderid)
        if not tell or _same(before, order):
            return
        if before is None and order.status in ("open", "trigger pending", "complete"):
            self._heard(msgspec.structs.replace(order, status=words.PENDING, filled=0, filled_value=0))
        self.tell(order)


def _same(before: WireOrder | None, after: WireOrder) -> bool:
    """Whether nothing but the time has changed."""
    return before is not None and msgspec.structs.replace(before, updated_at=after.updated_at) == after
