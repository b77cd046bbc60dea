"""Part of each leg is closed at rising profits (features SX-7): whole lots, shorts before their hedges. Pure."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.overall_rules import Rung
from optconsole.engine.rules.pretrade import price_in
from optconsole.engine.rules.run_money import Entered, RunFacts


class Cut(msgspec.Struct, frozen=True):
    """So many lots of one leg are closed."""

    leg: str
    lots: int


class PartExit(msgspec.Struct, frozen=True, kw_only=True):
    """``rung`` rungs are then done. ``cuts`` are in the order they are sent; empty where no whole lot is due yet."""

    rung: int
    cuts: tuple[Cut, ...]
    why: str
    value: int


def next_rungs(ladder: tuple[Rung, ...], done: int, facts: RunFacts, total: int) -> PartExit | None:
    """What an MTM of ``total`` closes beyond the ``done`` lowest rungs; a jump over two rungs takes both at once."""
    rising = sorted(ladder, key=lambda rung: rung.profit)
    reached = sum(total >= rung.profit for rung in rising)
    if reached <= done:
        return None
    before, after = _shares(rising[:done]), _shares(rising[:reached])
    cuts = _cuts(facts, before, after)
    named = f"MTM {price_in(total)} reached the rung at {price_in(rising[reached - 1].profit)}"
    what = f"{after} % of every leg are to be closed by now" if cuts else f"no leg has a whole lot in {after} %"
    return PartExit(rung=reached, cuts=cuts, why=f"{named}: {what}.", value=total)


def _shares(rungs: list[Rung]) -> int:
    return min(sum(rung.percent for rung in rungs), 100)


def _cuts(facts: RunFacts, before: int, after: int) -> tuple[Cut, ...]:
    """Lots to close between two shares, counted from the first entries so that small percents add up to whole lots."""
    entered = {each.leg: each for each in facts.entered}
    found = []
    for leg in sorted(facts.held, key=lambda held: bool(entered[held.leg].hedges) if held.leg in entered else False):
        first = entered.get(leg.leg)
        if first is None:
            continue
        lots = min(_closed(first, entered, after) - _closed(first, entered, before), leg.lots)
        if lots > 0:
            found.append(Cut(leg.leg, lots))
    return tuple(found)


def _closed(leg: Entered, entered: dict[str, Entered], share: int) -> int:
    """Whole lots of a leg closed at a share. A hedge gives up no larger part than what it protects has given up."""
    lots = leg.lots * share // 100
    for name in leg.hedges:
        if name in entered:
            guarded = entered[name]
            lots = min(lots, leg.lots * (guarded.lots * share // 100) // guarded.lots)
    return lots
