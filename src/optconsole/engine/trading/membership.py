"""What every kind of group does with its orders: find them, send one, stop, say what went wrong."""

from __future__ import annotations

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.groups import Group
from optconsole.engine.model.orders import Order, OrderTerms, Pending, RiskClass, Role
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.rules.contingency import Progress, filled, released
from optconsole.engine.rules.pretrade import Situation, risk_class
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import add_order, cancellable
from optconsole.engine.trading.parents import ASK_AGAIN, standing_order
from optconsole.engine.trading.precedence import allow_order

Members = tuple[tuple[Order, ...], ...]
"""The orders sent for each member of a group."""


def members_of(state: TradingState, group: Group) -> Members:
    """The orders sent for each member, oldest first."""
    return tuple(tuple(state.orders[name] for name in sent if name in state.orders) for sent in group.sent)


def progress(group: Group, members: Members) -> tuple[Progress, ...]:
    """How far each member is."""
    return tuple(
        Progress(qty=terms.qty, lot=lot, filled=filled(sent))
        for terms, lot, sent in zip(group.orders, group.lots, members, strict=True)
    )


def working(members: Members) -> list[Order]:
    """The group's orders that may still trade."""
    return [order for sent in members for order in sent if not order.status.final]


def key_of(terms: OrderTerms) -> PositionKey:
    """The position an order acts on."""
    return PositionKey(terms.account, terms.product, terms.contract)


def closed_by(state: TradingState, terms: OrderTerms) -> Position | None:
    """The open position the terms would close; None when they would open or add."""
    held = state.positions.get(str(key_of(terms)))
    return None if held is None or held.qty * terms.side.sign >= 0 else held


def answers(order: Order, situation: Situation) -> bool:
    """Whether an order can be asked for something now: it has answered all, or refused a while ago."""
    rested = not order.reason_code or situation.since(order.updated_at) >= ASK_AGAIN
    return cancellable(order) and order.pending is Pending.NONE and rested


def halted(state: TradingState, group: Group) -> str:
    """Why the group's orders may not leave just now; empty when they may."""
    risk = RiskClass.REDUCE if group.closes else RiskClass.INCREASE
    return next(filter(None, (standing_order(state, terms, risk) for terms in group.orders)), "")


def send(
    state: TradingState,
    group: Group,
    place: int,
    size: int,
    master: InstrumentMaster,
    situation: Situation,
    install: str,
    waited: bool = False,
) -> Decision:
    """The decision to send ``size`` units for a member; a refusal stops the group. ``waited`` for its price here."""
    wanted = group.orders[place]
    instrument = master.get(wanted.contract)
    if instrument is None:
        return stop(group, f"{wanted.contract} is not listed today", cancel=not group.closes)
    terms = released(wanted, size) if waited else msgspec.structs.replace(wanted, qty=size)
    try:
        # judged when the group was tied; a stop that was set since then would close the same units
        allow_order(state, terms, risk_class(state, terms))
    except Refusal as refused:
        return stop(group, f"order {place + 1} of it may not leave. {refused.text.rstrip('.')}", not group.closes)
    decision = Decision(group.actor, group.id)
    role = Role.TARGET if group.closes else Role.ENTRY
    add_order(state, decision, terms, instrument, situation, install, role, group.id)
    answer, decision.reply = decision.reply, None
    if answer is not None and answer.ok:
        decision.facts.append(ev.GroupMemberSent(group_id=group.id, member=place, order_id=answer.ids[0]))
    elif answer is not None:
        ended = stop(group, f"order {place + 1} of it was refused. {answer.text.rstrip('.')}", not group.closes)
        decision.facts += ended.facts
    return decision


def end(group: Group, why: str = "", cancel: bool = False) -> Decision:
    """The decision that a group has done its work."""
    decision = Decision(group.actor, group.id)
    decision.facts.append(ev.GroupEnded(group_id=group.id, why=why, cancel=cancel))
    return decision


def stop(group: Group, why: str, cancel: bool) -> Decision:
    """The decision that a group cannot go on as meant, with an alarm."""
    decision = end(group, why, cancel)
    rest = "its other orders are cancelled" if cancel else "its other orders stay as they are"
    decision.facts.append(
        ev.NoticeRaised(
            level="alarm" if group.closes else "warning",
            code="GROUP_STOPPED",
            text=f"{group.id} acts no more: {why}; {rest}.",
            subject=group.id,
        )
    )
    return decision
