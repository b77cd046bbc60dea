"""Where a run stands as a whole, once its legs are looked at; its next cycle, and its end."""

from __future__ import annotations

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.automation import made
from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.money import rupees
from optconsole.engine.model.run_state import ArmedEntry, Floor
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.rules.cycles import RunAgain, cycle_due, cycle_taken, next_cycle
from optconsole.engine.rules.momentum import combined_premium
from optconsole.engine.rules.reentries import taken
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs import triggering
from optconsole.engine.trading.runs.asking import may_enter
from optconsole.engine.trading.runs.choosing import NotPicked
from optconsole.engine.trading.runs.scene import (
    LET_GO,
    RunScene,
    decision_of,
    defined,
    move_run,
    orders_of,
    still_holds,
    watched,
)
from optconsole.engine.trading.runs.starting import chosen_leg, pick_all

S, L = RunStatus, LegStage


def step(scene: RunScene, run: Run) -> Decision | None:
    """Tell where the run stands; end it, or begin its next cycle."""
    legs = run.legs.values()
    if triggering.pending(run) and run.status is not S.EXITING:
        return _moved(run)
    if any(leg.stage.holds for leg in legs) or any(still_holds(scene, run, leg) for leg in legs):
        return _moved(run)
    if run.adjusting is not None and run.status is not S.EXITING:
        return _moved(run)
    if any(leg.stage in (L.WAITING, L.DUE) for leg in legs) and run.status is not S.EXITING:
        return _moved(run)
    if orders_of(scene, run.path) or any(wish.name == run.path for wish in scene.state.flattening.values()):
        return None
    everything = next((armed for armed in run.watch.armed.values() if armed.everything), None)
    if everything is not None and run.status is S.EXITING:
        return _run_anew(scene, run, everything)
    if run.watch.armed and run.status is not S.EXITING:
        return _moved(run)
    if run.watch.next_cycle is not None:
        return _cycle(scene, run)
    if may_enter(scene, run):
        return _moved(run)
    armed = _arm_cycle(scene, run)
    return armed or _end(scene, run)


def _moved(run: Run) -> Decision | None:
    """The status that the legs add up to."""
    if run.status in (S.EXITING, S.HALTED):
        return None
    stages = {leg.stage for leg in run.legs.values()}
    if stages & {L.DUE, L.ENTERING}:
        status = S.ENTERING
    elif stages & {L.OPEN, L.LEAVING}:
        status = S.ACTIVE
    else:
        status = S.WAITING
    if status is run.status:
        return None
    decision = decision_of(run)
    decision.facts.append(move_run(run, status, run.code, run.text))
    return decision


def _arm_cycle(scene: RunScene, run: Run) -> Decision | None:
    if run.status is not S.EXITING or run.code not in tuple(ExitCode) or run.watch.halted or scene.stopped(run):
        return None
    armed = next_cycle(run.strategy.overall, ExitCode(run.code), scene.now, run.watch.counters, ends=run.exit_at)
    if not hasattr(armed, "how"):
        return None
    decision = decision_of(run)
    watch = msgspec.structs.replace(run.watch, next_cycle=armed)
    decision.facts.append(watched(run, "next cycle", watch, armed))
    return decision


def _run_anew(scene: RunScene, run: Run, armed: ArmedEntry) -> Decision | None:
    """A leg's re-entry that closed everything first (RE_EXECUTE with square-off-all)."""
    if run.watch.halted or scene.state.killed or scene.stopped(run):
        return _end(scene, run)
    if scene.now >= min(run.exit_at, armed.ends or run.exit_at):
        return _end(scene, run)
    if not scene.open_to_begin(run) or scene.now < armed.due:
        return None
    picks = pick_all(scene, run)
    if isinstance(picks, NotPicked):
        return None if picks.wait else _end(scene, run)
    decision, counters = decision_of(run), taken(run.watch.counters, armed)
    decision.facts += [chosen_leg(scene, run, run.legs[name], picked) for name, picked in picks.items()]
    decision.facts += [
        watched(run, "again", msgspec.structs.replace(run.watch, armed={}, counters=counters)),
        move_run(run, S.ENTERING, "AGAIN", "Everything was closed and is entered again."),
    ]
    return decision


