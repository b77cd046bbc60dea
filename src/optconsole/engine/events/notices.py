"""Notices, dead letters, and commands that left no other fact."""

from __future__ import annotations

from optconsole.engine.events.base import Event


class NoticeRaised(Event, frozen=True, kw_only=True):
    """Something the trader must know. ``level`` is info, warning or alarm."""

    level: str
    code: str
    text: str
    subject: str = ""


class NoticeAcknowledged(Event, frozen=True, kw_only=True):
    """The trader has seen every notice up to ``upto`` (a journal sequence number)."""

    upto: int


class InputSetAside(Event, frozen=True, kw_only=True):
    """A broker's row could not be taken into the book; ``row`` is its JSON. The same id again is one more failure."""

    letter_id: str
    account: str
    kind: str
    row: str
    why: str


class InputReplayed(Event, frozen=True, kw_only=True):
    """A row that was set aside was heard again, and now it could be taken in."""

    letter_id: str


class InputDropped(Event, frozen=True, kw_only=True):
    """The trader put a row away that was set aside."""

    letter_id: str


class CommandRefused(Event, frozen=True, kw_only=True):
    """A command was understood and not done."""

    command: str
    code: str
    reason: str


class CommandNoted(Event, frozen=True, kw_only=True):
    """A command was carried out and there was nothing to change; that it was asked stays on record."""

    command: str
    text: str
