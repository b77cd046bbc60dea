"""Facts about what must come to be: flattens, the kill switch, stops and targets of positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.folds.transitions import IllegalTransition
from optconsole.engine.model.book import Flattening, TradingState
from optconsole.engine.model.protection import Protection


def _flatten_begun(state: TradingState, fact: Recorded, event: ev.FlattenBegun) -> None:
    state.flattening[event.flatten_id] = Flattening(
        id=event.flatten_id,
        kind=event.kind,
        name=event.name,
        percent=event.percent,
        why=event.why,
        actor=fact.actor,
        begun=fact.at,
        targets=event.targets,
        apart=event.apart,
        after=state.order_count,
    )


def _flatten_held(state: TradingState, _fact: Recorded, event: ev.FlattenHeld) -> None:
    wish = state.flattening.get(event.flatten_id)
    if wish is not None:
        state.flattening[wish.id] = msgspec.structs.replace(wish, held=event.text)


def _flatten_ended(state: TradingState, _fact: Recorded, event: ev.FlattenEnded) -> None:
    state.flattening.pop(event.flatten_id, None)


def _kill_engaged(state: TradingState, fact: Recorded, event: ev.KillEngaged) -> None:
    state.killed, state.kill_reason, state.killed_at = True, event.why, fact.at
    state.killed_after, state.strangers = state.order_count, {}


def _kill_released(state: TradingState, _fact: Recorded, _event: ev.KillReleased) -> None:
    state.killed, state.kill_reason, state.killed_at = False, "", None
    state.killed_after, state.strangers = 0, {}


def _protection_set(state: TradingState, fact: Recorded, event: ev.ProtectionSet) -> None:
    known = state.protections.get(event.name)
    if known is None or known.id != event.protection_id:
        state.protection_count += 1
    state.protections[event.name] = Protection(
        id=event.protection_id,
        key=event.key,
        source=event.source,
        sign=event.sign,
        stop=event.stop,
        target=event.target,
        mode=event.mode,
        wide=event.wide,
        since=fact.at,
    )


def _protection_changed(state: TradingState, fact: Recorded, event: ev.ProtectionEvent) -> None:
    guard = state.protections.get(event.name)
    if guard is None:
        raise IllegalTransition(f"{type(event).__name__} of {event.name}, which nothing guards")
    changes: dict[str, Any] = {}
    match event:
        case ev.ProtectionMoved():
            changes = {"state": event.state, "reason": event.reason, "since": fact.at}
        case ev.ProtectionCrossed():
            seen = fact.at if event.crossing else None
            changes = {"crossing": event.crossing, "crossed_at": seen, "crossed_ts": event.ts}
        case ev.ProtectionSight():
            changes = {"blind": event.blind}
    state.protections[event.name] = msgspec.structs.replace(guard, **changes)


def _protection_ended(state: TradingState, _fact: Recorded, event: ev.ProtectionEnded) -> None:
    state.protections.pop(event.name, None)


FOLDS: Final[dict[type[ev.Event], Callable[[TradingState, Recorded, Any], None]]] = {
    ev.FlattenBegun: _flatten_begun,
    ev.FlattenHeld: _flatten_held,
    ev.FlattenEnded: _flatten_ended,
    ev.KillEngaged: _kill_engaged,
    ev.KillReleased: _kill_released,
    ev.ProtectionSet: _protection_set,
    ev.ProtectionMoved: _protection_changed,
    ev.ProtectionCrossed: _protection_changed,
    ev.ProtectionSight: _protection_changed,
    ev.ProtectionTriggered: _protection_changed,
    ev.ProtectionEnded: _protection_ended,
}
