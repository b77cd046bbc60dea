"""How often things are looked at: a broker's book by what depends on it, the loop's own time four times a second."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.book import TradingState

WORKING, HOLDING, IDLE = 2.0, 5.0, 30.0
"""Seconds between two readings: while something works or is being closed, while something is held, otherwise."""
INTERVAL: Final = 0.25
"""Seconds between two beats of the watch over time."""
STALLED: Final = 2.0
"""Seconds by which a beat is late after which no new risk is taken before the brokers' books were read again (H05)."""
_GUARDED: Final = (WORKING, HOLDING)


def pace(state: TradingState, account: str) -> float:
    """Seconds until the account's book is to be read again."""
    if any(order.status.working and order.terms.account == account for order in state.orders.values()):
        return WORKING
    held = any(position.qty and position.key.account == account for position in state.positions.values())
    if held and state.flattening:
        return WORKING
    return HOLDING if held else IDLE


def guarded(state: TradingState, account: str) -> bool:
    """Whether the account has something that must not be out of sight."""
    return pace(state, account) in _GUARDED
