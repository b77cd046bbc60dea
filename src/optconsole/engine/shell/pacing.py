"""How often a broker's book is read: by what depends on it."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.book import TradingState

WORKING, HOLDING, IDLE = 2.0, 5.0, 30.0
"""Seconds between two readings: while something works, while something is held, otherwise."""
_GUARDED: Final = (WORKING, HOLDING)


def pace(state: TradingState, account: str) -> float:
    """Seconds until the account's book is to be read again."""
    if any(order.status.working and order.terms.account == account for order in state.orders.values()):
        return WORKING
    held = any(position.qty and position.key.account == account for position in state.positions.values())
    return HOLDING if held else IDLE


def guarded(state: TradingState, account: str) -> bool:
    """Whether the account has something that must not be out of sight."""
    return pace(state, account) in _GUARDED
