"""OTO: the first order releases the others as it fills, each sized to what is filled."""

from __future__ import annotations

from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.groups import Group
from optconsole.engine.model.orders import Order
from optconsole.engine.rules.contingency import allowed, committed, uncovered
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.membership import (
    Members,
    closed_by,
    end,
    halted,
    key_of,
    members_of,
    progress,
    send,
    stop,
)


def step(
    state: TradingState, group: Group, master: InstrumentMaster, situation: Situation, install: str
) -> Decision | None:
    """Send the first order, then to every further fill of it what the others are due; end when none is due any more."""
    members = members_of(state, group)
    why = halted(state, group)
    if why:
        return end(group, why)
    if not members[0]:
        return send(state, group, 0, group.orders[0].qty, master, situation, install)
    lost = next((order for sent in members[1:] for order in sent if order.status.final and order.remaining), None)
    if lost is not None:
        return stop(group, f"{lost.id} was {lost.status.value.lower()}", cancel=False)
    for place, size in _due(state, group, members):
        return send(state, group, place, size, master, situation, install)
    first = members[0][0]
    return end(group) if first.status.final else None


def _due(state: TradingState, group: Group, members: Members) -> list[tuple[int, int]]:
    """Members for which units are to leave now, with how many."""
    most = allowed(group.kind, progress(group, members))
    due = []
    for place in range(1, len(members)):
        size = most[place] - committed(members[place])
        size = min(size, _closable(state, group, place, members[0][0])) // group.lots[place] * group.lots[place]
        if size > 0:
            due.append((place, size))
    return due


def _closable(state: TradingState, group: Group, place: int, first: Order) -> int:
    """Units that a member may close of what the first opened: never more than is open by now and not covered."""
    terms = group.orders[place]
    if key_of(terms) != key_of(first.terms) or terms.side is first.terms.side:
        return terms.qty
    held = closed_by(state, terms)
    return 0 if held is None else uncovered(state, held)
