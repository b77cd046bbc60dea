"""The fault verbs that concern a wire, as data: which calls and messages go wrong, when, and how."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal


class _Trigger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="verb"):
    """When a fault acts. Every part that is given must hold.

    ``op`` is a pattern of operations (``place``, ``book``, ``*``), or of kinds of messages for stream faults; ``when``
    patterns of the call's own fields; ``at`` and ``until`` market times HH:MM[:SS]; ``nth`` the one matching call it
    acts on, counted from 1; ``times`` how often it acts at most; ``p`` its probability, from the plan's seeded tape.
    """

    op: str = "*"
    when: dict[str, str] = {}
    at: str | None = None
    until: str | None = None
    nth: int | None = None
    times: int | None = None
    p: float | None = None

    def __post_init__(self) -> None:
        for moment in (self.at, self.until):
            if moment is not None:
                time.fromisoformat(moment)
        if self.p is not None and not 0.0 <= self.p <= 1.0:
            raise ValueError(f"p is {self.p}; give 0 to 1")

    def concerns(self, op: str, fields: Mapping[str, str], now: datetime) -> bool:
        """Whether everything but the counting holds."""
        clock = now.time()
        return (
            fnmatchcase(op, self.op)
            and all(fnmatchcase(fields.get(name, ""), pattern) for name, pattern in self.when.items())
            and (self.at is None or clock >= time.fromisoformat(self.at))
            and (self.until is None or clock < time.fromisoformat(self.until))
        )


class RestDrop(_Trigger, frozen=True, kw_only=True, tag="rest.drop"):
    """The request never reaches the broker; the connection ends after ``seconds``, or never with ``hang``."""

    seconds: float = 0.0
    hang: bool = False


class RestAcceptDrop(_Trigger, frozen=True, kw_only=True, tag="rest.accept_drop"):
    """The broker executes; the answer is lost."""

    seconds: float = 0.0
    hang: bool = False


class RestLate(_Trigger, frozen=True, kw_only=True, tag="rest.late"):
    """The client gets no answer, or ``status`` and ``body``; the broker executes ``seconds`` later."""

    seconds: float
    status: int = 0
    body: str = ""


class RestReply(_Trigger, frozen=True, kw_only=True, tag="rest.reply"):
    """Any status, body and headers (JSON by default); with ``exec`` the broker executes before it answers so."""

    status: int
    body: str = ""
    headers: dict[str, str] = {}
    exec: bool = False


class RestSlow(_Trigger, frozen=True, kw_only=True, tag="rest.slow"):
    """The answer comes ``seconds`` late."""

    seconds: float


class RestTrickle(_Trigger, frozen=True, kw_only=True, tag="rest.trickle"):
    """The answer comes one byte at a time, ``gap`` seconds apart."""

    gap: float = 0.05


class RestStale(_Trigger, frozen=True, kw_only=True, tag="rest.stale"):
    """A read is answered as it would have been ``seconds`` of market time ago, as far as it was asked then."""

    seconds: float


class RestEmpty(_Trigger, frozen=True, kw_only=True, tag="rest.empty"):
    """A read succeeds and shows nothing."""


class RestPartial(_Trigger, frozen=True, kw_only=True, tag="rest.partial"):
    """A read succeeds and shows the first half of its rows; with ``cut``, that many bytes and a closed connection."""

    cut: int | None = None


class WsDrop(_Trigger, frozen=True, kw_only=True, tag="ws.drop"):
    """The stream ends without a word."""


class WsFreeze(_Trigger, frozen=True, kw_only=True, tag="ws.freeze"):
    """The stream stays open and says nothing more, not even pongs."""


class WsHalfOpen(_Trigger, frozen=True, kw_only=True, tag="ws.half_open"):
    """The stream stays open at the client's end only: nothing is heard of it either."""


class WsDup(_Trigger, frozen=True, kw_only=True, tag="ws.dup"):
    """A message comes twice."""


class WsReorder(_Trigger, frozen=True, kw_only=True, tag="ws.reorder"):
    """A message comes after the next one."""


class WsLose(_Trigger, frozen=True, kw_only=True, tag="ws.lose"):
    """A message is lost."""


class WsGarbage(_Trigger, frozen=True, kw_only=True, tag="ws.garbage"):
    """Something unreadable comes before a message: ``hex`` as a binary message, else ``text``."""

    hex: str = ""
    text: str = ""


