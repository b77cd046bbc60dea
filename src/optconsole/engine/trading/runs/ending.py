"""What ends a run as a whole: its time, its money, the underlying (features 1.6, LX-9)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.run_state import Floor
from optconsole.engine.model.runs import LegStage, Run, RunStatus
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.overall import watch
from optconsole.engine.rules.overall_market import OverallExit
from optconsole.engine.rules.profit_ladder import PartExit
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.greeks import UNKNOWN, NetGreeks, asks_greeks, net_greeks
from optconsole.engine.trading.runs.leaving import leave_leg, leave_part, leave_run
from optconsole.engine.trading.runs.money import run_facts
from optconsole.engine.trading.runs.scene import RunScene, decision_of, part, watched

SOLVE: Final = timedelta(seconds=1)
"""How often a run's Greeks are solved."""
REST: Final = timedelta(seconds=60)
"""How long a leg whose exit somebody gave up is left alone before the run, whose end has come, leaves it again."""


class Floors:
    """The floor of each run as far as it has risen since it was written down, and its Greeks. Of this process only."""

    def __init__(self) -> None:
        self._floors: dict[str, tuple[int, Floor]] = {}
        self._greeks: dict[str, tuple[datetime, NetGreeks]] = {}

    def of(self, run: Run) -> Floor:
        """The newest floor of the run's present cycle."""
        known = self._floors.get(run.id)
        stored = run.watch.floor
        return known[1] if known is not None and known[0] == run.watch.cycle else stored

    def keep(self, run: Run, floor: Floor) -> None:
        self._floors[run.id] = (run.watch.cycle, floor)

    def greeks(self, scene: RunScene, run: Run) -> NetGreeks:
        """The run's net Greeks, solved once a second, where a rule asks for them."""
        if not asks_greeks(run):
            return UNKNOWN
        known = self._greeks.get(run.id)
        if known is None or abs(scene.now - known[0]) >= SOLVE:
            known = self._greeks[run.id] = (scene.now, net_greeks(scene, run))
        return known[1]


def step(scene: RunScene, run: Run, floors: Floors) -> Decision | None:
    """End the run when its time has come or its money says so."""
    if scene.state.killed:
        return None
    decision = decision_of(run)
    if run.status is RunStatus.EXITING:
        _leave_again(scene, run, decision)
        return decision if decision.facts else None
    if scene.now >= run.exit_at:
        if scene.situation.phase is not MarketPhase.OPEN:
            return None
        leave_run(scene, run, decision, ExitCode.TIME, f"Its exit time {run.exit_at:%d %b %H:%M:%S} has come.")
        return decision
    if not any(leg.stage.holds for leg in run.legs.values()) or not scene.watching(run):
        return None
    before = floors.of(run)
    floor, verdict = watch(run.strategy.overall, before, run_facts(scene, run, floors.greeks(scene, run)))
    floors.keep(run, floor)
    if isinstance(verdict, OverallExit):
        _remember(run, floor, decision)
        leave_run(scene, run, decision, verdict.code, verdict.why, reason=verdict)
    elif isinstance(verdict, PartExit):
        _remember(run, floor, decision, verdict)
        _part(scene, run, verdict, decision)
    elif (floor.level, floor.code, floor.rung) != _stored(run):
        _remember(run, floor, decision)
    if isinstance(verdict, Blind):
        _tell_blind(scene, run, verdict, decision)
    return decision if decision.facts else None


def _leave_again(scene: RunScene, run: Run, decision: Decision) -> None:
    """A leg whose exit was given up, as at the close of a day, is left again: the run is to be out."""
    if scene.situation.phase is not MarketPhase.OPEN:
        return
    for leg in run.legs.values():
        held = part(scene, run, leg)
        if leg.stage is not LegStage.OPEN or held is None or not held.qty:
            continue
        net = scene.state.positions.get(str(held.key))
        apart = net is None or net.qty * held.qty <= 0
        if apart or leg.since is None or scene.now - leg.since >= REST:
            leave_leg(scene, run, leg, decision, run.code, run.text)


def _stored(run: Run) -> tuple[object, ...]:
    floor = run.watch.floor
    return floor.level, floor.code, floor.rung


def _remember(run: Run, floor: Floor, decision: Decision, reason: object = None) -> None:
    halted = run.status is RunStatus.HALTED
    if floor != run.watch.floor or halted:
        watch = msgspec.structs.replace(run.watch, floor=floor, halted=halted or run.watch.halted)
        if watch != run.watch:
            decision.facts.append(watched(run, "floor", watch, floor if reason is None else reason))


def _part(scene: RunScene, run: Run, verdict: PartExit, decision: Decision) -> None:
    """SX-7: so many lots of each leg that is open; one that is being left goes whole anyway."""
    for cut in verdict.cuts:
        leg = run.legs[cut.leg]
        if leg.stage is LegStage.OPEN:
            leave_part(scene, run, leg, cut.lots, decision, "LADDER")
    text = f"{run.strategy.name} on {run.account}: {verdict.why}"
    decision.facts.append(ev.NoticeRaised(level="info", code="LADDER", text=text, subject=run.id))


def _tell_blind(scene: RunScene, run: Run, verdict: Blind, decision: Decision) -> None:
    text = f"{run.strategy.name} on {run.account}: {verdict.why}"
    if any((seen.code, seen.subject, seen.text) == ("GUARD_BLIND", run.id, text) for seen in scene.state.notices):
        return
    decision.facts.append(ev.NoticeRaised(level="alarm", code="GUARD_BLIND", text=text, subject=run.id))
