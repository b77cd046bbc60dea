"""Kite's order calls: checked, sent to the exchange behind, and refused as Kite refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import msgspec

from optconsole.brokers.rehearsal.kite.book import FINAL, MODIFYING, KiteOrder, Row, order_id_of
from optconsole.brokers.rehearsal.kite.records import KiteRecords
from optconsole.brokers.rehearsal.kite.replies import INPUT, MARGIN, NETWORK, ORDER, TOO_OFTEN_CHANGED, KiteError
from optconsole.brokers.rehearsal.kite.terms import Terms, money, protected, protection, read_terms, whole
from optconsole.engine.model.orders import OrderStatus, OrderType
from optconsole.engine.ports import Accepted, BrokerOrder, ModifyRequest, PlaceOutcome, PlaceRequest, Rejected

MOST_CHANGES: Final = 25
MOST_SLICES: Final = 10
_INPUT_CODES: Final = frozenset(
    {"NOT_LISTED", "NOT_TRADABLE", "BAD_QUANTITY", "LOT_MULTIPLE", "FREEZE_QUANTITY", "TICK_SIZE", "TRIGGER_LIMIT"}
)


class KiteOrders(KiteRecords):
    """Places, changes and cancels, beside what its records show."""

    async def place(self, variety: str, form: Mapping[str, str]) -> Row | list[Row]:
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

    async def _slices(self, terms: Terms, size: int) -> Row | list[Row]:
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
        return children if self._habits().bare_slices else {"order_id": parent, "children": children}

    def _changed(self, order: KiteOrder, form: Mapping[str, str]) -> Terms:
        terms = order.terms
        try:
            kind = OrderType(form.get("order_type") or terms.type.value)
        except ValueError:
            raise KiteError(INPUT, "Invalid `order_type`.") from None
        new = replace(
            terms,
            type=kind,
            qty=self._total(order, form),
            price=money(form, "price", terms.price),
            trigger=money(form, "trigger_price", terms.trigger) if kind.has_trigger else 0,
            marks=tuple(mark for mark in terms.marks if not mark.startswith("mktp")),
        )
        if kind.has_trigger and not new.trigger:
            raise KiteError(INPUT, "Missing or empty field `trigger_price`.")
        return protected(new, protection(form), self._last(new))

    def _total(self, order: KiteOrder, form: Mapping[str, str]) -> int:
        """The whole quantity that a change asks for."""
        if not form.get("quantity"):
            return order.terms.qty
        filled = order.truth.filled if order.truth is not None and self._habits().modify_remaining else 0
        return filled + whole(form, "quantity")

    def _last(self, terms: Terms) -> int | None:
        quote = self._market.quote(terms.contract.instrument.name)
        return None if quote is None else quote.ltp or quote.mark

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
