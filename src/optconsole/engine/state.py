"""``apply``, the only code that changes the trading state. Pure: no clock, no input, no output."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

import msgspec

from optconsole.engine import automation, composites, restraints
from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.folds import days, notices, orders, positions, wishes
from optconsole.engine.folds.transitions import IllegalTransition
from optconsole.engine.model.book import TradingState

__all__ = ["IllegalTransition", "apply", "digest"]


def apply(state: TradingState, fact: Recorded) -> TradingState:
    """Fold one fact into the state and return it. Raises IllegalTransition on a gap or an impossible fact."""
    seq = fact.seq
    if seq != state.seq + 1:
        raise IllegalTransition(f"fact {seq} cannot follow {state.seq}")
    event: Any = fact.event
    kind = type(event)
    fold = _APPLY[kind]
    if kind in _MOVING:
        known, name = state.orders, event.order_id
        before = known.get(name)
        fold(state, fact, event)
        restraints.order_moved(state, before, known[name])
    else:
        fold(state, fact, event)
    state.seq = seq
    return state


def digest(state: TradingState) -> str:
    """SHA-256 of the whole state in a canonical form: equal states, and only they, have equal digests."""
    return hashlib.sha256(msgspec.json.encode(state, order="deterministic")).hexdigest()


_APPLY: Final[dict[type[ev.Event], Callable[[TradingState, Recorded, Any], None]]] = {
    **days.FOLDS,
    **orders.FOLDS,
    **positions.FOLDS,
    **wishes.FOLDS,
    **notices.FOLDS,
    **restraints.APPLY,
    **composites.FOLDS,
    **automation.FOLDS,
}
_MOVING: Final = frozenset(kind for kind in _APPLY if issubclass(kind, ev.OrderEvent)) - restraints.STILL
"""Facts that may change how much of an order can still trade."""
