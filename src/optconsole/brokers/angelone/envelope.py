"""Every answer of the REST interface, read once: what it holds, or what went wrong and whether that is certain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import msgspec

from optconsole.brokers.transport.rest import Reply
from optconsole.engine.model.text import display

LIMIT_TEXT: Final = "access denied because of exceeding access rate"
"""The plain text of a 403 that means the rate limit, and no lost login."""
SESSION_CODES: Final = frozenset({"AG8001", "AG8002", "AG8003", "AB8050", "AB8051", "AB1010", "AB1011"})


class Kind(Enum):
    """What a failure is about."""

    LIMITED = "limited"
    """Over the rate: documented as not carried out."""
    SESSION = "session"
    REFUSED = "refused"
    """The broker says no, under a code."""
    UNREADABLE = "unreadable"
    """No answer in any documented shape; nothing follows from it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure. ``text`` is one sentence with the broker's own words made safe to show."""

    kind: Kind
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Held:
    """A success and its ``data``; null, an empty text and the text ``null`` are all None."""

    data: Any


def read(reply: Reply) -> Held | Fault:
    """What a reply says, whatever its status: the broker answers failures with 200, 400, 401 and 403 alike."""
    if reply.status == 403 and LIMIT_TEXT in reply.text().lower():
        return Fault(Kind.LIMITED, "RATE", "Angel One takes no more calls of this kind for now (access rate exceeded).")
    if reply.status >= 500:
        return _unreadable(reply)
    try:
        found = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _unreadable(reply)
    if not isinstance(found, dict):
        return _unreadable(reply)
    if _true(found.get("status")) and "success" not in found and reply.status == 200:
        return Held(_data(found.get("data")))
    code = _text(found.get("errorcode")) or _text(found.get("errorCode"))
    if _failed(found) and code:
        kind = Kind.SESSION if code in SESSION_CODES else Kind.REFUSED
        said = display(_text(found.get("message")) or "no reason given")
        return Fault(kind, code, f"Angel One: {said} ({code})")
    return _unreadable(reply)


def _failed(found: dict[str, Any]) -> bool:
    """Either envelope of a failure: ``status`` or ``success`` is false, as a truth value or as text."""
    return any(str(found.get(key, "")).lower() == "false" for key in ("status", "success"))


def _true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _data(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() in ("", "null") else value


def _text(value: object) -> str:
    return display(value.strip(), 200) if isinstance(value, str) else ""


def _unreadable(reply: Reply) -> Fault:
    said = reply.text(80) or "an empty body"
    return Fault(
        Kind.UNREADABLE, "", f"Angel One answered {reply.status} in no form that it documents: {display(said, 80)}"
    )
