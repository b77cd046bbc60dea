"""What a run has not entered when its basket is stopped, or all is killed: given up. What it holds goes its own way."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.runs import LegStage, Run, RunStatus
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.scene import RunScene, decision_of, move_leg, move_run, watched


def step(scene: RunScene, run: Run) -> Decision | None:
    """Give up waits, unsent legs and re-entries: after a kill nothing begins by itself again."""
    if scene.state.killed:
        code, text = str(ExitCode.KILL), "The kill switch was engaged."
    elif scene.stopped(run):
        code, text = "STOPPED", f"{run.basket} was stopped."
    else:
        return None
    decision = decision_of(run)
    for leg in run.legs.values():
        if leg.stage in (LegStage.WAITING, LegStage.DUE):
            moved = move_leg(run, leg, "given up", stage=LegStage.OUT, code=code, text=text)
            decision.facts.append(moved)
    if run.watch.armed or run.watch.next_cycle is not None:
        watch = msgspec.structs.replace(run.watch, armed={}, next_cycle=None, halted=True)
        decision.facts.append(watched(run, "given up", watch, {"code": code}))
    begun = any(leg.entries or leg.stage.holds for leg in run.legs.values())
    if run.status is RunStatus.WAITING and not begun:
        decision.facts.append(move_run(run, RunStatus.SKIPPED, code, text))
    return decision if decision.facts else None