def _cycle(scene: RunScene, run: Run) -> Decision | None:
    """The next cycle, once it is due: contracts anew, an MTM of its own."""
    armed = run.watch.next_cycle
    assert armed is not None
    if scene.stopped(run):
        return _end(scene, run)

    def price(leg_id: str) -> int | None:
        return scene.look(run.legs[leg_id].contract).ltp

    outcome = cycle_due(armed, scene.now, combined_premium(run.strategy, price))
    decision = decision_of(run)
    if isinstance(outcome, RunAgain) and scene.open_to_begin(run):
        picks = pick_all(scene, run)
        if isinstance(picks, NotPicked):
            return None if picks.wait else _end(scene, run)
        for name, picked in picks.items():
            leg = run.legs[name]
            side = defined(run, leg).side
            side = leg.side.opposite if outcome.reverse else side
            decision.facts.append(chosen_leg(scene, run, _cleared(leg), picked, side=side))
        watch = msgspec.structs.replace(
            run.watch,
            next_cycle=None,
            cycle=run.watch.cycle + 1,
            counters=cycle_taken(run.watch.counters, armed),
            floor=Floor(),
            index=None,
            break_evens=None,
            base=made(scene.state, run),
        )
        decision.facts += [
            watched(run, "cycle", watch, outcome),
            move_run(run, S.ENTERING, "AGAIN", outcome.why, outcome),
        ]
        return decision
    if outcome is None or isinstance(outcome, RunAgain):
        return None
    if hasattr(outcome, "how"):
        decision.facts.append(watched(run, "next cycle", msgspec.structs.replace(run.watch, next_cycle=outcome)))
        return decision
    return _end(scene, run) if hasattr(outcome, "code") else None


def _cleared(leg: LegRun) -> LegRun:
    return msgspec.structs.replace(leg, first=None, entry=None, qty=0, entered_at=None)


def _end(scene: RunScene, run: Run) -> Decision:
    """Nothing is held and nothing waits: the run is over."""
    decision = decision_of(run)
    realised, charges = made(scene.state, run)
    entered = any(leg.entries for leg in run.legs.values())
    if not entered and run.watch.plugin.given and not any(leg.code not in ("", "TIME") for leg in run.legs.values()):
        text = f"{run.strategy.plugin} entered nothing. {run.watch.plugin.text or run.text}".strip()
        decision.facts.append(move_run(run, S.FAILED if run.watch.plugin.down else S.SKIPPED, "NOT_TRIGGERED", text))
        return decision
    if not entered:
        legs = [leg for leg in run.legs.values() if leg.code]
        code, text = (legs[0].code, legs[0].text) if legs else (run.code, run.text)
        status = S.SKIPPED if run.code != "ROLLBACK" and (code in LET_GO) else S.FAILED
        decision.facts.append(move_run(run, status, code, text))
        return decision
    ended = [leg for leg in run.legs.values() if leg.code and leg.entries and leg.since is not None]
    last = max(ended, key=lambda leg: leg.since or run.since, default=None)
    exiting = run.status is S.EXITING
    code = run.code if exiting or last is None else last.code
    why = run.text if exiting or last is None else last.text
    text = f"Made {rupees(realised)} gross, {rupees(realised - charges)} net. {why}".strip()
    status = S.FAILED if run.code == "ROLLBACK" else S.CLOSED
    decision.facts += [
        move_run(run, status, code, text),
        ev.NoticeRaised(
            level="info", code="RUN_CLOSED", text=f"{run.strategy.name} on {run.account}: {text}", subject=run.id
        ),
    ]
    return decision
