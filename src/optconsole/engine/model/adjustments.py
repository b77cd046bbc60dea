"""What a person may change about the legs of a run that is under way, and how far such a change has come (BK-8).

An adjustment is a row of moves, some of which close a leg and some of which open one. Moves of one step leave together;
a step begins once everything before it is filled.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Leg
from optconsole.engine.model.strikes import AnyStrike, ExpiryRule


class AdjustRule(msgspec.Struct, frozen=True, kw_only=True, tag_field="adjust"):
    """Base of the ways to adjust a run."""


class RollLeg(AdjustRule, frozen=True, kw_only=True, tag="roll"):
    """Move a leg to another expiry, to another strike, or both; what is not given stays as it is."""

    leg: str
    expiry: ExpiryRule | None = None
    strike: AnyStrike | None = None


class ShiftLeg(AdjustRule, frozen=True, kw_only=True, tag="shift"):
    """Move a leg by so many listed strikes: positive further out of the money, negative towards and into it."""

    leg: str
    steps: int


class AddHedge(AdjustRule, frozen=True, kw_only=True, tag="hedge"):
    """Buy protection for a sold leg: ``steps`` listed strikes further out of the money, or by ``strike``."""

    leg: str
    steps: int = 4
    strike: AnyStrike | None = None


class Convert(AdjustRule, frozen=True, kw_only=True, tag="convert"):
    """Make an iron fly of a sold straddle, or an iron condor of a strangle: wings ``steps`` listed strikes outside."""

    steps: int = 4


class DeltaNeutral(AdjustRule, frozen=True, kw_only=True, tag="neutral"):
    """Add lots to one leg until the run's net delta is within ``bound`` units of the underlying.

    An empty ``leg`` lets the fewest lots decide; ``most`` is how many lots may be added.
    """

    bound: int
    leg: str = ""
    most: int = 10


AnyAdjust = RollLeg | ShiftLeg | AddHedge | Convert | DeltaNeutral


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One leg closed or opened. ``side`` is that of the order; ``written`` are the rules of a leg that is opened.

    ``price`` is what the contract costs now in paise, None while it has no price.
    """

    step: int
    leg: str
    opens: bool
    side: Side
    account: str
    contract: str
    lots: int
    lot: int
    tick: int
    price: int | None = None
    written: Leg | None = None

    @property
    def units(self) -> int:
        """Units of the order."""
        return self.lots * self.lot


class AdjustStage(StrEnum):
    """WORKING until its last fill; then DONE, or FAILED where a leg could not be moved, or DROPPED with its run."""

    WORKING = "WORKING"
    DONE = "DONE"
    FAILED = "FAILED"
    DROPPED = "DROPPED"

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self is not AdjustStage.WORKING


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """An adjustment as it was decided. ``code`` is why legs are left; ``text`` says it in words.

    ``replaces`` are legs that are closed by those that take their place; ``since`` is when it was decided.
    """

    kind: str
    code: str
    text: str
    moves: tuple[Move, ...]
    replaces: dict[str, str] = {}
    since: datetime | None = None
    stage: AdjustStage = AdjustStage.WORKING


def adjusted(leg_id: str) -> bool:
    """Whether a leg was added to a run while it was under way; a written leg's name has no such sign."""
    return "~" in leg_id


def base_of(leg_id: str) -> str:
    """The written leg that an added one goes back to."""
    return leg_id.partition("~")[0]
