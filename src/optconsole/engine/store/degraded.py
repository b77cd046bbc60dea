"""What may still be written while the store takes nothing: everything that adds no risk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import RiskClass
from optconsole.engine.ports import JournalBroken

LIGHT: Final = (ev.CommandRefused, ev.CommandNoted, ev.OrderDenied, ev.NoticeRaised, ev.NoticeAcknowledged)
"""Facts on which no exit depends: they leave half of the emergency journal to those on which one does."""
LIGHT_SHARE: Final = 0.5


def adds_risk(state: TradingState, facts: Sequence[Recorded]) -> bool:
    """Whether one of the facts lets risk grow: an entry, a change of one, the release of the kill switch."""
    return any(_adds_risk(state, fact.event) for fact in facts)


def _adds_risk(state: TradingState, event: ev.AnyEvent) -> bool:
    match event:
        case ev.OrderIntended(risk=risk):
            return risk is RiskClass.INCREASE
        case ev.OrderChangeAsked(order_id=name):
            order = state.orders.get(name)
            return order is None or order.risk is RiskClass.INCREASE
        case ev.KillReleased():
            return True
        case _:
            return False


def share(facts: Sequence[Recorded]) -> float:
    """How far the facts may fill the emergency journal."""
    return LIGHT_SHARE if all(isinstance(fact.event, LIGHT) for fact in facts) else 1.0


def store_down(why: JournalBroken) -> JournalBroken:
    """The refusal of what adds risk; it passes once the store takes writes again."""
    return JournalBroken(
        "STORE_DOWN",
        f"The store takes no writes: {why.text} Until it does, only orders that reduce a position may leave.",
        passing=True,
    )


def store_lost(why: JournalBroken, also: OSError) -> JournalBroken:
    """Neither the store nor the emergency journal took a fact."""
    return JournalBroken(
        "STORE_LOST",
        f"Neither the store nor the emergency journal can be written ({also.strerror or also}); {why.text} "
        "Close positions at the broker.",
        passing=True,
    )


def says(fact: Recorded, stream: str | None, text: str | None) -> bool:
    """Whether a fact that is not in the store would be found by ``read``."""
    if stream is not None and fact.event.stream != stream:
        return False
    where = (msgspec.json.encode(fact.event).decode(), fact.event.stream, fact.actor, fact.cause)
    return not text or any(text.lower() in each.lower() for each in where)


def emergency_differs(seq: int) -> JournalBroken:
    """The emergency journal does not go on where the store ends."""
    return JournalBroken(
        "EMERGENCY_DIFFERS",
        f"The emergency journal goes on at fact {seq} of another journal than this store's; "
        "the store may be an older copy. Run `optconsole db check`.",
    )
