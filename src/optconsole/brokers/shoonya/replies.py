"""What Shoonya answers: an array or an object, success or failure, and the one text that means "nothing there"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from optconsole.engine.model.secrets import MASK, Secret
from optconsole.engine.model.text import display
from optconsole.engine.ports import BrokerUnreachable, LoginLost

Row = dict[str, Any]
R = TypeVar("R", bound=Row | list[Row])

_DEAD: Final = re.compile(r"\b(session expired|invalid session|invalid token)\b", re.IGNORECASE)
_NOTHING: Final = frozenset({'error occurred : 5 "no data"', "no data :", "no data"})
"""The texts of an empty book, lower case, without the escapes and braces that some replies put around them."""
_LOST: Final = "Shoonya ended the login. Log in again."


@dataclass(frozen=True, slots=True)
class Said:
    """One reply, read: ``value`` is its JSON, None where it has none; ``fault`` what it complains of, "" if nothing."""

    status: int
    value: Any
    fault: str

    @property
    def login_dead(self) -> bool:
        """Whether the token is refused."""
        return self.status in (401, 403) or bool(_DEAD.search(self.fault))

    @property
    def nothing(self) -> bool:
        """Whether it is the exact text of an empty book."""
        return self.status == 200 and bare(self.fault) in _NOTHING


def bare(text: str) -> str:
    """A text of the OMS without the escapes and braces it is sometimes wrapped in."""
    return " ".join(re.sub(r"[\\{}]", "", text).lower().split())


def masked(body: bytes, *secrets: Secret) -> bytes:
    """What came back without secrets of ours that it may repeat: it is read, shown and kept as evidence."""
    for secret in secrets:
        if secret:
            body = body.replace(secret.reveal().encode(), MASK.encode())
    return body


def understand(status: int, body: bytes) -> Said:
    """Read a reply, whatever it is; nothing is raised for what may come."""
    value = _decoded(body)
    complaint = value[0] if isinstance(value, list) and len(value) == 1 else value
    fault = ""
    if isinstance(complaint, dict):
        said = complaint.get("emsg")
        if said or str(complaint.get("stat", "ok")).lower() == "not_ok":
            fault = str(said or "Not_Ok without a word")
    if status != 200 and not fault:
        fault = f"HTTP {status}"
    if value is None and not fault:
        fault = "no JSON: " + display(body[:120].decode("utf-8", "replace"), 120)
    return Said(status, value, fault)


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        # a reply is now and then several objects, one a line
        several = msgspec.json.Decoder().decode_lines(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return several or None


def rows(said: Said, what: str) -> list[Row]:
    """The rows of a list endpoint. Raises LoginLost, and BrokerUnreachable for anything that is not a list."""
    if said.nothing:
        return []
    _require(said, what)
    if not isinstance(said.value, list) or not all(_sound(row) for row in said.value):
        raise BrokerUnreachable(f"Shoonya's {what} is no list.")
    return said.value


def fields(said: Said, what: str) -> Row:
    """The object of an endpoint that answers with one. Raises LoginLost, BrokerUnreachable."""
    _require(said, what)
    if not isinstance(said.value, dict) or str(said.value.get("stat", "")).lower() != "ok":
        raise BrokerUnreachable(f"Shoonya's {what} is not a plain answer.")
    return said.value


def _sound(row: object) -> bool:
    """Whether a row is one: among others, a failure may be packed into an array as well."""
    return isinstance(row, dict) and str(row.get("stat", "ok")).lower() != "not_ok"


def _require(said: Said, what: str) -> None:
    if said.login_dead:
        raise LoginLost(_LOST)
    if said.fault:
        raise BrokerUnreachable(f"Shoonya refused its {what}: {display(said.fault)}")
