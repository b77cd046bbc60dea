"""Which status an order may have after which fact."""

from __future__ import annotations

from typing import Any, Final

from optconsole.engine import events as ev
from optconsole.engine.model.orders import Order, OrderStatus

S = OrderStatus


class IllegalTransition(Exception):
    """A fact that cannot follow from the state: the journal and the program disagree."""


_OPEN: Final = S.OPEN
_FILLED: Final = S.FILLED
_NEVER_SENT: Final = frozenset({S.DENIED, S.INTENDED})
_ALIVE: Final = (S.SENT, S.UNKNOWN, S.PRESUMED_ABSENT, S.OPEN, S.TRIGGER_PENDING, S.PARTIAL)
TRANSITIONS: Final[dict[type[ev.OrderEvent], dict[OrderStatus, OrderStatus]]] = {
    ev.OrderSent: {S.INTENDED: S.SENT},
    ev.OrderAcknowledged: {
        S.SENT: S.OPEN,
        S.UNKNOWN: S.OPEN,
        S.PRESUMED_ABSENT: S.OPEN,
        S.OPEN: S.OPEN,
        S.TRIGGER_PENDING: S.TRIGGER_PENDING,
        S.PARTIAL: S.PARTIAL,
        S.FILLED: S.FILLED,
        S.CANCELLED: S.CANCELLED,
        S.REJECTED: S.REJECTED,
        S.EXPIRED: S.EXPIRED,
    },
    ev.OrderConfirmed: {s: s for s in S if s not in _NEVER_SENT},
    ev.OrderClaimed: {S.OPEN: S.OPEN, S.TRIGGER_PENDING: S.TRIGGER_PENDING, S.PARTIAL: S.PARTIAL},
    ev.OrderTriggered: dict.fromkeys((S.OPEN, S.TRIGGER_PENDING, S.SENT, S.UNKNOWN, S.PRESUMED_ABSENT), S.OPEN),
    ev.OrderChangeAsked: {S.OPEN: S.OPEN, S.TRIGGER_PENDING: S.TRIGGER_PENDING, S.PARTIAL: S.PARTIAL},
    ev.OrderChanged: {
        S.OPEN: S.OPEN,
        S.TRIGGER_PENDING: S.TRIGGER_PENDING,
        S.PARTIAL: S.PARTIAL,
        S.FILLED: S.FILLED,
        S.CANCELLED: S.CANCELLED,
        S.EXPIRED: S.EXPIRED,
    },
    ev.OrderChangeRefused: {s: s for s in S if s not in _NEVER_SENT},
    ev.OrderCancelAsked: {S.OPEN: S.OPEN, S.TRIGGER_PENDING: S.TRIGGER_PENDING, S.PARTIAL: S.PARTIAL},
    ev.OrderCancelRefused: {s: s for s in S if s not in _NEVER_SENT},
    ev.OrderCancelled: dict.fromkeys(_ALIVE, S.CANCELLED),
    ev.OrderRejected: dict.fromkeys(_ALIVE, S.REJECTED),
    ev.OrderExpired: dict.fromkeys((S.INTENDED, *_ALIVE), S.EXPIRED),
    ev.OrderDoubted: {S.SENT: S.UNKNOWN},
    ev.OrderPresumedAbsent: {S.UNKNOWN: S.PRESUMED_ABSENT},
    ev.OrderReleasable: {S.UNKNOWN: S.UNKNOWN},
    ev.OrderDoubtReleased: {S.UNKNOWN: S.UNKNOWN, S.PRESUMED_ABSENT: S.PRESUMED_ABSENT},
}
"""The legal changes of an order's status. A fill is judged by ``_after_fill``; it may arrive in any sent state."""


def next_status(order: Order, event: ev.OrderEvent) -> OrderStatus:
    """The status after ``event``. Raises IllegalTransition when the event cannot happen to the order."""
    kind = type(event)  # most facts are of another kind, and that costs isinstance four times as much to see
    if kind is ev.OrderFilled:
        return _after_fill(order, event)
    after = TRANSITIONS[kind].get(order.status)
    if after is None:
        raise IllegalTransition(f"{kind.__name__} cannot happen to {order.id}, which is {order.status}")
    if after is _OPEN and kind is ev.OrderAcknowledged and order.status is not _OPEN:
        return S.TRIGGER_PENDING if order.terms.type.has_trigger and not order.triggered else after
    return after


def _after_fill(order: Order, event: Any) -> OrderStatus:
    if order.status in _NEVER_SENT:
        raise IllegalTransition(f"a fill of {order.id}, which was never sent")
    if order.filled + event.qty >= order.terms.qty:
        return _FILLED
    return order.status if order.status.final else S.PARTIAL
