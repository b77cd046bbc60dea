"""What a broker says, turned into facts: every row may come twice, late, out of order or about an order not ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.money import rupees
from optconsole.engine.model.orders import (
    Order,
    OrderStatus,
    Role,
    Side,
    trade_key,
)
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.text import display
from optconsole.engine.ports import (
    BrokerOrder,
    BrokerTrade,
    BrokerUpdate,
    Settlement,
)
from optconsole.engine.trading.decision import Decision, ReadBook
from optconsole.engine.trading.found import adopt, late_arrival, new_word
from optconsole.engine.trading.outcomes import rejected
from optconsole.engine.trading.rows import find, is_about, require_possible, terms_of

ChargeFor = Callable[[date, Instrument, Side, int], int]
"""Paise an order costs whose fills on that day are worth so many paise in total."""
ExerciseCharge = Callable[[date, Instrument, int], int]
Lookup = Callable[[str], Instrument | None]
S = OrderStatus
ORPHAN: Final = "ORPHAN_TRADE"
_AT_WORK: Final = (S.OPEN, S.TRIGGER_PENDING, S.PARTIAL)


class Intake:
    """Turns broker rows into facts against a state. Holds only the index from tags and broker ids to orders."""

    def __init__(
        self, lookup: Lookup, charge_for: ChargeFor, exercise_charge: ExerciseCharge, ours: frozenset[str] = frozenset()
    ) -> None:
        """``ours`` are the install codes of all stores this world ever had."""
        self._lookup = lookup
        self._ours = ours
        self._charge_for = charge_for
        self._exercise_charge = exercise_charge
        self._places: dict[str, str] = {}

    def hear(self, state: TradingState, broker: str, update: BrokerUpdate) -> Decision:
        """Facts that follow from one row; none when it says nothing new. Raises ImpossibleRow."""
        require_possible(update)
        decision = Decision(f"broker:{broker}", "")
        match update:
            case BrokerOrder():
                self._order_row(state, decision, update)
            case BrokerTrade():
                self._trade_row(state, decision, update)
            case Settlement():
                self._settlement(state, decision, update)
        return decision

    def _find(self, state: TradingState, row: BrokerOrder | BrokerTrade) -> Order | None:
        """As ``find``, remembering where: a book of a thousand rows is heard every two seconds."""
        by_id = f"{row.account}:{row.broker_id}"
        order = state.orders.get(self._places.get(by_id, ""))
        if order is not None and is_about(order, row.account, row.tag, row.broker_id):
            return order
        order = find(state, row.account, row.tag, row.broker_id)
        if order is not None:
            self._places[by_id] = order.id
        return order

    def _order_row(self, state: TradingState, decision: Decision, row: BrokerOrder) -> None:
        order = self._find(state, row)
        if order is None:
            # a reading that was under way when the day changed shows orders whose day is over
            if state.day is None or row.updated_at.date() >= state.day:
                adopt(state, decision, row, self._lookup(row.contract), self._ours)
            return
        new_word(state, decision, order.id, row)
        if order.broker_id is None and row.status is not S.REJECTED:
            decision.facts.append(ev.OrderAcknowledged(order_id=order.id, broker_id=row.broker_id))
            late_arrival(state, decision, order, row)
        if order.status.final:
            return
        if row.triggered and not order.triggered and order.terms.type.has_trigger and not row.status.final:
            decision.facts.append(ev.OrderTriggered(order_id=order.id))
        terms = terms_of(row, order.terms)
        changed = terms != order.terms and row.status is not S.REJECTED
        if changed:
            decision.facts.append(ev.OrderChanged(order_id=order.id, terms=terms))
        shown = order.role is Role.STOP and row.status in _AT_WORK and row.side is terms.side
        if shown and (changed or not order.confirmed):  # on other terms it is another promise
            decision.facts.append(ev.OrderConfirmed(order_id=order.id))
        if row.filled > order.filled and row.status in (S.CANCELLED, S.EXPIRED):
            # Its last trades are still on their way: ended now, they would be missing when something is closed.
            decision.effects.append(ReadBook(row.account))
            return
        if changed and order.filled >= terms.qty:
            return  # made as small as what is filled, it is filled, whatever the broker calls its end
        _final_fact(decision, order, row)

    def _trade_row(self, state: TradingState, decision: Decision, row: BrokerTrade) -> None:
        if trade_key(row.account, row.at.date(), row.trade_id) in state.trades:
            return
        if state.day is not None and row.at.date() < state.day:
            return
        order = self._find(state, row)
        if order is None:
            if any(notice.code == ORPHAN and notice.subject == row.broker_id for notice in state.notices):
                return  # the book was read for it already, and reading it for ever would tell no more
            decision.facts.append(
                ev.NoticeRaised(
                    level="alarm",
                    code=ORPHAN,
                    text=f"A trade of {row.qty} {row.contract} belongs to no order we know; the book is read again.",
                    subject=row.broker_id,
                )
            )
            decision.effects.append(ReadBook(row.account))
            return
        if order.broker_id is None:
            decision.facts.append(ev.OrderAcknowledged(order_id=order.id, broker_id=row.broker_id))
        decision.facts.append(
            ev.OrderFilled(
                order_id=order.id,
                trade_id=row.trade_id,
                account=row.account,
                contract=row.contract,
                product=row.product,
                side=row.side,
                qty=row.qty,
                price=row.price,
                charges=self._fill_charge(order, row),
                traded_at=row.at,
            )
        )
        if order.status.final and order.status is not S.FILLED:
            decision.facts.append(
                ev.NoticeRaised(
                    level="alarm",
                    code="LATE_FILL",
                    text=f"{order.id} was {order.status.value} and still traded {row.qty} at {rupees(row.price)}.",
                    subject=order.id,
                )
            )

    def _fill_charge(self, order: Order, row: BrokerTrade) -> int:
        """What this fill adds to the order's bill: the bill of all fills so far less that of the earlier ones."""
        instrument = self._lookup(row.contract)
        if instrument is None:
            return 0
        day, before = row.at.date(), order.filled_value
        earlier = self._charge_for(day, instrument, row.side, before) if before else 0
        return self._charge_for(day, instrument, row.side, before + row.qty * row.price) - earlier

    def _settlement(self, state: TradingState, decision: Decision, row: Settlement) -> None:
        held = state.positions.get(str(PositionKey(row.account, row.product, row.contract)))
        if held is None or held.qty == 0:
            return
        if held.qty != row.qty:
            decision.facts.append(
                ev.NoticeRaised(
                    level="alarm",
                    code="SETTLEMENT_DIFFERS",
                    text=f"The broker settled {row.qty} {row.contract}, our book holds {held.qty}.",
                    subject=row.contract,
                )
            )
            return
        instrument = self._lookup(row.contract)
        value = max(row.qty, 0) * row.price
        charges = self._exercise_charge(row.at.date(), instrument, value) if instrument and value else 0
        decision.facts.append(
            ev.PositionSettled(
                account=row.account,
                product=row.product,
                contract=row.contract,
                qty=row.qty,
                price=row.price,
                charges=charges,
            )
        )


def _final_fact(decision: Decision, order: Order, row: BrokerOrder) -> None:
    match row.status:
        case S.CANCELLED:
            decision.facts.append(ev.OrderCancelled(order_id=order.id, reason=display(row.reason)))
        case S.EXPIRED:
            decision.facts.append(ev.OrderExpired(order_id=order.id, reason=display(row.reason)))
        case S.REJECTED:
            rejected(decision, order, row.code, row.reason)
        case _:
            return
