"""Kite's record of the day's orders, which follows what the exchange says of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from optconsole.brokers.rehearsal.kite.book import (
    COMPLETE,
    FINAL,
    OPEN,
    REJECTED,
    TRANSIT,
    WORDS,
    KiteOrder,
    Row,
    order_id_of,
)
from optconsole.brokers.rehearsal.kite.contracts import KiteContracts
from optconsole.brokers.rehearsal.kite.habits import KiteHabits
from optconsole.brokers.rehearsal.kite.replies import NO_SUCH_ORDER, ORDER, KiteError
from optconsole.brokers.rehearsal.kite.terms import Terms
from optconsole.brokers.rehearsal.market import Market
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.ports import BrokerOrder, BrokerTrade, BrokerUpdate

Tell = Callable[[KiteOrder, str], None]
"""(order, status as messages carry it)."""


class KiteRecords:
    """The day's orders by id. ``tell`` hears of every change that Kite sends messages for."""

    def __init__(
        self,
        market: Market,
        contracts: Callable[[], KiteContracts],
        user: str,
        pause: float,
        tell: Tell,
        habits: Callable[[], KiteHabits] = KiteHabits,
    ) -> None:
        self._market, self._contracts, self._user, self._pause, self._tell = market, contracts, user, pause, tell
        self._habits = habits
        self._orders: dict[str, KiteOrder] = {}
        self._of: dict[str, KiteOrder] = {}
        self._placing = 0
        self._early: dict[str, list[BrokerUpdate]] = {}
        self._walks: set[asyncio.Task[None]] = set()
        self._refused = 0
        self._used_tags: set[str] = set()

    async def start(self) -> None:
        """Take over what the exchange knows of the day already, and listen."""
        for trade in await self._market.desk.trades():
            self._early.setdefault(trade.broker_id, []).append(trade)
        for row in await self._market.desk.orders():
            self._used_tags.add(row.tag)
            self._early.setdefault(row.broker_id, []).append(row)
        self._adopt()
        self._market.updates(self.hear)

    def new_day(self) -> None:
        """Yesterday's orders are in no book."""
        self._orders.clear()
        self._of.clear()

    async def close(self) -> None:
        for walk in list(self._walks):
            walk.cancel()
        await asyncio.gather(*self._walks, return_exceptions=True)

    # ------------------------------------------------------------ reads

    def book(self) -> list[Row]:
        return [order.row() for order in self._orders.values()]

    def history(self, order_id: str) -> list[Row]:
        return list(self._found(order_id).history)

    def trades(self) -> list[Row]:
        return [row for order in self._orders.values() for row in order.trade_rows()]

    def trades_of(self, order_id: str) -> list[Row]:
        return self._found(order_id).trade_rows()

    def fills(self) -> list[BrokerTrade]:
        """All that traded, as the exchange says it."""
        return [fill for order in self._orders.values() for fill in order.fills]

    def _found(self, order_id: str) -> KiteOrder:
        order = self._orders.get(order_id)
        if order is None:
            raise KiteError(ORDER, NO_SUCH_ORDER)
        return order

    # ------------------------------------------------------------ what the exchange says

    def hear(self, update: BrokerUpdate) -> None:
        if not isinstance(update, BrokerOrder | BrokerTrade):
            return
        order = self._of.get(update.broker_id)
        if order is None:
            self._early.setdefault(update.broker_id, []).append(update)
            self._adopt()
        else:
            self._take(order, update)

    def _take(self, order: KiteOrder, update: BrokerOrder | BrokerTrade) -> None:
        if isinstance(update, BrokerTrade):
            order.fills.append(update)
            return
        order.truth = update
        if order.settled:
            self._follow(order)

    def _adopt(self) -> None:
        """Orders that nobody placed here: the broker's own, or an earlier life's. Not while one is being placed."""
        if self._placing:
            return
        early, self._early = self._early, {}
        for broker_id, updates in early.items():
            rows = [update for update in updates if isinstance(update, BrokerOrder)]
            contract = self._contracts().of(rows[-1].contract) if rows else None
            if contract is None:
                continue
            row = rows[-1]
            terms = Terms(
                contract=contract,
                variety="regular",
                side=row.side,
                qty=row.qty,
                type=row.type,
                price=row.price,
                trigger=row.trigger or 0,
                product=row.product,
                validity=row.validity,
                tag=row.tag or None,
            )
            order = self._new(terms, order_id_of(broker_id))
            self._of[broker_id] = order
            order.settled = True
            for update in updates:
                if isinstance(update, BrokerOrder | BrokerTrade):
                    self._take(order, update)

    def _follow(self, order: KiteOrder, changed: bool = False) -> None:
        """Show the exchange's state, and tell where Kite would."""
        now, truth = self._market.now(), order.truth
        status = REJECTED if truth is None else WORDS[truth.status]
        before = order.history[-1] if order.history else {}
        if status == COMPLETE and order.status in TRANSIT:
            order.note(OPEN, now)
        if truth is not None and truth.reason and truth.status.final and status != COMPLETE:
            order.message = truth.reason
        if status == order.status and not changed and order.filled == before.get("filled_quantity"):
            return
        moved = order.filled != before.get("filled_quantity", 0)
        order.note(status, now)
        if status in FINAL:
            self._tell(order, status)
        elif moved or changed:
            self._tell(order, "UPDATE")

    async def _walk(self, order: KiteOrder) -> None:
        """The states before the exchange's, one after another."""
        for status in TRANSIT:
            await self._market.clock.sleep(self._pause)
            order.note(status, self._market.now())
        await self._market.clock.sleep(self._pause)
        order.settled = True
        self._follow(order)

    def _taken(self, terms: Terms, broker_id: str) -> KiteOrder:
        order = self._new(terms, order_id_of(broker_id))
        self._of[broker_id] = order
        for update in self._early.pop(broker_id, []):
            if isinstance(update, BrokerOrder | BrokerTrade):
                self._take(order, update)
        if order.truth is None:
            order.truth = first_truth(terms, broker_id, self._market)
        return order

    def _new(self, terms: Terms, order_id: str) -> KiteOrder:
        now = self._market.now()
        order = KiteOrder(order_id, terms, self._user, now, habits=self._habits())
        self._orders[order_id] = order
        order.note(order.status, now)
        return order


def first_truth(terms: Terms, broker_id: str, market: Market) -> BrokerOrder:
    """An order that was taken and of which the exchange has told nothing yet."""
    return BrokerOrder(
        broker_id=broker_id,
        tag=terms.tag or "",
        account=market.account.id,
        contract=terms.contract.instrument.name,
        side=terms.side,
        qty=terms.qty,
        filled=0,
        type=terms.type,
        price=terms.price,
        trigger=terms.trigger or None,
        product=terms.product,
        validity=terms.validity,
        status=OrderStatus.TRIGGER_PENDING if terms.type.has_trigger else OrderStatus.OPEN,
        triggered=False,
        code="",
        reason="",
        updated_at=market.now(),
    )
