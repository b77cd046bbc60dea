"""OCO and OUO: orders of which a fill takes from the others.

Orders that would together close more than is open never rest together: one rests at the exchange, the others wait here
for their price, and the change-over sends the next only once the one before it is provably gone (reliability O10).
"""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.commands import ModifyOrder
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.groups import Group, GroupKind
from optconsole.engine.model.orders import Order
from optconsole.engine.rules.contingency import allowed, committed, filled, overfilled, reached, uncovered
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel, modify
from optconsole.engine.trading.membership import (
    Members,
    answers,
    closed_by,
    end,
    halted,
    key_of,
    members_of,
    progress,
    send,
    stop,
    working,
)


def step(
    state: TradingState, group: Group, master: InstrumentMaster, situation: Situation, install: str
) -> Decision | None:
    """Take off the members what their peers filled, send what is due, or end."""
    members = members_of(state, group)
    if group.closes and any(members) and closed_by(state, group.orders[0]) is None:
        return end(group, "the position is closed", cancel=True)
    limits = _limits(state, group, members)
    trimmed = _trim(state, group, members, limits, master, situation)
    if trimmed is not None:
        return trimmed
    why = halted(state, group)
    if why:
        return end(group, why)
    why = _lost(group, members)
    if why:
        return stop(group, why, cancel=not group.closes)
    due = _due(group, members, limits, situation)
    if due is not None:
        place, waited = due
        size = (limits[place] - committed(members[place])) // group.lots[place] * group.lots[place]
        return send(state, group, place, size, master, situation, install, waited)
    if working(members):
        return _change_over(group, members, limits, situation) if group.alone else None
    return end(group)


def _sharing(group: Group) -> GroupKind:
    """How fills count against the peers: a position is closed by whoever fills, its rest is left to the others."""
    return GroupKind.OUO if group.alone else group.kind


def _limits(state: TradingState, group: Group, members: Members) -> tuple[int, ...]:
    """Units each member may have traded in total: by its peers' fills, and by what is left open to close."""
    most = allowed(_sharing(group), progress(group, members))
    held = closed_by(state, group.orders[0]) if group.closes else None
    if held is None:
        return most
    own = frozenset(order.id for sent in members for order in sent)
    room = uncovered(state, held, ignoring=own)
    found = []
    for sent, limit in zip(members, most, strict=True):
        done = filled(sent)
        open_share = min(limit - done, room)
        if not group.alone:
            room -= open_share
        found.append(done + max(open_share, 0))
    return tuple(found)


def _trim(
    state: TradingState,
    group: Group,
    members: Members,
    limits: tuple[int, ...],
    master: InstrumentMaster,
    situation: Situation,
) -> Decision | None:
    """Take off every working order what its member may not fill any more."""
    decision = Decision(group.actor, group.id)
    for sent, limit, lot in zip(members, limits, group.lots, strict=True):
        earlier = 0
        for order in sent:
            share = max(limit - earlier, 0) // lot * lot
            earlier += committed([order])
            if order.status.final or committed([order]) <= share or not answers(order, situation):
                continue
            _shrink(state, group, decision, order, share, master, situation)
    return decision if decision.facts else None


def _shrink(
    state: TradingState,
    group: Group,
    decision: Decision,
    order: Order,
    share: int,
    master: InstrumentMaster,
    situation: Situation,
) -> None:
    why = f"a peer in {group.id} filled"
    if share > order.filled:
        asked = ModifyOrder(id=group.id, actor=group.actor, order_id=order.id, qty=share)
        try:
            changed = modify(state, asked, master, situation)
        except Refusal:
            # what the rules will not let shrink would stay too large: it goes altogether
            ask_cancel(decision, order, why)
            return
        decision.facts += changed.facts
        decision.effects += changed.effects
    elif not order.cancel_wanted:
        ask_cancel(decision, order, why)


def _lost(group: Group, members: Members) -> str:
    """An order of the group that ended unfilled though nothing of the group took its place; empty when none did."""
    orders = [order for sent in members for order in sent]
    if group.next is not None or (any(map(filled, members)) and not group.alone):
        return ""
    if group.alone:  # those before the last were changed over
        orders = sorted(orders, key=lambda order: int(order.id[1:]))[-1:]
    for order in orders:
        if order.remaining and (order.cancel_wanted or order.status.final):
            return f"{order.id} was {order.status.value.lower() if order.status.final else 'cancelled'}"
    return ""


def _due(group: Group, members: Members, limits: tuple[int, ...], situation: Situation) -> tuple[int, bool] | None:
    """The member for which an order is to leave now, and whether its price is reached already."""
    if not group.alone:
        places = (place for place, sent in enumerate(members) if not sent and limits[place] >= group.lots[place])
        place = next(places, None)
        return None if place is None else (place, False)
    if working(members):
        return None
    if group.next is not None:
        left = limits[group.next] - committed(members[group.next])
        return (group.next, True) if left >= group.lots[group.next] else None
    if any(members) or limits[0] < group.lots[0]:
        return None
    # a stop before a target: it guards while this program does not run
    order = sorted(range(len(members)), key=lambda each: not group.orders[each].type.has_trigger)
    through = next((each for each in order if _reached(group, each, members, limits, situation)), None)
    return (order[0], False) if through is None else (through, True)


def _change_over(group: Group, members: Members, limits: tuple[int, ...], situation: Situation) -> Decision | None:
    """Cancel the resting order when the price of one that waits is reached."""
    resting = working(members)[0]
    if resting.cancel_wanted or not answers(resting, situation):
        return None
    decision = Decision(group.actor, group.id)
    place = group.next
    if place is None:
        place = next((each for each in range(len(members)) if _reached(group, each, members, limits, situation)), None)
        if place is None:
            return None
        decision.facts.append(ev.GroupSwitched(group_id=group.id, member=place))
    ask_cancel(decision, resting, f"{group.id} changes over")
    return decision


def _reached(group: Group, place: int, members: Members, limits: tuple[int, ...], situation: Situation) -> bool:
    rests = any(not order.status.final for order in members[place])
    if rests or limits[place] - committed(members[place]) < group.lots[place]:
        return False
    quote = situation.quote(group.orders[place].contract)
    mark = None if quote is None else quote.mark
    return mark is not None and reached(group.orders[place], mark)


def raced(state: TradingState, group: Group) -> Decision | None:
    """An alarm when members filled before they could be cancelled: only a person can put right what is open now."""
    if group.raced or not overfilled(_sharing(group), progress(group, members_of(state, group))):
        return None
    names = dict.fromkeys(str(key_of(terms)) for terms in group.orders)
    held = [state.positions[name] for name in names if name in state.positions]
    open_now = ", ".join(f"{each.qty} {each.key.contract}" for each in held if each.qty) or "nothing"
    text = f"More than one order of {group.id} filled before the others were cancelled; open now: {open_now}."
    decision = Decision(group.actor, group.id)
    decision.facts += [
        ev.GroupRaced(group_id=group.id, text=text),
        ev.NoticeRaised(level="alarm", code="GROUP_BOTH_FILLED", text=text, subject=group.id),
    ]
    return decision
