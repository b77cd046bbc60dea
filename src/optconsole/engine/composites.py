"""How facts about orders that belong together change the state: parents, groups, brackets, reversals. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.groups import Bracket, Group, Reversal
from optconsole.engine.model.parents import Parent, ParentStatus
from optconsole.engine.model.positions import PositionKey


def end_day(state: TradingState) -> None:
    """Orders live for a day, and so does what ties them together."""
    state.parents, state.groups, state.brackets, state.reversals = {}, {}, {}, {}


def unfinished(state: TradingState) -> bool:
    """Whether time alone may make a step due for something that belongs together."""
    return bool(
        state.reversals
        or state.brackets
        or any(parent.status is ParentStatus.WORKING for parent in state.parents.values())
        or any(not group.ended for group in state.groups.values())
    )


def _parent_opened(state: TradingState, fact: Recorded, event: ev.ParentOpened) -> None:
    state.parent_count += 1
    state.parents[event.parent_id] = Parent(
        id=event.parent_id,
        terms=event.terms,
        risk=event.risk,
        lot=event.lot,
        largest=event.largest,
        parts=event.parts,
        pace=event.pace,
        every=event.every,
        drift=event.drift,
        reference=event.reference,
        opened_at=fact.at,
        epoch=state.epoch,
        actor=fact.actor,
    )


def _parent_changed(state: TradingState, _fact: Recorded, event: ev.ParentChanged) -> None:
    parent = state.parents[event.parent_id]
    state.parents[parent.id] = msgspec.structs.replace(parent, terms=event.terms)


def _parent_ended(state: TradingState, _fact: Recorded, event: ev.ParentEnded) -> None:
    parent = state.parents[event.parent_id]
    state.parents[parent.id] = msgspec.structs.replace(
        parent, status=event.status, why=event.why, cancelling=parent.cancelling or event.cancel
    )


def _group_opened(state: TradingState, fact: Recorded, event: ev.GroupOpened) -> None:
    state.group_count += 1
    state.groups[event.group_id] = Group(
        id=event.group_id,
        kind=event.kind,
        orders=event.orders,
        lots=event.lots,
        sent=tuple(() for _ in event.orders),
        closes=event.closes,
        alone=event.alone,
        actor=fact.actor,
    )


def _group_sent(state: TradingState, _fact: Recorded, event: ev.GroupMemberSent) -> None:
    group = state.groups[event.group_id]
    sent = list(group.sent)
    sent[event.member] = (*sent[event.member], event.order_id)
    state.groups[group.id] = msgspec.structs.replace(group, sent=tuple(sent), next=None)


def _group_switched(state: TradingState, _fact: Recorded, event: ev.GroupSwitched) -> None:
    state.groups[event.group_id] = msgspec.structs.replace(state.groups[event.group_id], next=event.member)


def _group_raced(state: TradingState, _fact: Recorded, event: ev.GroupRaced) -> None:
    state.groups[event.group_id] = msgspec.structs.replace(state.groups[event.group_id], raced=True)


def _group_ended(state: TradingState, _fact: Recorded, event: ev.GroupEnded) -> None:
    group = state.groups[event.group_id]
    state.groups[group.id] = msgspec.structs.replace(
        group, ended=True, why=event.why, cancelling=group.cancelling or event.cancel
    )


def _bracket_attached(state: TradingState, _fact: Recorded, event: ev.BracketAttached) -> None:
    state.brackets[event.entry_id] = Bracket(
        entry_id=event.entry_id,
        key=PositionKey(event.account, event.product, event.contract),
        side=event.side,
        stop=event.stop,
        target=event.target,
    )


def _bracket_guarded(state: TradingState, _fact: Recorded, event: ev.BracketGuarded) -> None:
    bracket = state.brackets[event.entry_id]
    state.brackets[bracket.entry_id] = msgspec.structs.replace(bracket, guarded=bracket.guarded + event.qty)


def _bracket_ended(state: TradingState, _fact: Recorded, event: ev.BracketEnded) -> None:
    state.brackets.pop(event.entry_id, None)


def _reversal_begun(state: TradingState, fact: Recorded, event: ev.ReversalBegun) -> None:
    state.reversals[event.reversal_id] = Reversal(
        id=event.reversal_id,
        kind=event.kind,
        name=event.name,
        legs=event.legs,
        epoch=state.epoch,
        since=fact.at,
        actor=fact.actor,
    )


def _reversal_ended(state: TradingState, _fact: Recorded, event: ev.ReversalEnded) -> None:
    state.reversals.pop(event.reversal_id, None)


FOLDS: Final[dict[type[ev.Event], Callable[[TradingState, Recorded, Any], None]]] = {
    ev.ParentOpened: _parent_opened,
    ev.ParentChanged: _parent_changed,
    ev.ParentEnded: _parent_ended,
    ev.GroupOpened: _group_opened,
    ev.GroupMemberSent: _group_sent,
    ev.GroupSwitched: _group_switched,
    ev.GroupRaced: _group_raced,
    ev.GroupEnded: _group_ended,
    ev.BracketAttached: _bracket_attached,
    ev.BracketGuarded: _bracket_guarded,
    ev.BracketEnded: _bracket_ended,
    ev.ReversalBegun: _reversal_begun,
    ev.ReversalEnded: _reversal_ended,
}
