"""Facts to rows of the journal and back."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, get_args

import msgspec

from optconsole.engine.events import AnyEvent, Recorded
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.chain import StoredEvent, link
from optconsole.engine.store.moments import stamp

_DECODER: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(AnyEvent)
_decode = _DECODER.decode
_moment = datetime.fromisoformat
KNOWN: Final = frozenset(kind.__name__ for kind in get_args(AnyEvent))
"""Type names this program can read."""


def encode(fact: Recorded, version: int, prev_hash: str) -> StoredEvent:
    """The row of ``fact``. Raises JournalBroken(UNWRITABLE) for what no database could give back unchanged."""
    event = fact.event
    if fact.at.tzinfo is None or "\0" in event.stream + fact.actor + fact.cause:
        raise unwritable(fact, "its time has no zone or its names hold a NUL character")
    at_ist, at_utc = _stamps(fact.at)
    try:
        payload = msgspec.json.encode(event).decode()
        row = StoredEvent(
            seq=fact.seq,
            stream=event.stream,
            version=version,
            type=type(event).__name__,
            at_ist=at_ist,
            at_utc=at_utc,
            actor=fact.actor,
            cause=fact.cause,
            payload=payload,
            prev_hash=prev_hash,
            hash="",
        )
        return row._replace(hash=link(row))
    except UnicodeEncodeError:
        raise unwritable(fact, "its text is not valid Unicode") from None


@lru_cache(maxsize=16)
def _stamps(at: datetime) -> tuple[str, str]:
    """A moment in IST and in UTC. Facts that leave together share it, and one decision often makes several."""
    return stamp(at.astimezone(IST)), stamp(at.astimezone(UTC))


def unwritable(fact: Recorded, why: str) -> JournalBroken:
    """The refusal of a fact that cannot be stored exactly as it is."""
    return JournalBroken("UNWRITABLE", f"Fact {fact.seq} ({type(fact.event).__name__}) was not stored: {why}.")


def decode(seq: int, at_ist: str, actor: str, cause: str, payload: str) -> Recorded:
    """The fact of a row.

    Raises JournalBroken: UNKNOWN_EVENT for a type this program does not know, UNREADABLE_EVENT for a damaged one.
    A fact is never skipped: a state folded without it would be wrong.
    """
    try:
        return Recorded(seq=seq, at=_moment(at_ist), actor=actor, cause=cause, event=_decode(payload))
    except (msgspec.DecodeError, ValueError) as error:
        raise _undecodable(seq, payload, error) from None


def _undecodable(seq: int, payload: str, error: Exception) -> JournalBroken:
    try:
        named = msgspec.json.decode(payload, type=dict[str, Any]).get("type")
    except (msgspec.DecodeError, ValueError):
        named = None
    if isinstance(named, str) and named not in KNOWN:
        return JournalBroken(
            "UNKNOWN_EVENT",
            f"Event {seq} of the journal is a {named!r}, which this version does not know; "
            "start the newer version that wrote it.",
        )
    return JournalBroken(
        "UNREADABLE_EVENT",
        f"Event {seq} of the journal cannot be read ({error}); restore the store from its last good copy.",
    )
