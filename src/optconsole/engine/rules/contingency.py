"""What the fills of one order allow another: parents and their parts, groups and their members. Pure arithmetic.

Everything is counted in what *may* have traded: an order of which nothing is proven counts in full (reliability 4.7).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.groups import GroupKind
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Product, Side
from optconsole.engine.model.positions import Position


def possible(order: Order) -> int:
    """Units an order has traded or may still trade, whatever the broker has not told yet."""
    if order.status.final:
        return order.filled
    asked = order.asked.qty if order.asked is not None else 0
    return max(order.terms.qty, asked, order.filled)


def committed(orders: Iterable[Order]) -> int:
    """Units several orders have traded or may still trade together."""
    return sum(map(possible, orders))


def filled(orders: Iterable[Order]) -> int:
    """Units several orders have traded together."""
    return sum(order.filled for order in orders)


def doubtful(order: Order) -> bool:
    """True for an order of which nobody can say whether it is at the broker."""
    return order.status in (OrderStatus.UNKNOWN, OrderStatus.PRESUMED_ABSENT)


def uncovered(state: TradingState, held: Position, ignoring: frozenset[str] = frozenset()) -> int:
    """Units of a position that no order, certain or in doubt, may close already; more would go past flat."""
    closing = Side.BUY if held.qty < 0 else Side.SELL
    covered = sum(
        possible(order) - order.filled
        for order in state.orders.values()
        if order.id not in ignoring
        and not order.status.final
        and order.terms.side is closing
        and (order.terms.account, order.terms.product, order.terms.contract)
        == (held.key.account, held.key.product, held.key.contract)
    )
    return max(abs(held.qty) - covered, 0)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a member of a group is: units asked, in a lot, and filled by all its orders."""

    qty: int
    lot: int
    filled: int


def allowed(kind: GroupKind, members: Sequence[Progress]) -> tuple[int, ...]:
    """Units each member may have traded in total, given what the others have filled; never below its own fills.

    OCO: a fill of any peer leaves a member what it has. OUO: peers' fills are taken off, whole lots. OTO: the first
    its own, the others their share of what the first has filled, whole lots.
    """
    total = sum(member.filled for member in members)
    found = []
    for place, member in enumerate(members):
        others = total - member.filled
        match kind:
            case GroupKind.OCO:
                most = 0 if others else member.qty
            case GroupKind.OUO:
                most = member.qty - others
            case GroupKind.OTO:
                first = members[0]
                most = member.qty if place == 0 else member.qty * min(first.filled, first.qty) // first.qty
        found.append(max(member.filled, most // member.lot * member.lot))
    return tuple(found)


def overfilled(kind: GroupKind, members: Sequence[Progress]) -> bool:
    """Whether more has filled than the group was to allow: the peers could not be stopped in time."""
    fills = [member.filled for member in members if member.filled]
    match kind:
        case GroupKind.OCO:
            return len(fills) > 1
        case GroupKind.OUO:
            return len(fills) > 1 and sum(fills) > max(member.qty for member in members)
        case GroupKind.OTO:
            return False


def reached(terms: OrderTerms, mark: int) -> bool:
    """Whether the market is where an order that waits in the engine is due: at its limit, or through its trigger."""
    if terms.type.has_trigger:
        return terms.trigger is not None and (mark - terms.trigger) * terms.side.sign >= 0
    return terms.price is None or (terms.price - mark) * terms.side.sign >= 0


def released(terms: OrderTerms, qty: int) -> OrderTerms:
    """The order that leaves for one that waited: its trigger has done its work."""
    kind = {OrderType.SL: OrderType.LIMIT, OrderType.SL_M: OrderType.MARKET}.get(terms.type, terms.type)
    price = terms.price if kind is OrderType.LIMIT else None
    return msgspec.structs.replace(terms, qty=qty, type=kind, price=price, trigger=None, protection=None)


def closes_first(orders: Sequence[OrderTerms], terms: OrderTerms) -> bool:
    """Whether a member closes what the first opens: it never comes to more than that, and adds nothing."""
    return terms.side is not orders[0].side and _where(terms) == _where(orders[0])


def alike(one: OrderTerms, other: OrderTerms) -> bool:
    """Whether two orders trade the same way on the same position."""
    return one.side is other.side and _where(one) == _where(other)


def _where(terms: OrderTerms) -> tuple[str, Product, str]:
    return terms.account, terms.product, terms.contract
