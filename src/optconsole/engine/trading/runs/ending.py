"""What ends a run as a whole: its time, its money, the underlying (features 1.6, LX-9)."""

from __future__ import annotations

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.run_state import Floor
from optconsole.engine.model.runs import LegStage, Run, RunStatus
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.overall import watch
from optconsole.engine.rules.overall_market import OverallExit
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.leaving import leave_run
from optconsole.engine.trading.runs.money import run_facts
from optconsole.engine.trading.runs.scene import RunScene, decision_of, watched


class Floors:
    """The floor of each run as far as it has risen since it was written down. Of this process only."""

    def __init__(self) -> None:
        self._floors: dict[str, tuple[int, Floor]] = {}

    def of(self, run: Run) -> Floor:
        """The newest floor of the run's present cycle."""
        known = self._floors.get(run.id)
        stored = run.watch.floor
        return known[1] if known is not None and known[0] == run.watch.cycle else stored

    def keep(self, run: Run, floor: Floor) -> None:
        self._floors[run.id] = (run.watch.cycle, floor)

    def drop(self, run_id: str) -> None:
        self._floors.pop(run_id, None)


def step(scene: RunScene, run: Run, floors: Floors) -> Decision | None:
    """End the run when its time has come or its money says so."""
    if run.status is RunStatus.EXITING or scene.state.killed:
        return None
    decision = decision_of(run)
    if scene.now >= run.exit_at:
        if scene.situation.phase is not MarketPhase.OPEN:
            return None
        leave_run(scene, run, decision, ExitCode.TIME, f"Its exit time {run.exit_at:%d %b %H:%M:%S} has come.")
        return decision
    if not any(leg.stage.holds for leg in run.legs.values()):
        return None
    before = floors.of(run)
    floor, verdict = watch(run.strategy.overall, before, run_facts(scene, run))
    floors.keep(run, floor)
    if isinstance(verdict, OverallExit):
        _remember(run, floor, decision)
        leave_run(scene, run, decision, verdict.code, verdict.why, reason=verdict)
    elif (floor.level, floor.code, floor.rung) != _stored(run):
        _remember(run, floor, decision)
    if isinstance(verdict, Blind):
        _tell_blind(scene, run, verdict, decision)
    return decision if decision.facts else None


def _stored(run: Run) -> tuple[object, ...]:
    floor = run.watch.floor
    return floor.level, floor.code, floor.rung


def _remember(run: Run, floor: Floor, decision: Decision) -> None:
    if floor != run.watch.floor:
        decision.facts.append(watched(run, "floor", msgspec.structs.replace(run.watch, floor=floor), floor))


def _tell_blind(scene: RunScene, run: Run, verdict: Blind, decision: Decision) -> None:
    text = f"{run.strategy.name} on {run.account}: {verdict.why}"
    if any((seen.code, seen.subject, seen.text) == ("GUARD_BLIND", run.id, text) for seen in scene.state.notices):
        return
    decision.facts.append(ev.NoticeRaised(level="alarm", code="GUARD_BLIND", text=text, subject=run.id))


def entered_leg_count(run: Run) -> int:
    """Legs that hold units now."""
    return sum(leg.stage in (LegStage.OPEN, LegStage.LEAVING) for leg in run.legs.values())
