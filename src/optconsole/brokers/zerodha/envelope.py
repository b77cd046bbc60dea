"""What every answer of Kite is wrapped in."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from optconsole.brokers.transport.rest import Reply
from optconsole.engine.model.text import display
from optconsole.engine.ports import BrokerUnreachable, LoginLost

T = TypeVar("T")
SAID: Final = 200
"""Characters of a broker's own text that a reason may hold."""


class Envelope(msgspec.Struct, frozen=True):
    """``status`` is success or error; ``data`` stays undecoded until it is known what it should be."""

    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    message: str | None = ""
    error_type: str | None = ""

    @property
    def said(self) -> str:
        """The broker's own sentence, safe to show."""
        return display(self.message or "", SAID)


_ENVELOPES: Final = msgspec.json.Decoder(Envelope)


def envelope(reply: Reply) -> Envelope | None:
    """The envelope of an answer; None where it is none, such as a page of HTML."""
    try:
        return _ENVELOPES.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def session_dead(reply: Reply) -> bool:
    """Whether the broker says that it no longer knows the token."""
    if reply.status not in (401, 403):
        return False
    said = envelope(reply)
    return said is not None and said.error_type == "TokenException"


def payload(reply: Reply, what: str, kind: type[T]) -> T:
    """The data of a successful read. Raises LoginLost, or BrokerUnreachable for anything that is not the data asked."""
    said = envelope(reply)
    if session_dead(reply):
        raise LoginLost(f"Zerodha no longer knows this login: {said.said if said else ''}".rstrip(": "))
    if said is None:
        raise BrokerUnreachable(f"Zerodha answered {reply.status} and no JSON to the request for {what}.")
    if reply.status != 200 or said.status != "success":
        raise BrokerUnreachable(f"Zerodha would not give {what} ({reply.status}): {said.said or 'no reason given'}")
    try:
        return msgspec.json.decode(said.data, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise BrokerUnreachable(
            f"Zerodha's {what} cannot be read ({display(str(wrong), SAID)}); nothing is assumed of it."
        ) from wrong
