"""Shorts that nothing at the exchange guards: what is lost with the way to a broker (reliability B08)."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import OrderStatus, Role, Side
from optconsole.engine.model.positions import Position

_LIVE: Final = (OrderStatus.OPEN, OrderStatus.TRIGGER_PENDING, OrderStatus.PARTIAL)


def stopless_shorts(state: TradingState, account: str) -> list[Position]:
    """Short positions of an account for which the stops that its book showed do not cover every unit."""
    return [
        position
        for position in state.positions.values()
        if position.key.account == account and position.qty < 0 and _stops(state, position) < -position.qty
    ]


def _stops(state: TradingState, position: Position) -> int:
    """Units that stops at the exchange would buy back; one of ours counts only as far as the book showed it."""
    key = position.key
    return sum(
        order.remaining
        for order in state.orders.values()
        if (order.terms.account, order.terms.product, order.terms.contract) == (key.account, key.product, key.contract)
        and order.terms.side is Side.BUY
        and order.status in _LIVE
        and (order.confirmed if order.role is Role.STOP else order.terms.type.has_trigger)
    )


def told(shorts: list[Position]) -> str:
    """How many, and which, as a sentence for the alarm."""
    if not shorts:
        return "No short position there is without its stop at the exchange."
    names = ", ".join(position.key.contract for position in shorts[:3]) + (" …" if len(shorts) > 3 else "")
    plural = "position stands" if len(shorts) == 1 else "positions stand"
    return f"{len(shorts)} short {plural} there without a stop at the exchange: {names}. Watch the broker's own screen."
