"""What one broker's wire is to the rehearsal: it names calls, answers them, and talks over its stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

import msgspec

from optconsole.brokers.rehearsal.peer import Peer
from optconsole.brokers.rehearsal.server import SocketHandler
from optconsole.brokers.rehearsal.wire import Request, Response
from optconsole.engine.model.errors import Refusal

PLACE: Final = "place"
MODIFY: Final = "modify"
CANCEL: Final = "cancel"
BOOK: Final = "book"
TRADES: Final = "trades"
POSITIONS: Final = "positions"
FUNDS: Final = "funds"
ORDER_CALLS: Final = frozenset({PLACE, MODIFY, CANCEL})
"""Those for which brokers check the registered address."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request by the name faults know it by, with the fields they may look at.

    Names every dialect shares: place, modify, cancel, book (all orders), order (one order's history), trades,
    positions, holdings, funds, margin, quote, candles, instruments, profile, login, logout, gtt; else its own.
    """

    op: str
    fields: Mapping[str, str] = field(default_factory=dict)


class Dialect(Protocol):
    """One broker's wire over a market."""

    @property
    def name(self) -> str: ...

    def call(self, request: Request) -> Call:
        """What is asked. Never raises."""
        ...

    async def handle(self, request: Request) -> Response:
        """Answer, truly."""
        ...

    def welcome(self, request: Request) -> Response | None:
        """A refusal of an upgrade; None where the stream may begin."""
        ...

    def refused_stream(self, request: Request) -> Response | SocketHandler:
        """How an upgrade with a dead login is refused; some wires take the upgrade and refuse within it."""
        ...

    async def socket(self, request: Request, peer: Peer) -> None:
        """Talk to one stream until it ends."""
        ...

    def foreign(self, request: Request, ip: str) -> Response:
        """How an order call from an address that is not registered is refused."""
        ...

    def emptied(self, call: Call, response: Response) -> Response:
        """A read's answer with nothing in it, as this broker says so."""
        ...

    def halved(self, call: Call, response: Response) -> Response:
        """A read's answer with the first half of its rows."""
        ...

    def revoke(self, rollover: bool) -> None:
        """Kill the login; with ``rollover`` as at night, with every stream."""
        ...

    def login(self) -> Mapping[str, str]:
        """Make a fresh login without its ceremony; the credentials a client needs."""
        ...

    def ready(self) -> Mapping[str, object]:
        """What a client must know: test credentials, and paths where they are not the broker's usual."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Habitual(Protocol):
    """A dialect whose broker has bad habits of its own, which can be switched while it serves."""

    def habits(self) -> Mapping[str, object]:
        """The present ones by name."""
        ...

    def take_habits(self, changes: Mapping[str, object]) -> None:
        """Change some and leave the others. Raises Refusal(BAD_HABITS)."""
        ...


def set_habits(dialect: Dialect, changes: Mapping[str, object]) -> None:
    """Change a dialect's bad habits. Raises Refusal(BAD_HABITS) for one it has not."""
    if isinstance(dialect, Habitual):
        dialect.take_habits(changes)
    elif changes:
        raise Refusal("BAD_HABITS", f"The rehearsal of {dialect.name} has no habits to switch.")


def fewer(body: bytes, key: str | None, keep: float) -> bytes:
    """A JSON body whose list (under ``key``, or the body itself) keeps a share of its rows; else unchanged."""
    try:
        whole = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    rows = whole if key is None else whole.get(key) if isinstance(whole, dict) else None
    if isinstance(rows, dict):
        return msgspec.json.encode({**whole, key: {name: _share(value, keep) for name, value in rows.items()}})
    if not isinstance(rows, list):
        return body
    kept = _share(rows, keep)
    return msgspec.json.encode(kept if key is None else {**whole, key: kept})


def _share(rows: object, keep: float) -> object:
    return rows[: int(len(rows) * keep)] if isinstance(rows, list) else rows
