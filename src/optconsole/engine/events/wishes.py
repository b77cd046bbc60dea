"""Flattens and the kill switch."""

from __future__ import annotations

from optconsole.engine.events.base import Event


class FlattenBegun(Event, frozen=True, kw_only=True):
    """A wish to be flat in a scope, kept until it is so.

    A part exit (``percent`` below 100) fixes what it leaves open: ``targets`` in signed units by position key, or by
    source for the part of one leg of a run. ``apart`` also leaves what others hold against, which opens in the account.
    """

    flatten_id: str
    kind: str
    name: str
    percent: int
    why: str
    targets: dict[str, int] = {}
    apart: bool = False


class FlattenHeld(Event, frozen=True, kw_only=True):
    """A flatten cannot go on just now, and why; an empty ``text`` says that it goes on."""

    flatten_id: str
    text: str


class FlattenEnded(Event, frozen=True, kw_only=True):
    """A flatten is over: nothing is left to close and nothing works, unless ``text`` says what is left.

    ``orders`` were sent for it, ``cancelled`` orders and ``closed`` positions counted.
    """

    flatten_id: str
    orders: tuple[str, ...]
    text: str = ""
    cancelled: int = 0
    closed: int = 0


class KillEngaged(Event, frozen=True, kw_only=True):
    """The kill switch is latched: no order that adds risk may leave."""

    why: str


class KillReleased(Event, frozen=True, kw_only=True):
    """The kill switch was released by typed text."""
