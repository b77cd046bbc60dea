"""Orders that depend on one another: groups, brackets and reversals. The broker knows nothing of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from optconsole.engine.model.orders import OrderTerms, Side
from optconsole.engine.model.positions import PositionKey


class GroupKind(StrEnum):
    """What a fill of one member does to the others (features OE-7)."""

    OCO = "OCO"
    """Any fill cancels the peers."""
    OUO = "OUO"
    """A fill takes as many units from each peer."""
    OTO = "OTO"
    """Fills of the first member release the others, sized to what is filled."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group and the orders sent for each of its members.

    ``orders`` are the terms as asked; ``sent`` the order ids of each member, in the same order. ``closes`` is set when
    the members close one position, ``alone`` when together they would close more than is open: then one rests at the
    exchange and the others wait here for their price. ``next`` is the member whose price was reached and that is sent
    once the resting one is provably gone. ``raced`` is set once more filled than the group was to allow.
    """

    id: str
    kind: GroupKind
    orders: tuple[OrderTerms, ...]
    lots: tuple[int, ...]
    sent: tuple[tuple[str, ...], ...]
    closes: bool
    alone: bool
    actor: str
    next: int | None = None
    raced: bool = False
    ended: bool = False
    why: str = ""
    cancelling: bool = False


class Bracket(msgspec.Struct, frozen=True, kw_only=True):
    """A stop and a target, in paise, that guard a position from the first fill of its entry ``entry_id`` on.

    ``guarded`` is how many of the filled units have been given their guard.
    """

    entry_id: str
    key: PositionKey
    side: Side
    stop: int | None
    target: int | None
    guarded: int = 0


class ReversalLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A position to be opened the other way round: ``side`` and ``qty`` of the new one."""

    key: PositionKey
    side: Side
    qty: int


class Reversal(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to hold the opposite. Its flatten has the same id; the legs open only once all of them are flat."""

    id: str
    kind: str
    name: str
    legs: tuple[ReversalLeg, ...]
    epoch: int
    since: datetime
    actor: str
