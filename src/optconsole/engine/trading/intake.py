"""What a broker says, turned into facts: every row may come twice, late, out of order or about an order not ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.folds.orders import NOT_CONFIRMED
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.money import rupees
from optconsole.engine.model.orders import (
    Order,
    OrderStatus,
    OrderTerms,
    OrderType,
    Pending,
    RiskClass,
    Role,
    Side,
    trade_key,
)
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.text import display
from optconsole.engine.ports import (
    Accepted,
    BrokerOrder,
    BrokerTrade,
    BrokerUpdate,
    Doubtful,
    NotSent,
    PlaceOutcome,
    Rejected,
    Settlement,
)
from optconsole.engine.rules import tags
from optconsole.engine.rules.contingency import uncovered
from optconsole.engine.trading.decision import Decision, ReadBook, SendCancel

ChargeFor = Callable[[date, Instrument, Side, int], int]
"""Paise an order costs whose fills on that day are worth so many paise in total."""
ExerciseCharge = Callable[[date, Instrument, int], int]
Lookup = Callable[[str], Instrument | None]
S = OrderStatus
ORPHAN: Final = "ORPHAN_TRADE"
STATUS_UNKNOWN: Final = "STATUS_UNKNOWN"
REDUCING: Final = frozenset("STXK")
"""Roles in a tag whose orders close something: stop, target, exit, kill."""
_AT_WORK: Final = (S.OPEN, S.TRIGGER_PENDING, S.PARTIAL)


class ImpossibleRow(Exception):
    """A broker's row holds numbers that no order or trade can have."""


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
        if order is not None and _is(order, row.account, row.tag, row.broker_id):
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
                self._adopt(state, decision, row)
            return
        _new_word(state, decision, order.id, row)
        if order.broker_id is None and row.status is not S.REJECTED:
            decision.facts.append(ev.OrderAcknowledged(order_id=order.id, broker_id=row.broker_id))
            _late_arrival(state, decision, order, row)
        if order.status.final:
            return
        if row.triggered and not order.triggered and order.terms.type.has_trigger and not row.status.final:
            decision.facts.append(ev.OrderTriggered(order_id=order.id))
        terms = _terms_of(row, order.terms)
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

    def _adopt(self, state: TradingState, decision: Decision, row: BrokerOrder) -> None:
        """An order at the broker that the book does not know: counted from its fills.

        One that another sent is never touched. One with a tag of ours was sent by a store that is lost: it is ours,
        unless it shares the tag with an order that we know. A person then says whose it is.
        """
        tag = tags.decode(row.tag)
        twin = next((each.id for each in state.orders.values() if row.tag and each.tag == row.tag), "")
        ours = tag is not None and tag.install in self._ours and not twin
        reduces = ours and tag is not None and tag.role in REDUCING
        instrument = self._lookup(row.contract)
        terms = OrderTerms(
            account=row.account,
            contract=row.contract,
            side=row.side,
            qty=row.qty,
            type=row.type,
            price=row.price,
            trigger=row.trigger,
            product=row.product,
            validity=row.validity,
            note=display(row.reason) or "broker",
        )
        order_id = decision.next_order_id(state)
        lot = max(instrument.lot, 1) if instrument else 1
        decision.facts.append(
            ev.OrderAdopted(
                order_id=order_id,
                terms=terms,
                tag=row.tag,
                broker_id=row.broker_id,
                risk=RiskClass.REDUCE if reduces else RiskClass.INCREASE,
                lot=lot,
            )
        )
        if ours:
            decision.facts.append(ev.OrderClaimed(order_id=order_id))
        decision.facts.append(_found_notice(order_id, row, ours, twin))
        _new_word(state, decision, order_id, row)
        if twin:
            decision.effects.append(ReadBook(row.account))  # the sentinel looks for tags that are there twice
        if row.status in (S.CANCELLED, S.EXPIRED):
            decision.facts.append(ev.OrderCancelled(order_id=order_id, reason=display(row.reason)))
        elif row.status is S.REJECTED:
            decision.facts.append(
                ev.OrderRejected(order_id=order_id, code=display(row.code), reason=display(row.reason))
            )


