"""What each order is for, and on whose behalf: an entry, a stop, a part of a larger one. Pure."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, RiskClass, Role
from optconsole.screens.formats import Formats

_ROLES: Final[dict[Role, str]] = {
    Role.STOP: "stop",
    Role.TARGET: "target",
    Role.EXIT: "exit",
    Role.HEDGE: "hedge",
    Role.KILL: "kill",
}
_BY_HAND: Final[dict[RiskClass, str]] = {
    RiskClass.INCREASE: "entry",
    RiskClass.REDUCE: "reduces",
    RiskClass.PROTECT: "guards",
}
HAND_STOP: Final = "hand stop"
_LONG: Final[dict[str, str]] = {
    "stop": "the stop of a position",
    "target": "the target of a position",
    "exit": "closes a position",
    "hedge": "hedges",
    "kill": "closes because of the kill",
    "entry": "opens or adds",
    "reduces": "reduces a position",
    "guards": "guards a position",
    HAND_STOP: "a stop placed by hand, which the engine does not keep the size of the position",
    "others": "sent by others",
}


def purposes(state: TradingState) -> dict[str, str]:
    """A word for each order by its id: ``stop``, ``part P1``, ``OCO T2``, ``entry``."""
    tied = {
        name: f"{group.kind.value} {group.id}"
        for group in state.groups.values()
        for names in group.sent
        for name in names
    }
    return {order.id: _purpose(order, state, tied.get(order.id, "")) for order in state.orders.values()}


def _purpose(order: Order, state: TradingState, tied: str) -> str:
    if order.foreign:
        return "others"
    if order.parent in state.parents:
        return f"part {order.parent}"
    if order.terms.type.has_trigger and order.risk is not RiskClass.INCREASE and order.role is Role.ENTRY:
        return tied or HAND_STOP
    return tied or _ROLES.get(order.role) or _BY_HAND[order.risk]


def purpose_line(word: str, order: Order, fmt: Formats) -> str:
    """``the stop of a position, for basket/straddle/ce``: what it is for and on whose behalf, in a sentence."""
    said = _LONG.get(word) or (f"a {word.replace(' ', ' of ')}" if word.startswith("part") else f"in {word}")
    return fmt.text(f"{said}, {behalf_words(order)}" if behalf(order) else said)


def behalf(order: Order) -> str:
    """The path of basket, strategy and leg; without one, who asked."""
    return order.terms.source or order.actor


def behalf_words(order: Order) -> str:
    """``for basket/straddle/ce`` or ``asked by key:ticket``."""
    return f"for {order.terms.source}" if order.terms.source else f"asked by {order.actor}"
