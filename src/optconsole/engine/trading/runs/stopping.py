"""What a run has not entered when its basket is stopped: given up, while what it holds is guarded until its exit."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.runs import LegStage, Run, RunStatus
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.scene import RunScene, decision_of, move_leg, move_run, watched


def step(scene: RunScene, run: Run) -> Decision | None:
    """Give up waits, unsent legs and re-entries of a stopped basket's run."""
    if not scene.stopped(run):
        return None
    decision, text = decision_of(run), f"{run.basket} was stopped."
    for leg in run.legs.values():
        if leg.stage in (LegStage.WAITING, LegStage.DUE):
            moved = move_leg(run, leg, "given up", stage=LegStage.OUT, code="STOPPED", text=text)
            decision.facts.append(moved)
    if run.watch.armed:
        decision.facts.append(watched(run, "stopped", msgspec.structs.replace(run.watch, armed={})))
    begun = any(leg.entries or leg.stage.holds for leg in run.legs.values())
    if run.status is RunStatus.WAITING and not begun:
        decision.facts.append(move_run(run, RunStatus.SKIPPED, "STOPPED", text))
    return decision if decision.facts else None
