"""What a trader asks of an order that left in parts: cancel it, reprice it, make it smaller."""

from __future__ import annotations

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelOrder, ModifyOrder, Reply
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Order, OrderTerms
from optconsole.engine.model.parents import Parent, ParentStatus
from optconsole.engine.rules.contingency import committed
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel, cancellable, changeable, modify
from optconsole.engine.trading.parents import kids_of


def cancel(state: TradingState, command: CancelOrder) -> Decision:
    """Send no further part and cancel those that work. Raises Refusal(ORDER_FINAL)."""
    parent = state.parents[command.order_id]
    kids = kids_of(state, parent.id)
    if parent.status is not ParentStatus.WORKING and all(kid.status.final for kid in kids):
        raise Refusal("ORDER_FINAL", f"{parent.id} is {parent.status.value} and cannot be cancelled.")
    decision = Decision(command.actor, command.id)
    stop(decision, parent, "cancelled", cancel=True)
    for kid in kids:
        if cancellable(kid):
            ask_cancel(decision, kid, f"{parent.id} is cancelled")
    decision.reply = Reply(ok=True, code="SENT", text=f"Cancel of {parent.id} sent.", ids=(parent.id,))
    return decision


def stop(decision: Decision, parent: Parent, why: str, cancel: bool) -> None:
    """Append the end of a parent that a person asked for: no notice is needed."""
    decision.facts.append(
        ev.ParentEnded(parent_id=parent.id, status=ParentStatus.STOPPED, why=parent.why or why, cancel=cancel)
    )


def change(state: TradingState, command: ModifyOrder, master: InstrumentMaster, situation: Situation) -> Decision:
    """Change the price or trigger of all parts, those to come included, or take units off. All or nothing.

    Raises Refusal.
    """
    parent = state.parents[command.order_id]
    kids = [kid for kid in kids_of(state, parent.id) if not kid.status.final]
    if parent.status is not ParentStatus.WORKING:
        raise Refusal("ORDER_FINAL", f"{parent.id} is {parent.status.value}; change its parts one by one.")
    decision = Decision(command.actor, command.id)
    terms = _changed(parent, command)
    decision.facts.append(ev.ParentChanged(parent_id=parent.id, terms=terms))
    sizes = _sizes(state, parent, kids, terms.qty)
    for kid in kids:
        changeable(state, kid.id, "changed")
        if sizes[kid.id] <= kid.filled:
            ask_cancel(decision, kid, f"{parent.id} is smaller")
            continue
        asked = ModifyOrder(
            id=command.id,
            actor=command.actor,
            order_id=kid.id,
            qty=sizes[kid.id] if sizes[kid.id] != kid.terms.qty else None,
            price=command.price,
            trigger=None if kid.triggered else command.trigger,
        )
        if (asked.qty, asked.price, asked.trigger) != (None, None, None):
            changed = modify(state, asked, master, situation)
            decision.facts += changed.facts
            decision.effects += changed.effects
    decision.reply = Reply(ok=True, code="SENT", text=f"Change of {parent.id} sent.", ids=(parent.id,))
    return decision


def _changed(parent: Parent, command: ModifyOrder) -> OrderTerms:
    terms, qty = parent.terms, command.qty
    if qty is not None and (qty <= 0 or qty % parent.lot or qty > terms.qty):
        raise Refusal(
            "ONLY_LESS",
            f"{parent.id} of {terms.qty} can only be made smaller, in whole lots of {parent.lot}; "
            "place another order for more.",
        )
    changed = msgspec.structs.replace(
        terms,
        qty=terms.qty if qty is None else qty,
        price=terms.price if command.price is None else command.price,
        trigger=terms.trigger if command.trigger is None else command.trigger,
    )
    if command.price is not None and terms.price is None:
        raise Refusal("NO_LIMIT", f"{parent.id} is a {terms.type.value} order and has no limit price to change.")
    if command.trigger is not None and not terms.type.has_trigger:
        raise Refusal("NO_TRIGGER", f"{parent.id} is a {terms.type.value} order and has no trigger.")
    if changed == terms:
        raise Refusal("NO_CHANGE", f"{parent.id} has these terms already; give a new price, trigger or quantity.")
    return changed


def _sizes(state: TradingState, parent: Parent, kids: list[Order], qty: int) -> dict[str, int]:
    """Units each working part keeps when the parent shrinks to ``qty``: what has not left goes first, then the last."""
    over = committed(kids_of(state, parent.id)) - qty
    sizes = {kid.id: kid.terms.qty for kid in kids}
    for kid in reversed(kids):
        taken = min(max(over, 0), kid.remaining)
        sizes[kid.id] -= taken
        over -= taken
    if over > 0:
        raise Refusal("BELOW_FILLED", f"{qty + over} of {parent.id} are filled already; cancel it to stop there.")
    return sizes


def check_part(state: TradingState, command: ModifyOrder) -> None:
    """Raises Refusal(PART_OF_PARENT) for a part made so large that all together could fill more than their parent."""
    part = state.orders.get(command.order_id)
    parent = None if part is None else state.parents.get(part.parent)
    if part is None or parent is None or command.qty is None or command.qty <= part.terms.qty:
        return
    together = committed(kids_of(state, parent.id)) + command.qty - part.terms.qty
    if together > parent.terms.qty:
        raise Refusal(
            "PART_OF_PARENT",
            f"{part.id} is a part of {parent.id} over {parent.terms.qty} units, and with {command.qty} its parts could "
            f"fill {together}; change {parent.id} instead.",
        )
