"""What travels over the socket: length-prefixed frames, each one tagged message.

A frame is four bytes of length, big-endian, then the message as JSON. JSON and not MessagePack, because
MessagePack's timestamp keeps no offset: IST times would come back as UTC, and a mirror's digest would no
longer equal the engine's.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.events import Recorded
from optconsole.engine.model.access import Access
from optconsole.engine.ports import Beat, Snapshot
from optconsole.engine.queries import AnyAnswer, AnyQuery

PROTOCOL: Final = 3
"""Grows with every change of a message; both ends must agree."""

MAX_REQUEST: Final = 1 << 20
"""Bytes of one frame towards the engine."""

MAX_FRAME: Final = 64 << 20
"""Bytes of one frame towards a console: a snapshot is the largest."""

FACTS_AHEAD: Final = 2_000
"""Facts of one subscription that may be on their way to a console or unread there."""

_PREFIX: Final = 4


class Message(msgspec.Struct, frozen=True, tag=True):
    """Base of everything on the wire. ``rid`` ties an answer or a stream to the request that opened it."""


class Hello(Message, frozen=True):
    """First words of both ends. Its shape never changes, so that any two versions can tell each other apart."""

    protocol: int
    version: str


class Turned(Message, frozen=True):
    """The engine's last words on a connection it will not serve."""

    code: str
    text: str


class Submit(Message, frozen=True):
    rid: int
    command: AnyCommand


class Ask(Message, frozen=True):
    rid: int
    query: AnyQuery


class TakeSnapshot(Message, frozen=True):
    rid: int


class Ping(Message, frozen=True):
    rid: int


class TakeAccess(Message, frozen=True):
    """Give up what this connection does not need; it is not got back. Answered by Pong, or Failed for more."""

    rid: int
    access: Access


class Unlock(Message, frozen=True):
    """Open the vault. Answered by Unlocked, yes or no and nothing else; never journalled, logged or shown."""

    rid: int
    passphrase: str

    def __repr__(self) -> str:
        return f"Unlock(rid={self.rid})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("rid", self.rid)]


class OpenFacts(Message, frozen=True):
    """Subscribe to every fact above ``after``."""

    rid: int
    after: int


class FactsRead(Message, frozen=True):
    """The console has taken the facts up to ``seq``; more may be sent."""

    rid: int
    seq: int


class OpenTap(Message, frozen=True):
    rid: int
    hz: float


class WatchTap(Message, frozen=True):
    rid: int
    names: tuple[str, ...]


class CloseStream(Message, frozen=True):
    """End the subscription or tap ``rid``."""

    rid: int


Request = (
    Submit | Ask | TakeSnapshot | Ping | TakeAccess | Unlock | OpenFacts | FactsRead | OpenTap | WatchTap | CloseStream
)


class Replied(Message, frozen=True):
    rid: int
    reply: Reply


class Answered(Message, frozen=True):
    rid: int
    answer: AnyAnswer


class SnapshotTaken(Message, frozen=True):
    rid: int
    snapshot: Snapshot


class Pong(Message, frozen=True):
    rid: int


class Unlocked(Message, frozen=True):
    """Whether the vault is open now."""

    rid: int
    ok: bool


class Facts(Message, frozen=True):
    """The next facts of a subscription, in order."""

    rid: int
    facts: tuple[Recorded, ...]


class TapBeat(Message, frozen=True):
    """The next beat of a tap."""

    rid: int
    beat: Beat


class Ended(Message, frozen=True):
    """A subscription or tap has nothing more to say."""

    rid: int


class Failed(Message, frozen=True):
    """The request could not be answered, and why."""

    rid: int
    code: str
    text: str


Response = Replied | Answered | SnapshotTaken | Pong | Unlocked | Facts | TapBeat | Ended | Failed | Turned


class BadFrame(Exception):
    """Bytes that are not a message of this protocol. The text is one sentence."""


_ENCODER: Final = msgspec.json.Encoder()
_HELLO: Final[msgspec.json.Decoder[Hello | Turned]] = msgspec.json.Decoder(Hello | Turned)
_REQUEST: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(Request)
_RESPONSE: Final[msgspec.json.Decoder[Response]] = msgspec.json.Decoder(Response)
_UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def frame(message: Message, limit: int = MAX_FRAME) -> bytes:
    """The bytes of a message, prefix included. Raises BadFrame when the other end would not take it."""
    try:
        body = _ENCODER.encode(message)
    except UnicodeEncodeError:
        raise BadFrame("A message holds text that is not Unicode.") from None
    if len(body) > limit:
        raise BadFrame(f"A message of {len(body)} bytes is larger than the {limit} the link carries.")
    return len(body).to_bytes(_PREFIX, "big") + body


async def read_body(reader: asyncio.StreamReader, limit: int) -> bytes:
    """The next frame's body. Raises BadFrame for a length outside the limit, IncompleteReadError at the end."""
    length = int.from_bytes(await reader.readexactly(_PREFIX), "big")
    if not 0 < length <= limit:
        raise BadFrame(f"A frame of {length} bytes is outside what the link carries (1 to {limit}).")
    return await reader.readexactly(length)


def decode_hello(body: bytes) -> Hello | Turned:
    """The first message of a connection. Raises BadFrame."""
    try:
        return _HELLO.decode(body)
    except _UNDECODABLE as error:
        raise _stranger(error) from None


def decode_request(body: bytes) -> Request:
    """A console's message. Raises BadFrame."""
    try:
        return _REQUEST.decode(body)
    except _UNDECODABLE as error:
        raise _stranger(error) from None


def decode_response(body: bytes) -> Response:
    """An engine's message. Raises BadFrame."""
    try:
        return _RESPONSE.decode(body)
    except _UNDECODABLE as error:
        raise _stranger(error) from None


def _stranger(error: Exception) -> BadFrame:
    return BadFrame(f"A frame is not a message of the link's protocol {PROTOCOL}: {error}")
