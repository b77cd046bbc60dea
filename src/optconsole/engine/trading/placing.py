"""What a trader asks of orders, whatever they are: single, in parts, guarded, or tied to others."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelOrder, ModifyOrder, PlaceOrder, Reply, Scope
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderTerms
from optconsole.engine.model.parents import ParentStatus
from optconsole.engine.rules.pretrade import Situation, pressed_twice, require_sane
from optconsole.engine.trading import brackets, desk, groups, opening, parent_changes, reversing
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.scopes import in_scope


def place(
    state: TradingState, command: PlaceOrder, master: InstrumentMaster, situation: Situation, install: str
) -> Decision:
    """Place one order: in parts where it is too large for one or parts are asked for, guarded where a stop is given.

    Raises Refusal for a plan of parts or a guard that cannot be.
    """
    opening.check_pace(command.parts, command.every, command.drift)
    require_sane(command.terms.qty, command.terms.price, command.terms.trigger, command.stop, command.target)
    try:
        instrument = master.resolve(command.terms.contract)
    except Refusal:
        return desk.place(state, command, master, situation, install)  # which denies it by name
    terms = msgspec.structs.replace(command.terms, contract=instrument.name)
    brackets.check(state, command, terms, instrument, situation)
    if opening.opens_parent(terms, instrument, command.parts):
        decision = Decision(command.actor, command.id)
        double = None if command.again else pressed_twice(state, terms, situation)
        if double is not None:
            return desk.denied(state, decision, terms, double.code, double.text)
        opening.open_parent(state, decision, terms, instrument, situation, command.parts, command.every, command.drift)
    else:
        decision = desk.place(state, command, master, situation, install)
    brackets.attach(decision, command, terms)
    return decision


def modify(state: TradingState, command: ModifyOrder, master: InstrumentMaster, situation: Situation) -> Decision:
    """Change one order or all parts of a parent. Raises Refusal."""
    if command.order_id in state.parents:
        return parent_changes.change(state, command, master, situation)
    if command.order_id in state.groups:
        raise Refusal("GROUP", f"{command.order_id} is a group; change its orders one by one, or cancel it.")
    parent_changes.check_part(state, command)
    return desk.modify(state, command, master, situation)


def cancel(state: TradingState, command: CancelOrder) -> Decision:
    """Cancel one order, a parent with its parts, or a group with its orders. Raises Refusal."""
    if command.order_id in state.parents:
        return parent_changes.cancel(state, command)
    if command.order_id in state.groups:
        return groups.cancel(state, command)
    return desk.cancel(state, command)


def halting(
    state: TradingState, actor: str, cause: str, scope: Scope, decide: Callable[[], Decision], why: str
) -> Decision:
    """What a cancel-all, flatten or kill decides, and that nothing more is sent in its scope for what is under way.

    Raises Refusal as ``decide``, unless something was under way.
    """
    halt = _halt(state, actor, cause, scope, why)
    try:
        decision = decide()
    except Refusal:
        if not halt.facts:
            raise
        decision = Decision(actor, cause, reply=Reply(ok=True, text="What was still to be sent is not sent any more."))
    decision.facts[:0] = halt.facts
    return decision


def _halt(state: TradingState, actor: str, cause: str, scope: Scope, why: str) -> Decision:
    decision = Decision(actor, cause)
    for parent in state.parents.values():
        terms = parent.terms
        if parent.status is ParentStatus.WORKING and _reaches(scope, terms):
            parent_changes.stop(decision, parent, why, cancel=True)
    for group in state.groups.values():
        if not group.ended and any(_reaches(scope, each) for each in group.orders):
            decision.facts.append(ev.GroupEnded(group_id=group.id, why=why, cancel=True))
    for wish in state.reversals.values():
        if reversing.touches(wish, scope):
            decision.facts.append(ev.ReversalEnded(reversal_id=wish.id, text=why))
    return decision


def _reaches(scope: Scope, terms: OrderTerms) -> bool:
    """Whether what is under way for these terms belongs to the scope, in whatever product."""
    return in_scope(scope, terms.account, terms.contract, source=terms.source)
