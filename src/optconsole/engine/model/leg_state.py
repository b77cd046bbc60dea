"""What a leg's exits remember between two prices: kept in the journal, so that a restart goes on where it was.

Prices are paise of the contract or of the underlying, times aware IST.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from optconsole.engine.model.exit_codes import ExitCode


class Place(StrEnum):
    """Whose price a level belongs to."""

    LEG = "leg"
    UNDERLYING = "underlying"


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """The levels on one price. ``sign`` is +1 where a rise is the leg's gain, -1 where it is its loss.

    ``base`` is the stop as first set, ``stop`` the tightest of all rules so far and ``code`` the rule that set it.
    ``best`` is the most favourable price seen; ``trailed`` the best that the trail may look at, behind ``best`` only
    while an interval of the trail is under way, whose own best is ``running``. ``at_cost`` once the stop was moved to
    the entry because another leg was stopped.
    """

    entry: int
    sign: int
    tick: int
    best: int
    trailed: int
    base: int | None = None
    stop: int | None = None
    code: ExitCode = ExitCode.LEG_SL
    target: int | None = None
    running: int | None = None
    at_cost: bool = False


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """All levels of an open leg. ``index`` is None where no rule needs the underlying, or it was unknown at the fill.

    ``interval`` counts the trail's intervals since the fill. ``missing`` says in words which levels could not be set;
    while it is not empty the leg is watched less than it was meant to be.
    """

    leg: Track
    index: Track | None = None
    lot: int
    since: datetime
    interval: int = 0
    missing: tuple[str, ...] = ()

    def track(self, place: Place) -> Track | None:
        """The levels on that price."""
        return self.leg if place is Place.LEG else self.index


class Arming(msgspec.Struct, frozen=True, kw_only=True):
    """A level has been reached once and the exit waits for confirmation: for a second quote, or for time to pass.

    ``quote`` tells the first quote beyond the level from a later one; ``since`` is when it was seen.
    """

    place: Place
    target: bool
    quote: tuple[int | None, ...]
    since: datetime