def _new_word(state: TradingState, decision: Decision, order_id: str, row: BrokerOrder) -> None:
    """A status that we do not know ends nothing and is told, once for each order and word (B24)."""
    if row.status is not S.UNKNOWN:
        return
    text = (
        f"The broker's status of {order_id} is new to us: {display(row.word, 60) or 'no word at all'}. It counts as "
        "working until the broker names an end; look at it there."
    )
    known = (notice for notice in state.notices if notice.code == STATUS_UNKNOWN and notice.subject == order_id)
    if all(notice.text != text for notice in known):
        decision.facts.append(ev.NoticeRaised(level="alarm", code=STATUS_UNKNOWN, text=text, subject=order_id))


def _found_notice(order_id: str, row: BrokerOrder, ours: bool, twin: str) -> ev.NoticeRaised:
    whose = "carries our tag and is ours again." if ours else "was not sent by this engine."
    if twin:
        whose = f"carries the tag of {twin} and is another order; it is counted, and not touched unless taken over."
    return ev.NoticeRaised(
        level="warning",
        code="OWN_ORDER_FOUND" if ours else "FOREIGN_ORDER",
        text=f"{row.side.value} {row.qty} {row.contract} at the broker {whose}",
        subject=order_id,
    )


def _late_arrival(state: TradingState, decision: Decision, order: Order, row: BrokerOrder) -> None:
    """An order that was given up turns up after all: what it would add is cancelled, what it filled is told."""
    given_up = order.status is S.PRESUMED_ABSENT or order.released
    if not given_up:
        return
    terms = order.terms
    decision.facts.append(
        ev.NoticeRaised(
            level="alarm",
            code="LATE_ARRIVAL",
            text=f"{order.id} {terms.side.value} {terms.qty} {terms.contract} was given up and is at the broker after "
            f"all, {row.filled} filled.",
            subject=order.id,
        )
    )
    if not row.status.final and (order.risk is RiskClass.INCREASE or _past_flat(state, order, row)):
        decision.facts.append(ev.OrderCancelAsked(order_id=order.id, why="late arrival"))
        decision.effects.append(SendCancel(order.id, terms.account, row.broker_id))


def _past_flat(state: TradingState, order: Order, row: BrokerOrder) -> bool:
    """Whether an exit that turns up late would go past flat: another has closed, or closes, what it was for."""
    held = state.positions.get(str(PositionKey(row.account, row.product, row.contract)))
    if held is None or held.qty * row.side.sign >= 0:
        return True
    return row.qty - order.filled > uncovered(state, held, frozenset({order.id}))


def find(state: TradingState, account: str, tag: str, broker_id: str) -> Order | None:
    """Our order behind a broker row: by the broker's id, unique per account, or by tag until that id is known.

    A row under our tag with another id than ours is another order: a copy made by hand carries the tag too (B25).
    """
    return next((order for order in reversed(state.orders.values()) if _is(order, account, tag, broker_id)), None)


def _is(order: Order, account: str, tag: str, broker_id: str) -> bool:
    if order.terms.account != account:
        return False
    return bool(tag and order.tag == tag) if order.broker_id is None else order.broker_id == broker_id


def require_possible(update: BrokerUpdate) -> None:
    """Raises ImpossibleRow for a row that no exchange can mean; believed, it would bend a position for good."""
    match update:
        case BrokerTrade(qty=qty, price=price) if qty <= 0 or price <= 0:
            raise ImpossibleRow(f"trade {update.trade_id} of {qty} units at {price} paise")
        case BrokerOrder(qty=qty, filled=filled) if qty < 0 or not 0 <= filled <= qty:
            raise ImpossibleRow(f"order {update.broker_id} with {filled} of {qty} units filled")


def _terms_of(row: BrokerOrder, ours: OrderTerms) -> OrderTerms:
    """Our terms with the broker's numbers: what it works is the truth."""
    if row.type is OrderType.LIMIT and ours.type.has_trigger and row.trigger is None and not row.triggered:
        # a stop that was turned into a limit order, by us or by a broker that took it for one
        return msgspec.structs.replace(
            ours, qty=row.qty, type=OrderType.LIMIT, price=row.price, trigger=None, protection=None
        )
    protected = ours.type in (OrderType.MARKET, OrderType.SL_M)
    return msgspec.structs.replace(
        ours,
        qty=row.qty,
        price=ours.price if protected else row.price,
        protection=row.price if protected else ours.protection,
        trigger=row.trigger if ours.type.has_trigger else ours.trigger,
    )


