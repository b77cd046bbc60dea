"""What becomes of an entry of which one leg is short (features BK-4, RATIO): the others are cut to its proportion."""

from __future__ import annotations

from math import gcd

from optconsole.engine.model.runs import LegRun, LegStage, Run
from optconsole.engine.model.strategies import OnFailure
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.leaving import leave_part, leave_run
from optconsole.engine.trading.runs.scene import LET_GO, RunScene, decision_of, move_leg, units


def step(scene: RunScene, run: Run) -> Decision | None:
    """Cut the legs of a first entry to the largest whole-lot proportion that all have; close all where there is none.

    Looked at while no leg's order is at work. Legs that wait for a price, and later entries, count for themselves.
    """
    if run.strategy.execution.on_failure is not OnFailure.RATIO:
        return None
    legs = [leg for leg in run.legs.values() if _counts(leg)]
    if any(leg.stage is LegStage.ENTERING for leg in legs) or not any(_short(scene, run, leg) for leg in legs):
        return None
    whole = gcd(*(leg.lots for leg in legs))
    most = min(_has(scene, run, leg) * whole // leg.lots for leg in legs)
    decision = decision_of(run)
    if most <= 0:
        short = next(leg for leg in legs if _short(scene, run, leg))
        text = f"Leg {short.id} leaves no whole-lot proportion of the legs. {short.text}".strip()
        leave_run(scene, run, decision, "ROLLBACK", text)
        return decision
    for leg in legs:
        lots = leg.lots // whole * most
        beyond = _has(scene, run, leg) - lots
        if leg.stage is LegStage.OPEN and beyond > 0:
            leave_part(scene, run, leg, beyond, decision, "RATIO")
        decision.facts.append(move_leg(run, leg, "cut", {"lots": leg.lots, "kept": lots}, lots=lots))
    return decision


def _counts(leg: LegRun) -> bool:
    """Whether a leg is of the cycle's first entry, and has been or is to be sent."""
    if leg.stage is LegStage.OPEN:
        return leg.first == (leg.entry, leg.qty)
    failed = leg.stage is LegStage.OUT and leg.code not in LET_GO
    return leg.first is None and (failed or leg.stage in (LegStage.DUE, LegStage.ENTERING))


def _has(scene: RunScene, run: Run, leg: LegRun) -> int:
    """Lots that a leg has, or may still come to have."""
    return leg.lots if leg.stage is LegStage.DUE else abs(units(scene, run, leg)) // leg.lot


def _short(scene: RunScene, run: Run, leg: LegRun) -> bool:
    return leg.stage in (LegStage.OPEN, LegStage.OUT) and _has(scene, run, leg) < leg.lots
