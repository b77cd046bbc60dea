"""Orders a broker shows that our book does not expect: of others, of a lost store, given up, or in words new to us."""

from __future__ import annotations

from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, RiskClass
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.text import display
from optconsole.engine.ports import BrokerOrder
from optconsole.engine.rules import tags
from optconsole.engine.rules.contingency import uncovered
from optconsole.engine.trading.decision import Decision, ReadBook, SendCancel

S = OrderStatus
STATUS_UNKNOWN: Final = "STATUS_UNKNOWN"
REDUCING: Final = frozenset("STXK")
"""Roles in a tag whose orders close something: stop, target, exit, kill."""


def adopt(
    state: TradingState, decision: Decision, row: BrokerOrder, instrument: Instrument | None, codes: frozenset[str]
) -> None:
    """An order at the broker that the book does not know: counted from its fills.

    One that another sent is never touched. One with a tag of ours was sent by a store that is lost: it is ours,
    unless it shares the tag with an order that we know. A person then says whose it is. ``codes`` are the install codes
    of all stores this world ever had.
    """
    tag = tags.decode(row.tag)
    twin = next((each.id for each in state.orders.values() if row.tag and each.tag == row.tag), "")
    ours = tag is not None and tag.install in codes and not twin
    reduces = ours and tag is not None and tag.role in REDUCING
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
    new_word(state, decision, order_id, row)
    if twin:
        decision.effects.append(ReadBook(row.account))  # the sentinel looks for tags that are there twice
    if row.status in (S.CANCELLED, S.EXPIRED):
        decision.facts.append(ev.OrderCancelled(order_id=order_id, reason=display(row.reason)))
    elif row.status is S.REJECTED:
        decision.facts.append(ev.OrderRejected(order_id=order_id, code=display(row.code), reason=display(row.reason)))


def new_word(state: TradingState, decision: Decision, order_id: str, row: BrokerOrder) -> None:
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


def late_arrival(state: TradingState, decision: Decision, order: Order, row: BrokerOrder) -> None:
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
