"""Where Angel One is reached, and how often it may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from optconsole.brokers.transport.pace import Budget

BudgetOf = Mapping[str, Budget | tuple[Budget, ...]]

BUDGETS: Final[BudgetOf] = {
    "login": Budget(1, 1.0),
    "tokens": (Budget(1, 1.0), Budget(1000, 3600.0)),
    "profile": (Budget(3, 1.0), Budget(1000, 3600.0)),
    "funds": Budget(2, 1.0),
    "order": (Budget(9, 1.0), Budget(500, 60.0), Budget(1000, 3600.0)),
    "orders": Budget(1, 1.0),
    "trades": Budget(1, 1.0),
    "positions": Budget(1, 1.0),
    "holdings": Budget(1, 1.0),
    "search": Budget(1, 1.0),
    # the table of limits says ten a second, the page of quotes one: the lower cannot be wrong
    "quote": (Budget(1, 1.0), Budget(500, 60.0), Budget(5000, 3600.0)),
    "margin": (Budget(10, 1.0), Budget(500, 60.0), Budget(5000, 3600.0)),
    "details": (Budget(10, 1.0), Budget(500, 60.0), Budget(5000, 3600.0)),
    "rules": (Budget(9, 1.0), Budget(500, 60.0), Budget(5000, 3600.0)),
    "candles": (Budget(3, 1.0), Budget(180, 60.0), Budget(5000, 3600.0)),
}
"""Calls of each kind that one client code may make; place, change and cancel share one."""


@dataclass(frozen=True, slots=True)
class AngelSettings:
    """The broker's own addresses unless told otherwise; ``client_id`` is the client code a login must be of.

    ``local_ip``, ``public_ip`` and ``mac`` fill headers that must be there and whose content nobody checks: the
    address that counts is the connection's own.
    """

    client_id: str = ""
    rest_url: str = "https://apiconnect.angelone.in"
    ws_url: str = "wss://smartapisocket.angelone.in/smart-stream"
    order_ws_url: str = "wss://tns.angelone.in/smart-order-update"
    master_url: str = "https://margincalculator.angelone.in/OpenAPI_File/files/OpenAPIScripMaster.json"
    local_ip: str = "127.0.0.1"
    public_ip: str = "127.0.0.1"
    mac: str = "00:00:00:00:00:00"
    budgets: BudgetOf = field(default_factory=lambda: BUDGETS)
    deadline: float = 8.0
    master_deadline: float = 90.0
    tokens_a_socket: int = 1000
    sockets: int = 3
    quotes_a_call: int = 50
    margin_a_call: int = 50
    ping_every: float = 4.0
    """Seconds between two ``ping`` of ours: two may be lost before the silence counts as a dead socket."""
    silence: float = 10.0
    sentinels: tuple[str, ...] = ("NIFTY", "BANKNIFTY")
    """Underlyings without which an instrument file is no whole one."""