def _final_fact(decision: Decision, order: Order, row: BrokerOrder) -> None:
    match row.status:
        case S.CANCELLED:
            decision.facts.append(ev.OrderCancelled(order_id=order.id, reason=display(row.reason)))
        case S.EXPIRED:
            decision.facts.append(ev.OrderExpired(order_id=order.id, reason=display(row.reason)))
        case S.REJECTED:
            _rejected(decision, order, row.code, row.reason)
        case _:
            return


def _rejected(decision: Decision, order: Order, code: str, reason: str) -> None:
    words = display(reason)
    decision.facts.append(ev.OrderRejected(order_id=order.id, code=display(code, 60), reason=words))
    decision.facts.append(
        ev.NoticeRaised(
            # an exit that was refused leaves a position open that somebody counts as closed
            level="warning" if order.risk is RiskClass.INCREASE else "alarm",
            code="ORDER_REJECTED",
            text=f"{order.id} was rejected: {words}",
            subject=order.id,
        )
    )


def placed(state: TradingState, broker: str, order_id: str, outcome: PlaceOutcome) -> Decision:
    """Facts of the answer to a place. Only a provable refusal rejects; silence and surprise are UNKNOWN."""
    decision = Decision(f"broker:{broker}", order_id)
    order = state.orders[order_id]
    match outcome:
        case Accepted(broker_id):
            if order.broker_id is None:
                decision.facts.append(ev.OrderAcknowledged(order_id=order_id, broker_id=broker_id))
        case Rejected(code, reason) if order.status in (S.SENT, S.UNKNOWN, S.PRESUMED_ABSENT):
            _rejected(decision, order, code, reason)
        case NotSent(cause) if order.status is S.SENT:
            _rejected(decision, order, "NOT_SENT", f"Nothing left: {cause}")
        case Doubtful(cause) if order.status is S.SENT:
            decision.facts.append(ev.OrderDoubted(order_id=order_id, cause=display(cause)))
            decision.facts.append(
                ev.NoticeRaised(
                    level="alarm",
                    code="ORDER_UNKNOWN",
                    text=f"What became of {order_id} is unknown: {display(cause)}. It may be working.",
                    subject=order_id,
                )
            )
            decision.effects.append(ReadBook(order.terms.account))
        case _:
            return decision
    return decision


def modified(state: TradingState, broker: str, order_id: str, outcome: PlaceOutcome) -> Decision:
    """Facts of the answer to a change."""
    decision = Decision(f"broker:{broker}", order_id)
    order = state.orders[order_id]
    if order.pending is not Pending.MODIFY or order.asked is None:
        return decision
    match outcome:
        case Accepted():
            decision.facts.append(ev.OrderChanged(order_id=order_id, terms=order.asked))
        case Rejected(code, reason):
            decision.facts.append(
                ev.OrderChangeRefused(order_id=order_id, code=display(code, 60), reason=display(reason))
            )
        case Doubtful(cause) | NotSent(cause):
            decision.facts.append(ev.OrderChangeRefused(order_id=order_id, code=NOT_CONFIRMED, reason=display(cause)))
            decision.effects.append(ReadBook(order.terms.account))
    return decision


def cancelled(state: TradingState, broker: str, order_id: str, outcome: PlaceOutcome) -> Decision:
    """Facts of the answer to a cancel; that it is gone is only believed from the broker's book."""
    decision = Decision(f"broker:{broker}", order_id)
    order = state.orders[order_id]
    if order.pending is not Pending.CANCEL or isinstance(outcome, Accepted):
        return decision
    code = outcome.code if isinstance(outcome, Rejected) else NOT_CONFIRMED
    reason = outcome.reason if isinstance(outcome, Rejected) else outcome.cause
    decision.facts.append(ev.OrderCancelRefused(order_id=order_id, code=display(code, 60), reason=display(reason)))
    decision.effects.append(ReadBook(order.terms.account))
    return decision
