"""What brokers answer to our requests, turned into facts: only a provable refusal rejects."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.folds.orders import NOT_CONFIRMED
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, OrderStatus, Pending, RiskClass
from optconsole.engine.model.text import display
from optconsole.engine.ports import Accepted, Doubtful, NotSent, PlaceOutcome, Rejected
from optconsole.engine.trading.decision import Decision, ReadBook

S = OrderStatus


def placed(state: TradingState, broker: str, order_id: str, outcome: PlaceOutcome) -> Decision:
    """Facts of the answer to a place. Only a provable refusal rejects; silence and surprise are UNKNOWN."""
    decision = Decision(f"broker:{broker}", order_id)
    order = state.orders[order_id]
    match outcome:
        case Accepted(broker_id):
            if order.broker_id is None:
                decision.facts.append(ev.OrderAcknowledged(order_id=order_id, broker_id=broker_id))
        case Rejected(code, reason) if order.status in (S.SENT, S.UNKNOWN, S.PRESUMED_ABSENT):
            rejected(decision, order, code, reason)
        case NotSent(cause) if order.status is S.SENT:
            rejected(decision, order, "NOT_SENT", f"Nothing left: {cause}")
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


def rejected(decision: Decision, order: Order, code: str, reason: str) -> None:
    """Add the facts of a refusal."""
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
