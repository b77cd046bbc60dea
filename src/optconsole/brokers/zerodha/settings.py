"""Where Kite is and how much it takes. The hosts are the broker's own; a rehearsal or a test names others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from optconsole.brokers.transport.pace import Budget

ORDERS: Final = "orders"
QUOTES: Final = "quotes"
HISTORY: Final = "history"
OTHERS: Final = "others"

BUDGETS: Final[Mapping[str, Budget]] = {
    ORDERS: Budget(10, 1.0),
    QUOTES: Budget(1, 1.0),
    HISTORY: Budget(3, 1.0),
    OTHERS: Budget(10, 1.0),
}
"""Calls a second by kind; orders count place, modify and cancel together."""


@dataclass(frozen=True, slots=True)
class KiteSettings:
    """``algo_id`` is the exchange's number of a registered strategy, empty below ten orders a second."""

    rest_url: str = "https://api.kite.trade"
    ws_url: str = "wss://ws.kite.trade"
    master_url: str = ""
    """Where the instrument file is; the REST address has it where this is empty."""
    login_url: str = "https://kite.zerodha.com/connect/login"
    algo_id: str = ""
    deadline: float = 8.0
    sockets: int = 3
    per_socket: int = 3000
    """Instruments one socket takes; more are answered by an error frame."""
    per_message: int = 200
    quotes_per_call: int = 500
    probe_every: float = 1.0
    """Seconds between two calls for quotes while the stream is down."""
    silence: float = 8.0
    """Seconds without a byte after which a socket counts as dead; Kite sends a heartbeat every few seconds."""
