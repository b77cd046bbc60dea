"""What a person does with a run: begin it, let it go, approve, close, halt, change its rules (SC-8, EN-11, SX-10)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import EditRun, ExitBasket, Reply, RunAction, SendSignal, SteerRun
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.runs import LegStage, Run, RunStatus
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports.strategists import unregistered
from optconsole.engine.rules.adjustments import with_added
from optconsole.engine.rules.leg_preview import preview_leg
from optconsole.engine.rules.lint import lint_strategy
from optconsole.engine.rules.overall_preview import preview
from optconsole.engine.rules.triggers import APPROVAL, SIGNAL, waited_for
from optconsole.engine.trading.baskets import Vet, basket_of
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.fills import fill_of
from optconsole.engine.trading.runs.leaving import leave_leg, leave_run
from optconsole.engine.trading.runs.money import run_facts
from optconsole.engine.trading.runs.scene import RunScene, defined, move_leg, move_run, watched
from optconsole.engine.trading.runs.starting import NOW

_KEPT: Final = ("id", "side", "right", "strike", "expiry", "lots", "account", "lazy")
"""What of a leg cannot change under way: it says what was entered."""


def steer(scene: RunScene, command: SteerRun) -> Decision:
    """Carry out one action. Raises Refusal saying why it cannot be done now."""
    run = run_of(scene, command.run_id)
    decision = Decision(command.actor, command.id)
    match command.action:
        case RunAction.NOW:
            _need(run, run.status is RunStatus.SCHEDULED, "has not its time before it")
            decision.facts.append(move_run(run, RunStatus.SCHEDULED, NOW, command.why or "Begun by hand."))
        case RunAction.SKIP:
            waits = run.status in (RunStatus.SCHEDULED, RunStatus.WAITING)
            _need(run, waits, "has begun; exit it instead")
            _let_go(run, decision, command.why or "Let go by hand.")
        case RunAction.APPROVE:
            _approve(run, decision)
        case RunAction.EXIT:
            _exit(scene, run, command, decision)
        case RunAction.HALT:
            _need(run, not run.status.over and run.status is not RunStatus.EXITING, "is not under way")
            decision.facts.append(move_run(run, RunStatus.HALTED, "HALTED", command.why or "Halted by hand."))
        case RunAction.RESUME:
            _need(run, run.status is RunStatus.HALTED, "is not halted")
            decision.facts.append(move_run(run, RunStatus.ACTIVE, "RESUMED", command.why or "Resumed by hand."))
    decision.reply = Reply(ok=True, text=f"{run.id} {run.strategy.name}: {command.action.value}.", ids=(run.id,))
    return decision


def run_of(scene: RunScene, run_id: str) -> Run:
    """The run of that id. Raises Refusal(NO_SUCH_RUN)."""
    run = scene.state.runs.get(run_id.upper())
    if run is None:
        known = ", ".join(scene.state.runs) or "none"
        raise Refusal("NO_SUCH_RUN", f"No run is called {run_id!r}; there are: {known}.")
    return run


def _need(run: Run, sound: bool, otherwise: str) -> None:
    if not sound:
        raise Refusal("NOT_NOW", f"{run.id} is {run.status.value.lower()} and {otherwise}.")


def _let_go(run: Run, decision: Decision, text: str) -> None:
    decision.facts.append(move_run(run, RunStatus.SKIPPED, "SKIPPED_BY_HAND", text))
    for leg in run.legs.values():
        if leg.stage in (LegStage.WAITING, LegStage.DUE):
            moved = move_leg(run, leg, "given up", stage=LegStage.OUT, code="SKIPPED_BY_HAND", text=text)
            decision.facts.append(moved)


def _approve(run: Run, decision: Decision) -> None:
    asked = APPROVAL in waited_for(run.strategy.entry, run.watch.fired)
    late = run.status is RunStatus.SCHEDULED and run.code == "ASK"
    _need(run, (asked and run.status is RunStatus.WAITING) or late, "asks nothing")
    if late:
        decision.facts.append(move_run(run, RunStatus.SCHEDULED, NOW, "Approved by hand."))
        return
    watch = msgspec.structs.replace(run.watch, fired=(*run.watch.fired, APPROVAL))
    decision.facts.append(watched(run, "approved", watch))


def _exit(scene: RunScene, run: Run, command: SteerRun, decision: Decision) -> None:
    text = command.why or "Closed by hand."
    if not command.leg:
        if run.status is RunStatus.SCHEDULED:
            _let_go(run, decision, text)
            return
        if run.status is RunStatus.EXITING and _begins_again(run):
            watch = msgspec.structs.replace(run.watch, armed={}, next_cycle=None, halted=True)
            decision.facts.append(watched(run, "let go", watch, {"why": text}))
            return
        _need(run, not run.status.over and run.status is not RunStatus.EXITING, "is being closed, or is over")
        leave_run(scene, run, decision, ExitCode.MANUAL, text)
        return
    leg = run.legs.get(command.leg)
    if leg is None:
        raise Refusal("NO_SUCH_LEG", f"{run.id} has no leg {command.leg!r}; it has: {', '.join(run.legs)}.")
    if leg.stage is not LegStage.OPEN:
        raise Refusal("NOT_NOW", f"Leg {leg.id} of {run.id} is {leg.stage.value.lower()}; only an open leg is closed.")
    leave_leg(scene, run, leg, decision, ExitCode.MANUAL, text)


def _begins_again(run: Run) -> bool:
    """Whether a run that is being left, or is out, is to be entered anew after it."""
    return run.watch.next_cycle is not None or any(armed.everything for armed in run.watch.armed.values())


def exit_basket(scene: RunScene, command: ExitBasket) -> Decision:
    """Close everything a basket holds and stop it. Raises Refusal(NO_SUCH_BASKET, NOTHING_OPEN)."""
    book = basket_of(scene.state, command.name)
    decision, text = Decision(command.actor, command.id), command.why or "The basket was closed by hand."
    if book.status is BasketStatus.ACTIVE:
        decision.facts.append(ev.BasketStatusChanged(name=command.name, status=BasketStatus.STOPPED, why=text))
    runs = [run for run in scene.state.runs.values() if run.basket == command.name and not run.status.over]
    for run in runs:
        if run.status is RunStatus.SCHEDULED:
            _let_go(run, decision, text)
        elif run.status is not RunStatus.EXITING:
            leave_run(scene, run, decision, ExitCode.MANUAL, text)
    if not decision.facts:
        raise Refusal("NOTHING_OPEN", f"{command.name} is stopped already and nothing of it runs.")
    decision.reply = Reply(
        ok=True, code="CLOSING", text=f"{len(runs)} runs of {command.name} end.", ids=(command.name,)
    )
    return decision


def send_signal(scene: RunScene, command: SendSignal) -> Decision:
    """Let the runs that wait for this signal go on. Raises Refusal(NOBODY_WAITS)."""
    decision, names = Decision(command.actor, command.id), []
    for run in scene.state.runs.values():
        left = waited_for(run.strategy.entry, run.watch.fired)
        if run.status is RunStatus.WAITING and SIGNAL in left and run.strategy.entry.signal == command.name:
            watch = msgspec.structs.replace(run.watch, fired=(*run.watch.fired, SIGNAL))
            decision.facts.append(watched(run, "signal", watch, {"signal": command.name}))
            names.append(run.id)
    if not names:
        raise Refusal("NOBODY_WAITS", f"No run waits for a signal called {command.name!r} now.")
    decision.reply = Reply(ok=True, code="SIGNALLED", text=f"{', '.join(names)} heard it.", ids=tuple(names))
    return decision


def edit(scene: RunScene, command: EditRun, vet: Vet = unregistered) -> Decision:
    """Change a run's rules. Raises Refusal: LINT, STRUCTURE, WOULD_FIRE with the new trigger and its distance."""
    run, changed = run_of(scene, command.run_id), command.strategy
    _need(run, not run.status.over, "is over")
    faults = lint_strategy(changed)
    changed = with_added(run.strategy, changed)
    _same_structure(run.strategy, changed)
    if faults:
        raise Refusal("LINT", f"{faults[0].path}: {faults[0].text}")
    if changed.params != run.strategy.params:
        for fault in vet(changed):
            raise Refusal("LINT", f"params.{fault.field}: {fault.text}")
    decision = Decision(command.actor, command.id)
    exit_at = _exit_at(scene, run, changed)
    decision.facts.append(ev.RunEdited(run_id=run.id, strategy=changed, exit_at=exit_at))
    fires = _overall_fires(scene, run, changed)
    for leg in run.legs.values():
        written = changed.leg(leg.id)
        if leg.stage is not LegStage.OPEN or leg.levels is None or written == defined(run, leg) or written is None:
            continue
        judged = preview_leg(leg.levels, written, fill_of(scene, run, leg, leg.levels), scene.seen(run, leg))
        if judged.fires is not None:
            fires.append(f"leg {leg.id} would be left: {judged.why}")
        decision.facts.append(move_leg(run, leg, "edited", judged, levels=judged.levels, arming=None))
    if fires and not command.fire:
        raise Refusal("WOULD_FIRE", f"At once {'; '.join(fires)} Say that it is meant to have it so.")
    decision.reply = Reply(ok=True, code="EDITED", text=f"{run.id} {run.strategy.name} has new rules.", ids=(run.id,))
    return decision


