"""What a run remembers beyond its legs: its floor, its re-entries, and what is armed. Kept in the journal.

Prices and money are paise, times aware IST.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.leg_rules import Measure, ReentryMode
from optconsole.engine.model.orders import Side
from optconsole.engine.model.overall_rules import Again


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """How far an overall stop has risen in this cycle of the run.

    ``peak`` is the highest MTM so far, never below zero; ``level`` the MTM at or below which the run is left, None
    while there is none, and ``code`` the rule that set it. ``rung`` rungs of the ladder are done.
    """

    peak: int = 0
    level: int | None = None
    code: ExitCode = ExitCode.OVR_SL
    rung: int = 0


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """Re-entries taken so far, by leg: after stops and after targets. ``cycles`` are those of the whole run.

    ``barred`` legs were squared off by hand on that day and stay out for the rest of it.
    """

    after_stop: dict[str, int] = {}
    after_target: dict[str, int] = {}
    barred: dict[str, date] = {}
    cycles_after_stop: int = 0
    cycles_after_target: int = 0

    def used(self, leg: str, *, target: bool) -> int:
        """Re-entries of one leg after its stops, or after its targets."""
        return (self.after_target if target else self.after_stop).get(leg, 0)

    @property
    def together(self) -> int:
        """Re-entries of all legs."""
        return sum(self.after_stop.values()) + sum(self.after_target.values())

    def counted(self, leg: str, *, target: bool) -> Counters:
        """The counters after one more re-entry of that leg."""
        grown = {**(self.after_target if target else self.after_stop), leg: self.used(leg, target=target) + 1}
        return msgspec.structs.replace(self, **{"after_target" if target else "after_stop": grown})

    def inherited(self, old: str, new: str) -> Counters:
        """The counters after one leg took the place of another: it has no more re-entries left than that one had."""
        stops, targets = (
            {**taken, new: taken[old]} if old in taken else taken for taken in (self.after_stop, self.after_target)
        )
        return msgspec.structs.replace(self, after_stop=stops, after_target=targets)

    def bar(self, leg: str, day: date) -> Counters:
        """The counters after that leg was squared off by hand."""
        return msgspec.structs.replace(self, barred={**self.barred, leg: day})


class ArmedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A re-entry that waits: for its time, then for what its mode asks, then for its momentum.

    ``leg`` is the one whose exit armed it, ``legs`` those that are entered, none for ``everything``: the run anew.
    ``contract`` is None while it has to be chosen anew. ``far`` is the side of cost (+1 above, -1 below) from which the
    price must come back, ``away`` whether it has been there, ``touched`` whether it is back. ``reference`` is where
    momentum is measured from, once it is known.
    """

    leg: str
    legs: tuple[str, ...]
    mode: ReentryMode
    target: bool
    side: Side
    cost: int
    due: datetime
    ends: datetime | None = None
    contract: str | None = None
    tick: int = 1
    lot: int = 1
    far: int = 0
    away: bool = False
    touched: bool = False
    wait: Measure | None = None
    reference: int | None = None
    everything: bool = False


class ArmedCycle(msgspec.Struct, frozen=True, kw_only=True):
    """The whole run waits to be entered again. ``reference`` is the combined premium that MOMENTUM is measured from."""

    how: Again
    target: bool
    due: datetime
    ends: datetime | None = None
    move: int = 0
    reference: int | None = None
