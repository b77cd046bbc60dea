"""Where Angel One is reached, and how often it may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from optconsole.brokers.transport.pace import Budget

BudgetOf = Mapping[str, Budget | tuple[Budget, ...]]

SECOND, MINUTE, HOUR = 1.1, 61.0, 3605.0
"""Windows with a little over for what the network bunches together."""

_SINGLE: Final = Budget(1, SECOND)
_TEN: Final = (Budget(10, SECOND), Budget(500, MINUTE), Budget(5000, HOUR))
BUDGETS: Final[BudgetOf] = {
    "login": _SINGLE,
    "tokens": (_SINGLE, Budget(1000, HOUR)),
    "profile": (Budget(3, SECOND), Budget(1000, HOUR)),
    "funds": Budget(2, SECOND),
    "order": (Budget(9, SECOND), Budget(500, MINUTE), Budget(1000, HOUR)),
    "orders": _SINGLE,
    "trades": _SINGLE,
    "positions": _SINGLE,
    "holdings": _SINGLE,
    # the table of limits says ten a second, the page of quotes one: the lower cannot be wrong
    "quote": (_SINGLE, Budget(500, MINUTE), Budget(5000, HOUR)),
    "margin": _TEN,
    "details": _TEN,
    "rules": (Budget(9, SECOND), Budget(500, MINUTE), Budget(5000, HOUR)),
    "candles": (Budget(3, SECOND), Budget(180, MINUTE), Budget(5000, HOUR)),
}
"""Calls of each kind that one client code may make; place, change and cancel share one."""


REST: Final = "https://apiconnect.angelone.in"
TICKS: Final = "wss://smartapisocket.angelone.in/smart-stream"
UPDATES: Final = "wss://tns.angelone.in/smart-order-update"
MASTER: Final = "https://margincalculator.angelone.in/OpenAPI_File/files/OpenAPIScripMaster.json"


@dataclass(frozen=True, slots=True)
class AngelSettings:
    """``client_id`` is the client code a login must be of.

    Addresses that are left empty are the broker's own, unless ``rest_url`` leads elsewhere: then the others lead there
    as well, under the broker's own paths, so that a rehearsal's tokens never reach the broker nor the broker's tokens a
    rehearsal. A socket's address without a path is given the broker's.

    ``local_ip``, ``public_ip`` and ``mac`` fill headers that must be there and whose content nobody checks: the
    address that counts is the connection's own.
    """

    client_id: str = ""
    rest_url: str = REST
    ws_url: str = ""
    order_ws_url: str = ""
    master_url: str = ""
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
    sentinels: tuple[str, ...] = ("NIFTY",)
    """Underlyings without which an instrument file is no whole one."""

    def __post_init__(self) -> None:
        own = self.rest_url == REST
        socket = self.ws_url or (TICKS if own else self.rest_url.replace("http", "ws", 1))
        elsewhere = "" if socket == TICKS else _host(socket)
        # a frozen dataclass sets what it derives the long way
        object.__setattr__(self, "ws_url", _with_path(socket, TICKS))
        object.__setattr__(self, "order_ws_url", _with_path(self.order_ws_url or elsewhere or UPDATES, UPDATES))
        object.__setattr__(self, "master_url", self.master_url or (MASTER if own else self.rest_url + _path(MASTER)))


def _host(url: str) -> str:
    """Scheme and host of an address."""
    return "/".join(url.split("/", 3)[:3])


def _path(url: str) -> str:
    return url.removeprefix(_host(url))


def _with_path(url: str, like: str) -> str:
    """An address, with the path of another where it has none."""
    return url if _path(url) not in ("", "/") else _host(url) + _path(like)
