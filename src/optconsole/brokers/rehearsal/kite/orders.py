"""Kite's order calls: checked, sent to the exchange behind, and followed through the states a client sees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from optconsole.brokers.rehearsal.kite.book import (
    COMPLETE,
    FINAL,
    MODIFYING,
    OPEN,
    REJECTED,
    TRANSIT,
    WORDS,
    KiteOrder,
    Row,
    order_id_of,
)
from optconsole.brokers.rehearsal.kite.contracts import KiteContracts
from optconsole.brokers.rehearsal.kite.replies import (
    INPUT,
    MARGIN,
    NETWORK,
    NO_SUCH_ORDER,
    ORDER,
    TOO_OFTEN_CHANGED,
    KiteError,
)
from optconsole.brokers.rehearsal.kite.terms import Terms, money, protected, protection, read_terms, whole
from optconsole.brokers.rehearsal.market import Market
from optconsole.engine.model.orders import OrderStatus, OrderType
from optconsole.engine.ports import (
    Accepted,
    BrokerOrder,
    BrokerTrade,
    BrokerUpdate,
    ModifyRequest,
    PlaceOutcome,
    PlaceRequest,
    Rejected,
)

MOST_CHANGES: Final = 25
MOST_SLICES: Final = 10
_INPUT_CODES: Final = frozenset(
    {"NOT_LISTED", "NOT_TRADABLE", "BAD_QUANTITY", "LOT_MULTIPLE", "FREEZE_QUANTITY", "TICK_SIZE", "TRIGGER_LIMIT"}
)
Tell = Callable[[KiteOrder, str], None]
"""(order, status as messages carry it)."""


class KiteOrders:
    """The day's orders by id. ``tell`` hears of every change that Kite sends messages for."""

    def __init__(
        self, market: Market, contracts: Callable[[], KiteContracts], user: str, pause: float, tell: Tell
    ) -> None:
        self._market, self._contracts, self._user, self._pause, self._tell = market, contracts, user, pause, tell
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

    # ------------------------------------------------------------ calls

    async def place(self, variety: str, form: Mapping[str, str]) -> Row:
        """Raises KiteError."""
        terms, percent = read_terms(variety, form, self._contracts())
        terms = protected(terms, percent, self._last(terms))
        lot, freeze = terms.contract.instrument.lot, terms.contract.instrument.freeze
        if terms.autoslice and terms.qty > freeze:
            return await self._slices(terms, freeze // lot * lot)
        return {"order_id": (await self.enter(terms)).order_id}

    async def modify(self, order_id: str, form: Mapping[str, str]) -> Row:
        """Raises KiteError. ``quantity`` is the new total."""
        order = self._live(order_id, "modified")
        if order.changes >= MOST_CHANGES:
            raise KiteError(ORDER, TOO_OFTEN_CHANGED)
        terms = self._changed(order, form)
        trigger = terms.trigger if terms.type is OrderType.SL else None
        assert order.truth is not None
        request = ModifyRequest(
            broker_id=order.truth.broker_id, qty=terms.qty, price=terms.price, trigger=trigger or None
        )
        self._must_be_taken(await self._market.desk.modify(request))
        order.changes += 1
        order.terms = terms
        order.truth = replace_truth(order.truth, terms)
        for status in MODIFYING:
            order.note(status, self._market.now())
        self._follow(order, changed=True)
        return {"order_id": order_id}

    async def cancel(self, order_id: str) -> Row:
        """Raises KiteError."""
        order = self._live(order_id, "cancelled")
        assert order.truth is not None
        self._must_be_taken(await self._market.desk.cancel(order.truth.broker_id))
        if order.status not in FINAL:
            order.note("CANCEL PENDING", self._market.now())
        return {"order_id": order_id}

    async def enter(self, terms: Terms) -> KiteOrder:
        """Send one order. What the order system refuses outright raises KiteError; what the exchange's risk checks
        refuse gets an id and is REJECTED in the book."""
        outcome = await self._send(terms)
        if isinstance(outcome, Accepted):
            order = self._taken(terms, outcome.broker_id)
        elif isinstance(outcome, Rejected) and outcome.code not in ("MARGIN", *_INPUT_CODES):
            self._refused += 1
            order = self._new(terms, order_id_of(f"R{self._market.now():%y%m%d}{self._refused:08d}"))
            order.message = outcome.reason
        else:
            raise _refusal(outcome)
        self._adopt()
        walk = asyncio.create_task(self._walk(order), name="order on its way")
        self._walks.add(walk)
        walk.add_done_callback(self._walks.discard)
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

    # ------------------------------------------------------------ inside

    async def _send(self, terms: Terms) -> PlaceOutcome:
        """The exchange knows a tag once; Kite takes it as often as it comes."""
        tag = terms.tag if terms.tag is not None and terms.tag not in self._used_tags else ""
        self._used_tags.add(tag)
        request = PlaceRequest(
            tag=tag,
            account=self._market.account.id,
            instrument=terms.contract.instrument,
            side=terms.side,
            qty=terms.qty,
            type=terms.type,
            price=terms.price,
            trigger=terms.trigger or None,
            product=terms.product,
            validity=terms.validity,
        )
        self._placing += 1
        try:
            return await self._market.desk.place(request)
        finally:
            self._placing -= 1

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
        order = KiteOrder(order_id, terms, self._user, now)
        self._orders[order_id] = order
        order.note(order.status, now)
        return order

    async def _slices(self, terms: Terms, size: int) -> Row:
        """Whole slices and a rest, each an order of its own; a slice may be refused while others are taken."""
        count = -(-terms.qty // size)
        if count > MOST_SLICES:
            raise KiteError(INPUT, f"The order needs {count} slices; at most {MOST_SLICES} are sent.")
        parent: str | None = None
        children: list[Row] = []
        for number in range(count):
            qty = min(size, terms.qty - number * size)
            marks = ("autoslice", *(() if parent is None else (f"autoslice:{parent}",)))
            try:
                order = await self.enter(replace(terms, qty=qty, marks=(*terms.marks, *marks)))
            except KiteError as refused:
                error = {"code": refused.status, "error_type": refused.kind, "message": refused.message, "data": None}
                children.append({"error": error})
                continue
            parent = parent or order.order_id
            children.append({"order_id": order.order_id})
        if parent is None:
            first = children[0]["error"]
            assert isinstance(first, dict)
            raise KiteError(first["error_type"], first["message"])
        return {"order_id": parent, "children": children}

    def _changed(self, order: KiteOrder, form: Mapping[str, str]) -> Terms:
        terms = order.terms
        try:
            kind = OrderType(form.get("order_type") or terms.type.value)
        except ValueError:
            raise KiteError(INPUT, "Invalid `order_type`.") from None
        new = replace(
            terms,
            type=kind,
            qty=whole(form, "quantity", terms.qty),
            price=money(form, "price", terms.price),
            trigger=money(form, "trigger_price", terms.trigger) if kind.has_trigger else 0,
            marks=tuple(mark for mark in terms.marks if not mark.startswith("mktp")),
        )
        if kind.has_trigger and not new.trigger:
            raise KiteError(INPUT, "Missing or empty field `trigger_price`.")
        return protected(new, protection(form), self._last(new))

    def _last(self, terms: Terms) -> int | None:
        quote = self._market.quote(terms.contract.instrument.name)
        return None if quote is None else quote.ltp or quote.mark

    def _found(self, order_id: str) -> KiteOrder:
        order = self._orders.get(order_id)
        if order is None:
            raise KiteError(ORDER, NO_SUCH_ORDER)
        return order

    def _live(self, order_id: str, verb: str) -> KiteOrder:
        order = self._found(order_id)
        if order.status in FINAL or order.truth is None:
            raise KiteError(ORDER, f"Order cannot be {verb} as it is {order.status}.")
        return order

    def _must_be_taken(self, outcome: PlaceOutcome) -> None:
        if not isinstance(outcome, Accepted):
            raise _refusal(outcome, ORDER)


def _refusal(outcome: PlaceOutcome, otherwise: str = INPUT) -> KiteError:
    if isinstance(outcome, Rejected):
        return KiteError(MARGIN if outcome.code == "MARGIN" else otherwise, outcome.reason)
    return KiteError(NETWORK, "Gateway timed out.", 504)


def replace_truth(truth: BrokerOrder, terms: Terms) -> BrokerOrder:
    """The exchange's row on new terms, until it tells of them itself."""
    waits = terms.type is OrderType.SL and truth.status is OrderStatus.TRIGGER_PENDING
    status = truth.status if waits or truth.status is not OrderStatus.TRIGGER_PENDING else OrderStatus.OPEN
    trigger = terms.trigger or truth.trigger
    return msgspec.structs.replace(
        truth, qty=terms.qty, price=terms.price, trigger=trigger, type=terms.type, status=status
    )


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