def _same_structure(before: Strategy, after: Strategy) -> None:
    def shape(strategy: Strategy) -> list[tuple[object, ...]]:
        return [tuple(getattr(leg, name) for name in _KEPT) for leg in strategy.legs]

    def whole(strategy: Strategy) -> tuple[object, ...]:
        return strategy.name, strategy.underlying, strategy.product, strategy.plugin

    same = whole(before) == whole(after)
    if not same or shape(before) != shape(after):
        raise Refusal(
            "STRUCTURE", "The legs, the underlying and the product of a run cannot change; roll or adjust it instead."
        )


def _exit_at(scene: RunScene, run: Run, changed: Strategy) -> datetime:
    if changed.schedule.exit_at == run.strategy.schedule.exit_at:
        return run.exit_at
    exit_at = datetime.combine(run.exit_at.date(), changed.schedule.exit_at, IST)
    hours = scene.days.hours(exit_at.date())
    if hours is not None and exit_at >= hours.closes:
        raise Refusal("AFTER_CLOSE", f"The session of that day closes at {hours.closes:%H:%M}.")
    return exit_at


def _overall_fires(scene: RunScene, run: Run, changed: Strategy) -> list[str]:
    if changed.overall == run.strategy.overall or run.first_fill is None:
        return []
    judged = preview(changed.overall, run.watch.floor, run_facts(scene, run))
    return [f"the run would be closed: {judged.why}"] if judged.fires is not None or judged.closes_part else []