class WsRefuseAuth(_Trigger, frozen=True, kw_only=True, tag="ws.refuse_auth"):
    """The handshake is refused as with a dead login (``op`` is ``connect``)."""


class ExPartial(_Trigger, frozen=True, kw_only=True, tag="ex.partial"):
    """The exchange fills ``units`` of an order and no more; the rest stays open."""

    units: int


class ExRejectAfterAck(_Trigger, frozen=True, kw_only=True, tag="ex.reject_after_ack"):
    """The order is taken, then refused by the risk desk."""

    reason: str = "RMS:Blocked for the client"


class ExRejectAtTrigger(_Trigger, frozen=True, kw_only=True, tag="ex.reject_at_trigger"):
    """A stop waits, and is refused by the exchange when its trigger comes."""

    reason: str = "16387 : The price is out of the execution range"


class ExNeverFill(_Trigger, frozen=True, kw_only=True, tag="ex.never_fill"):
    """The order rests for ever whatever the market does."""


class ExBrokerCloses(_Trigger, frozen=True, kw_only=True, tag="ex.broker_closes"):
    """The broker closes every open position on its own account (``op`` is any call; give ``at`` or ``nth``)."""


class AuthRevoke(_Trigger, frozen=True, kw_only=True, tag="auth.revoke"):
    """The login dies."""


class AuthRollover(_Trigger, frozen=True, kw_only=True, tag="auth.rollover"):
    """The broker's night: every login dies and streams with it."""


class NetEgress(_Trigger, frozen=True, kw_only=True, tag="net.egress"):
    """Calls seem to come from another address than the one registered."""

    ip: str = "203.0.113.9"


RestFault = (
    RestDrop | RestAcceptDrop | RestLate | RestReply | RestSlow | RestTrickle | RestStale | RestEmpty | RestPartial
)
StreamFault = WsDrop | WsFreeze | WsHalfOpen | WsDup | WsReorder | WsLose | WsGarbage | WsRefuseAuth
ExchangeFault = ExPartial | ExRejectAfterAck | ExRejectAtTrigger | ExNeverFill | ExBrokerCloses
AuthFault = AuthRevoke | AuthRollover | NetEgress
Fault = (
    RestDrop
    | RestAcceptDrop
    | RestLate
    | RestReply
    | RestSlow
    | RestTrickle
    | RestStale
    | RestEmpty
    | RestPartial
    | WsDrop
    | WsFreeze
    | WsHalfOpen
    | WsDup
    | WsReorder
    | WsLose
    | WsGarbage
    | WsRefuseAuth
    | ExPartial
    | ExRejectAfterAck
    | ExRejectAtTrigger
    | ExNeverFill
    | ExBrokerCloses
    | AuthRevoke
    | AuthRollover
    | NetEgress
)


class FaultFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of faults: TOML with ``[[faults]]`` tables, or the same as JSON.

    ``habits`` are the bad habits of one broker's own wire, by the names its rehearsal gives them.
    """

    faults: list[Fault] = []
    seed: int = 1
    habits: dict[str, bool | int | None] = {}


LARGEST_FILE: Final = 1_000_000


def read_faults(path: Path) -> FaultFile:
    """Faults of a TOML or JSON file. Raises Refusal(BAD_FAULTS)."""
    try:
        data = path.read_bytes()[: LARGEST_FILE + 1]
        if len(data) > LARGEST_FILE:
            raise Refusal("BAD_FAULTS", f"{path} is too large to be a file of faults.")
        if path.suffix == ".toml":
            return msgspec.convert(tomllib.loads(data.decode()), FaultFile)
        return msgspec.json.decode(data, type=FaultFile)
    except OSError as failed:
        raise Refusal("BAD_FAULTS", f"The faults in {path} cannot be read: {failed.strerror}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.MsgspecError) as wrong:
        raise Refusal("BAD_FAULTS", f"{path} is not a file of faults: {wrong}.") from wrong


def decode_faults(data: bytes) -> Sequence[Fault]:
    """A JSON list of faults. Raises Refusal(BAD_FAULTS)."""
    try:
        return msgspec.json.decode(data, type=list[Fault])
    except msgspec.MsgspecError as wrong:
        raise Refusal("BAD_FAULTS", f"That is no list of faults: {wrong}.") from wrong
