"""Orders that belong together, in words and as JSON: parents with their parts, groups with their orders."""

from __future__ import annotations

from optconsole.cli import shapes
from optconsole.cli.wording import prices
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.groups import Group
from optconsole.engine.model.orders import Order, OrderStatus
from optconsole.engine.model.parents import Parent, ParentStatus
from optconsole.engine.model.text import display
from optconsole.screens.formats import Formats


def parts_of(state: TradingState, parent_id: str) -> list[Order]:
    """The parts of a parent that were sent, oldest first."""
    return [order for order in state.orders.values() if order.parent == parent_id]


def parent_line(parent: Parent, parts: list[Order], formats: Formats) -> str:
    """``P3  SELL 2,600 NIFTY … LIMIT 100.00  2 of 2 parts, 1,755 filled  WORKING``, and why it stopped."""
    terms = parent.terms
    filled = sum(part.filled for part in parts)
    why = f": {display(parent.why)}" if parent.why else ""
    return (
        f"{parent.id}  {terms.side.value} {formats.grouped(terms.qty)} {display(terms.contract)}"
        f"  {terms.type.value} {prices(terms, formats)}"
        f"  {len(parts)} of {len(parent.parts)} parts, {formats.grouped(filled)} filled  {parent.status.value}{why}"
    )


def group_line(group: Group) -> str:
    """``T2  OCO of 2 orders: O4, O5  WORKING``; a member that waits for its price or its turn shows as ``waits``."""
    sent = ", ".join("+".join(names) if names else "waits" for names in group.sent)
    why = f": {display(group.why)}" if group.why else ""
    return f"{group.id}  {group.kind.value} of {len(group.orders)} orders: {sent}  {standing(group)}{why}"


def standing(group: Group) -> str:
    """WORKING until the group acts no more."""
    return "ENDED" if group.ended else "WORKING"


def lines(state: TradingState, formats: Formats, working: bool = False) -> list[str]:
    """One line for each parent and group of the day; ``working`` leaves out what is over."""
    parents = [
        parent_line(each, parts_of(state, each.id), formats)
        for each in state.parents.values()
        if not working or each.status is ParentStatus.WORKING
    ]
    return parents + [group_line(each) for each in state.groups.values() if not (working and each.ended)]


def parent_shape(state: TradingState, parent: Parent) -> shapes.Shape:
    """A parent as JSON, its parts as orders beside it."""
    parts = parts_of(state, parent.id)
    return {**shapes.parent(parent, parts), "parts_sent": [shapes.order(part) for part in parts]}


def answered(state: TradingState, name: str) -> bool:
    """Whether a parent or group has come as far as one waits for: all is sent that leaves at once, and answered."""
    orders = orders_of(state, name)
    unanswered = any(order.status in (OrderStatus.INTENDED, OrderStatus.SENT) for order in orders)
    parent = state.parents.get(name)
    if parent is None:
        group = state.groups.get(name)
        return group is not None and bool(group.ended or orders) and not unanswered
    over = parent.status is not ParentStatus.WORKING
    at_once = len(parent.parts) if parent.pace.value == "AT_ONCE" else 1
    return (over or len(orders) >= at_once) and not unanswered


def orders_of(state: TradingState, name: str) -> list[Order]:
    """The orders sent for a parent or a group."""
    group = state.groups.get(name)
    if group is None:
        return parts_of(state, name)
    return [state.orders[each] for sent in group.sent for each in sent if each in state.orders]
