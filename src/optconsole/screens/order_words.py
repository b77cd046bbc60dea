"""The state of an order in words and its colour role."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Pending, Side
from optconsole.screens.formats import Formats

_WORDS: Final[dict[OrderStatus, tuple[str, str]]] = {
    OrderStatus.DENIED: ("denied here", "bad"),
    OrderStatus.INTENDED: ("about to leave", "dim"),
    OrderStatus.SENT: ("sent", "accent"),
    OrderStatus.UNKNOWN: ("UNKNOWN, asking the broker", "bad"),
    OrderStatus.OPEN: ("working", "good"),
    OrderStatus.TRIGGER_PENDING: ("awaits trigger", "good"),
    OrderStatus.PARTIAL: ("partly filled", "accent"),
    OrderStatus.FILLED: ("filled", ""),
    OrderStatus.CANCELLED: ("cancelled", "dim"),
    OrderStatus.REJECTED: ("rejected", "bad"),
    OrderStatus.EXPIRED: ("expired", "dim"),
}
_ASKED: Final = {Pending.NONE: "", Pending.MODIFY: ", change asked", Pending.CANCEL: ", cancel asked"}


def state_words(order: Order) -> str:
    """``working``, ``working, cancel asked``, ``UNKNOWN, asking the broker``."""
    return _WORDS[order.status][0] + _ASKED[order.pending]


def short_state(order: Order) -> str:
    """The state in a table's cell: what is under way says more than what was."""
    if order.pending is not Pending.NONE:
        return _ASKED[order.pending].removeprefix(", ")
    return "UNKNOWN, asking" if order.status is OrderStatus.UNKNOWN else state_words(order)


def state_role(order: Order) -> str:
    """The colour role of an order's state."""
    return "accent" if order.pending is not Pending.NONE else _WORDS[order.status][1]


def prices(terms: OrderTerms, fmt: Formats) -> str:
    """``101.25``; a stop with its trigger first: ``126.60/128.00``; ``market`` with the worst price it takes."""
    worst = fmt.price(terms.price) if terms.type in (OrderType.LIMIT, OrderType.SL) else fmt.price(terms.protection)
    if terms.type.has_trigger:
        return f"{fmt.price(terms.trigger)}/{worst}"
    return worst


def side_role(side: Side) -> str:
    """The colour role of a direction."""
    return "buy" if side is Side.BUY else "sell"
