"""How an entry of one leg ends: filled, failed as the strategy says of it (BK-4), or broken off."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.orders import Order
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.model.strategies import OnFailure
from optconsole.engine.rules.leg_levels import open_levels
from optconsole.engine.trading import exits
from optconsole.engine.trading.closers import alarm_once
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel, cancellable
from optconsole.engine.trading.runs import drifting
from optconsole.engine.trading.runs.claims import by_wish, taken_over
from optconsole.engine.trading.runs.fills import fill_at
from optconsole.engine.trading.runs.leaving import leave_run
from optconsole.engine.trading.runs.scene import RunScene, decision_of, defined, move_leg, part, units


def opened(scene: RunScene, run: Run, leg: LegRun) -> ev.LegMoved:
    """The leg as filled, with its levels."""
    held = part(scene, run, leg)
    assert held is not None
    entry = abs(held.cost) // abs(held.qty) if abs(held.cost) % abs(held.qty) == 0 else round(abs(held.cost / held.qty))
    fill = fill_at(scene, run, leg, entry, scene.now, scene.look(run.strategy.underlying).ltp)
    return move_leg(
        run,
        leg,
        "opened",
        fill,
        stage=LegStage.OPEN,
        entry=entry,
        qty=abs(held.qty),
        entered_at=scene.now,
        entries=leg.entries + 1,
        first=leg.first or (entry, abs(held.qty)),
        levels=open_levels(defined(run, leg), fill),
        arming=None,
        blind="",
        code="",
        text="",
    )


def fail(scene: RunScene, run: Run, leg: LegRun, code: str, text: str, decision: Decision) -> None:
    """What the strategy says of a leg that could not be entered (BK-4)."""
    policy, held = run.strategy.execution.on_failure, abs(units(scene, run, leg))
    if policy is not OnFailure.COMPLETE and leg.first is not None:
        policy = OnFailure.HOLD  # a later entry of one leg is no ground to close the others
    name = f"{run.strategy.name} on {run.account}, leg {leg.id}"
    match policy:
        case OnFailure.COMPLETE if scene.now < run.exit_at and not _hopeless(code):
            decision.facts.append(
                move_leg(
                    run, leg, "again", stage=LegStage.DUE, tries=leg.tries + 1, code=code, text=text, since=scene.now
                )
            )
            what = "it is tried at the edge of the price band"
        case OnFailure.ROLLBACK:
            fact = (
                opened(scene, run, leg)
                if held
                else move_leg(run, leg, "failed", stage=LegStage.OUT, code=code, text=text)
            )
            decision.facts.append(fact)
            leave_run(scene, run, decision, "ROLLBACK", f"Leg {leg.id} failed: {text}", {leg.id: fact.leg})
            what = "what was entered is closed"
        case _:
            fact = (
                opened(scene, run, leg)
                if held
                else move_leg(run, leg, "failed", stage=LegStage.OUT, code=code, text=text)
            )
            decision.facts.append(fact)
            ratio = policy is OnFailure.RATIO
            what = "the others are cut to the proportion that was filled" if ratio else "the other legs are kept"
    alarm_once(scene.state, decision, "LEG_FAILED", run.id, f"{name} was not entered: {text} So {what}.")


def _hopeless(code: str) -> bool:
    """Refusals that no further try would change."""
    return code in {"LOT_SIZE", "PRODUCT", "UNKNOWN_ACCOUNT", "NOT_LISTED", "EXPIRED_CONTRACT", "KILLED", drifting.CODE}


def given_up(scene: RunScene, run: Run, leg: LegRun) -> str:
    """The code under which an entry under way is broken off; empty while it goes on."""
    if scene.state.killed:
        return ExitCode.KILL
    if scene.stopped(run):
        return "STOPPED"
    wish = taken_over(scene, run, leg)
    if wish is not None:
        return by_wish(leg, wish)[0]
    return "HALTED" if run.status is RunStatus.HALTED else ""


def take_back(orders: list[Order], run: Run) -> Decision | None:
    decision = decision_of(run)
    for order in orders:
        if not order.status.final and exits.free(order) and cancellable(order):
            ask_cancel(decision, order, "its entry was broken off")
    return decision if decision.facts else None


def keep(scene: RunScene, run: Run, leg: LegRun, code: str) -> Decision:
    """What was filled before the entry was broken off is held and guarded; nothing more is bought or sold."""
    decision = decision_of(run)
    if units(scene, run, leg):
        decision.facts.append(opened(scene, run, leg))
    else:
        text = "Its entry was broken off before anything was filled."
        decision.facts.append(move_leg(run, leg, "given up", stage=LegStage.OUT, code=code, text=text))
    return decision
