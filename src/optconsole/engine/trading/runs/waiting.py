"""Legs that wait for a price before they are entered (features EN-2), and the time at which waiting ends (EN-10)."""

from __future__ import annotations

from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.rules.momentum import begin_wait, cancelled_by, wait_is_over
from optconsole.engine.rules.pretrade import price_in
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.scene import RunScene, decision_of, defined, move_leg


def step(scene: RunScene, run: Run) -> Decision | None:
    """Enter what has moved far enough; give up what waited too long."""
    if run.status in (RunStatus.EXITING, RunStatus.HALTED) or scene.state.killed:
        return None
    decision = decision_of(run)
    for leg in [each for each in run.legs.values() if each.stage is LegStage.WAITING]:
        if scene.now >= run.triggers_until:
            text = f"The price never moved as asked before {run.triggers_until:%H:%M:%S}."
            decision.facts.append(move_leg(run, leg, "given up", stage=LegStage.OUT, code="NOT_TRIGGERED", text=text))
        elif _look(scene, run, leg, decision):
            break
    return decision if decision.facts else None


def _look(scene: RunScene, run: Run, leg: LegRun, decision: Decision) -> bool:
    """Judge one waiting leg; True when it ends the waits of the others."""
    written = defined(run, leg)
    premium, index = scene.look(leg.contract).ltp, scene.look(run.strategy.underlying).ltp
    reference = leg.reference if leg.reference is not None else premium
    at = leg.index if leg.index is not None else index
    if (reference, at) != (leg.reference, leg.index) and (premium is not None or index is not None):
        decision.facts.append(move_leg(run, leg, "reference", reference=reference, index=at))
    wait = begin_wait(written, leg.contract, reference, at, leg.tick, leg.lot)
    if wait is None or not wait_is_over(wait, premium, index):
        return False
    text = f"The price moved from {price_in(wait.reference)} to {price_in(wait.level)}."
    decision.facts.append(move_leg(run, leg, "triggered", wait, stage=LegStage.DUE, text=text))
    others = tuple(each.id for each in run.legs.values() if each.stage is LegStage.WAITING)
    dropped = cancelled_by(written, others)
    for name in dropped:
        told = f"Leg {leg.id} was entered, and only the first is."
        decision.facts.append(
            move_leg(run, run.legs[name], "given up", stage=LegStage.OUT, code="FIRST_ONLY", text=told)
        )
    return bool(dropped)
