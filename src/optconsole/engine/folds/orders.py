"""Facts about one order but its fills."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine import restraints
from optconsole.engine.events import Recorded
from optconsole.engine.folds.transitions import IllegalTransition, S, next_status
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, Pending, RiskClass

Changes = dict[str, Any]
_replace: Final = msgspec.structs.replace
_INTENDED: Final = S.INTENDED
_SETTLED: Final[Changes] = {"pending": Pending.NONE, "asked": None}
NOT_CONFIRMED: Final = "NOT_CONFIRMED"
"""Reason code of a change or cancel of which nobody knows whether it was carried out."""


def _order_denied(state: TradingState, fact: Recorded, event: ev.OrderDenied) -> None:
    state.order_count += 1
    state.orders[event.order_id] = Order(
        id=event.order_id,
        tag="",
        terms=event.terms,
        status=S.DENIED,
        risk=RiskClass.INCREASE,
        lot=0,
        intended_at=fact.at,
        updated_at=fact.at,
        reason_code=event.code,
        reason=event.reason,
        actor=fact.actor,
    )


def _order_intended(state: TradingState, fact: Recorded, event: ev.OrderIntended) -> None:
    state.order_count += 1
    state.orders[event.order_id] = Order(
        id=event.order_id,
        tag=event.tag,
        terms=event.terms,
        status=_INTENDED,
        risk=event.risk,
        lot=event.lot,
        intended_at=fact.at,
        updated_at=fact.at,
        actor=fact.actor,
        role=event.role,
        parent=event.parent,
    )
    restraints.order_counted(state, event.terms)


def _order_adopted(state: TradingState, fact: Recorded, event: ev.OrderAdopted) -> None:
    state.order_count += 1
    state.orders[event.order_id] = Order(
        id=event.order_id,
        tag=event.tag,
        terms=event.terms,
        status=S.OPEN,
        risk=event.risk,
        lot=event.lot,
        intended_at=fact.at,
        updated_at=fact.at,
        broker_id=event.broker_id,
        actor=fact.actor,
    )


def _order_changed(state: TradingState, fact: Recorded, event: ev.OrderEvent) -> None:
    order = _intended(state, event)
    changes = {"status": next_status(order, event), "updated_at": fact.at, **_CHANGES[type(event)](order, fact, event)}
    state.orders[order.id] = _replace(order, **changes)


def _order_sent(state: TradingState, fact: Recorded, event: ev.OrderSent) -> None:
    order, at = _intended(state, event), fact.at
    state.orders[order.id] = _replace(order, status=next_status(order, event), updated_at=at, sent_at=at)


def _order_acknowledged(state: TradingState, fact: Recorded, event: ev.OrderAcknowledged) -> None:
    order = _intended(state, event)
    state.orders[order.id] = _replace(
        order,
        status=next_status(order, event),
        updated_at=fact.at,
        broker_id=event.broker_id,
        reason_code="",
        reason="",
        releasable=False,
        released=False,
    )


def _intended(state: TradingState, event: ev.OrderEvent) -> Order:
    order = state.orders.get(event.order_id)
    if order is None:
        raise IllegalTransition(f"{type(event).__name__} of {event.order_id}, an order nobody intended")
    return order


def _new_terms(order: Order, _fact: Recorded, event: ev.OrderChanged) -> Changes:
    """On new terms an order is unconfirmed until the book shows them; one that lost its trigger waits no longer."""
    changes: Changes = {**_SETTLED, "terms": event.terms, "confirmed": False}
    if not order.status.final and order.filled >= event.terms.qty:
        changes["status"] = S.FILLED
    elif order.status is S.TRIGGER_PENDING and not event.terms.type.has_trigger:
        changes["status"] = S.OPEN
    return changes


def _cancel_refused(_order: Order, _fact: Recorded, event: ev.OrderCancelRefused) -> Changes:
    # one that was merely not confirmed is still wanted
    return {**_refused(_order, _fact, event), "cancel_wanted": event.code == NOT_CONFIRMED}


def _refused(_order: Order, _fact: Recorded, event: Any) -> Changes:
    return {**_SETTLED, "reason_code": event.code, "reason": event.reason}


def _ended(_order: Order, _fact: Recorded, event: Any) -> Changes:
    return {**_SETTLED, "reason": event.reason}


_CHANGES: Final[dict[type[ev.OrderEvent], Callable[[Order, Recorded, Any], Changes]]] = {
    ev.OrderConfirmed: lambda _order, _fact, _event: {"confirmed": True},
    ev.OrderClaimed: lambda _order, _fact, _event: {"claimed": True},
    ev.OrderTriggered: lambda _order, _fact, _event: {"triggered": True},
    ev.OrderChangeAsked: lambda order, fact, event: {
        "pending": Pending.MODIFY,
        "asked": event.terms,
        "changed_at": fact.at,
        "changes": order.changes + 1,
    },
    ev.OrderChanged: _new_terms,
    ev.OrderChangeRefused: _refused,
    ev.OrderCancelAsked: lambda _order, fact, _event: {
        "pending": Pending.CANCEL,
        "changed_at": fact.at,
        "cancel_wanted": True,
    },
    ev.OrderCancelRefused: _cancel_refused,
    ev.OrderCancelled: _ended,
    ev.OrderRejected: _refused,
    ev.OrderExpired: _ended,
    ev.OrderDoubted: lambda _order, _fact, event: {"reason_code": "UNKNOWN", "reason": event.cause},
    ev.OrderPresumedAbsent: lambda _order, _fact, event: {
        "reason_code": "PRESUMED_ABSENT",
        "reason": f"{event.reads} readings of the broker's book do not show it.",
    },
    ev.OrderReleasable: lambda _order, _fact, event: {
        "releasable": True,
        "reason": f"Probably absent: {event.reads} readings of the broker's book do not show it.",
    },
    ev.OrderDoubtReleased: lambda _order, _fact, _event: {"released": True},
}
"""What an event writes into its order besides the status, for all of ``TRANSITIONS`` but the two that make most of a
journal."""

FOLDS: Final[dict[type[ev.Event], Callable[[TradingState, Recorded, Any], None]]] = {
    ev.OrderDenied: _order_denied,
    ev.OrderIntended: _order_intended,
    ev.OrderAdopted: _order_adopted,
    ev.OrderSent: _order_sent,
    ev.OrderAcknowledged: _order_acknowledged,
    **dict.fromkeys(_CHANGES, _order_changed),
}
