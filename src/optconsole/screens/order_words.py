"""The state of an order in words and its colour role."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Pending, RiskClass, Side
from optconsole.screens.formats import Formats

_WORDS: Final[dict[OrderStatus, tuple[str, str]]] = {
    OrderStatus.DENIED: ("denied here", "bad"),
    OrderStatus.INTENDED: ("about to leave", "dim"),
    OrderStatus.SENT: ("sent", "accent"),
    OrderStatus.UNKNOWN: ("UNKNOWN, asking the broker", "bad"),
    OrderStatus.PRESUMED_ABSENT: ("presumed absent, watched", "warn"),
    OrderStatus.OPEN: ("working", "good"),
    OrderStatus.TRIGGER_PENDING: ("awaits trigger", "good"),
    OrderStatus.PARTIAL: ("partly filled", "accent"),
    OrderStatus.FILLED: ("filled", ""),
    OrderStatus.CANCELLED: ("cancelled", "dim"),
    OrderStatus.REJECTED: ("rejected", "bad"),
    OrderStatus.EXPIRED: ("expired", "dim"),
}
_ASKED: Final = {Pending.NONE: "", Pending.MODIFY: ", change asked", Pending.CANCEL: ", cancel asked"}


DOUBTED: Final = (OrderStatus.UNKNOWN, OrderStatus.PRESUMED_ABSENT)


def in_doubt(order: Order) -> bool:
    """Whether nobody can prove what became of the order."""
    return order.status in DOUBTED


def freezes(order: Order) -> bool:
    """Whether the doubt about this order holds back entries on its account."""
    return order.status is OrderStatus.UNKNOWN and not order.released and order.risk is RiskClass.INCREASE


def state_words(order: Order) -> str:
    """``working``, ``working, cancel asked``, ``UNKNOWN, asking the broker``, ``not ours: working``."""
    words, short = _doubt_words(order)
    said = words or (short or _WORDS[order.status][0]) + _ASKED[order.pending]
    return f"not ours: {said}" if order.foreign else said


def short_state(order: Order) -> str:
    """The state in a table's cell: what is under way says more than what was."""
    if order.pending is not Pending.NONE:
        return _ASKED[order.pending].removeprefix(", ")
    return _doubt_words(order)[1] or _WORDS[order.status][0]


def _doubt_words(order: Order) -> tuple[str, str]:
    """An order in doubt in a sentence and in a cell; empty for any other."""
    if not in_doubt(order):
        return "", ""
    if order.released:
        return "released, watched", "released"
    if order.status is OrderStatus.PRESUMED_ABSENT:
        return _WORDS[order.status][0], "presumed absent"
    if order.releasable:
        return "UNKNOWN, probably absent", "probably absent"
    return _WORDS[order.status][0], "UNKNOWN, asking"


def state_role(order: Order) -> str:
    """The colour role of an order's state."""
    if order.pending is not Pending.NONE:
        return "accent"
    return "warn" if order.released and in_doubt(order) else _WORDS[order.status][1]


def prices(terms: OrderTerms, fmt: Formats) -> str:
    """``101.25``; a stop with its trigger first: ``126.60/128.00``; ``market`` with the worst price it takes."""
    worst = fmt.price(terms.price) if terms.type in (OrderType.LIMIT, OrderType.SL) else fmt.price(terms.protection)
    if terms.type.has_trigger:
        return f"{fmt.price(terms.trigger)}/{worst}"
    return worst


def side_role(side: Side) -> str:
    """The colour role of a direction."""
    return "buy" if side is Side.BUY else "sell"
