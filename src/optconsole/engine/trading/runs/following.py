"""What follows when a leg is out: other stops to cost, re-entries, lazy legs (features LX-7, 1.7)."""

from __future__ import annotations

from typing import Any

import msgspec

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.orders import Role
from optconsole.engine.model.run_state import ArmedEntry
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus, RunWatch
from optconsole.engine.rules.leg_company import to_shift
from optconsole.engine.rules.leg_exits import ExitNow, move_to_cost
from optconsole.engine.rules.reentries import LegExit, NoReentry, next_entry, taken
from optconsole.engine.rules.reentry_watch import ChooseNow, EnterNow, chosen, due
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.exits import waits
from optconsole.engine.trading.runs.choosing import NotPicked, Picked, pick_leg
from optconsole.engine.trading.runs.claims import by_wish, taken_over
from optconsole.engine.trading.runs.leaving import leave_leg, leave_run
from optconsole.engine.trading.runs.scene import (
    RunScene,
    decision_of,
    defined,
    move_leg,
    orders_of,
    still_holds,
    units,
    watched,
)
from optconsole.engine.trading.runs.starting import chosen_leg


def step(scene: RunScene, run: Run) -> Decision | None:
    """Take note of what is out, and enter again what is due."""
    decision = decision_of(run)
    for leg in run.legs.values():
        if leg.stage in (LegStage.OPEN, LegStage.LEAVING) and _is_out(scene, run, leg):
            _out(scene, run, leg, decision)
            return decision
        if leg.stage is LegStage.OPEN:
            wish = taken_over(scene, run, leg)
            if wish is not None:
                code, text = by_wish(leg, wish)
                stage = LegStage.LEAVING
                decision.facts.append(
                    move_leg(run, leg, "leaving", stage=stage, leaving=wish.id, code=code, text=text, arming=None)
                )
                return decision
        if leg.stage is LegStage.LEAVING and not _closing(scene, run, leg):
            # given up by the desk, as at the close: the leg is watched again, and left again when it may be
            decision.facts.append(move_leg(run, leg, "kept", stage=LegStage.OPEN, leaving=""))
            return decision
    if scene.barred(run):
        return None
    for armed in run.watch.armed.values():
        _again(scene, run, armed, decision)
        if decision.facts:
            return decision
    return None


def _is_out(scene: RunScene, run: Run, leg: LegRun) -> bool:
    return not still_holds(scene, run, leg) and not orders_of(scene, run.source(leg.id))


def _closing(scene: RunScene, run: Run, leg: LegRun) -> bool:
    """Whether something closes a leg; a stop that only stands guard does not."""
    if leg.leaving in scene.state.flattening:
        return True
    return any(order.role is not Role.STOP or not waits(order) for order in orders_of(scene, run.source(leg.id)))


def _out(scene: RunScene, run: Run, leg: LegRun, decision: Decision) -> None:
    code, text = (leg.code, leg.text) if leg.stage is LegStage.LEAVING else _by_others(scene, run, leg)
    decision.facts.append(move_leg(run, leg, "out", stage=LegStage.OUT, leaving="", levels=None, code=code, text=text))
    if code not in tuple(ExitCode) or run.status is RunStatus.EXITING:
        return
    _shift_stops(scene, run, leg, ExitCode(code), decision)
    watch = run.watch
    if code in (ExitCode.MANUAL, ExitCode.EXTERNAL):
        watch = msgspec.structs.replace(watch, counters=watch.counters.bar(leg.id, scene.now.date()))
    left = LegExit(
        leg=leg.id,
        code=ExitCode(code),
        at=scene.now,
        since=leg.entered_at or scene.now,
        side=leg.side,
        contract=leg.contract,
        entry=leg.entry or 0,
        tick=leg.tick,
        lot=leg.lot,
        price=scene.look(leg.contract).ltp,
    )
    answer = next_entry(run.strategy, left, watch.counters, run.exit_at)
    if isinstance(answer, NoReentry):
        if watch != run.watch:
            decision.facts.append(watched(run, "barred", watch, answer))
        return
    if answer.everything:
        leave_run(scene, run, decision, code, f"{text} Everything is closed and entered again.", {leg.id: _as_out(leg)})
    armed = {**watch.armed, leg.id: answer}
    decision.facts.append(watched(run, "armed", msgspec.structs.replace(watch, armed=armed), answer))


def _as_out(leg: LegRun) -> LegRun:
    return msgspec.structs.replace(leg, stage=LegStage.OUT)


def _by_others(scene: RunScene, run: Run, leg: LegRun) -> tuple[str, str]:
    """Why a leg is flat that nothing here was leaving: an expiry, its stop at the exchange, or somebody's hand."""
    if scene.state.killed:
        return ExitCode.KILL, "The kill switch closed it."
    instrument = scene.master.get(leg.contract)
    if instrument is None or (instrument.last_trade is not None and scene.now >= instrument.last_trade):
        return ExitCode.EXPIRY, "The contract expired."
    source = run.source(leg.id)
    for order in reversed(scene.state.orders.values()):
        if order.terms.contract == leg.contract and order.filled and order.terms.side is leg.side.opposite:
            if order.role is Role.STOP and order.terms.source == source and order.triggered:
                return (leg.levels.leg.code if leg.levels else ExitCode.LEG_SL), "Its stop at the exchange was filled."
            if order.foreign:
                return ExitCode.EXTERNAL, "It was closed outside of this console."
            break
    return ExitCode.MANUAL, "It was closed by hand."


def _shift_stops(scene: RunScene, run: Run, leg: LegRun, code: ExitCode, decision: Decision) -> None:
    """LX-7: the stops of other legs go to cost; one whose price is past it is left now."""
    still = {each.id for each in run.legs.values() if each.stage is LegStage.OPEN and each.id != leg.id}
    for name in to_shift(run.strategy, defined(run, leg), code, still):
        other = run.legs[name]
        if other.levels is None:
            continue
        levels, exit_now = move_to_cost(other.levels, defined(run, other), scene.seen(run, other))
        moved = msgspec.structs.replace(other, levels=levels)
        if isinstance(exit_now, ExitNow):
            leave_leg(scene, run, moved, decision, exit_now.code, exit_now.why, exit_now)
        elif levels != other.levels:
            decision.facts.append(move_leg(run, moved, "to cost", levels))


def _again(scene: RunScene, run: Run, armed: ArmedEntry, decision: Decision) -> None:
    """What this instant means for an armed re-entry."""
    leg = run.legs[armed.leg]
    probe = msgspec.structs.replace(leg, contract=armed.contract or leg.contract)
    settled = not units(scene, run, leg) and not orders_of(scene, run.source(leg.id))
    outcome = due(armed, run.strategy, run.watch.counters, scene.seen(run, probe), settled=settled)
    watch = run.watch
    others = {name: each for name, each in watch.armed.items() if name != armed.leg}
    match outcome:
        case NoReentry():
            decision.facts.append(watched(run, "over", msgspec.structs.replace(watch, armed=others), outcome))
        case ArmedEntry():
            kept = msgspec.structs.replace(watch, armed={**others, armed.leg: outcome})
            decision.facts.append(watched(run, "armed", kept, outcome))
        case ChooseNow():
            picked = pick_leg(scene, run, leg, {})
            if isinstance(picked, Picked):
                anew = chosen(armed, picked.instrument.name, picked.instrument.tick, max(picked.instrument.lot, 1))
                kept = msgspec.structs.replace(watch, armed={**others, armed.leg: anew})
                decision.facts.append(watched(run, "chosen", kept, picked))
            elif not picked.wait:
                _give_up(run, watch, others, picked, decision)
        case EnterNow():
            _enter_again(scene, run, armed, outcome, others, decision)


def _give_up(run: Run, watch: RunWatch, others: dict[str, ArmedEntry], why: NotPicked, decision: Decision) -> None:
    decision.facts.append(watched(run, "over", msgspec.structs.replace(watch, armed=others), why))


def _enter_again(
    scene: RunScene,
    run: Run,
    armed: ArmedEntry,
    now: EnterNow,
    others: dict[str, ArmedEntry],
    decision: Decision,
) -> None:
    facts: list[Any] = []
    picks: dict[str, Picked] = {}
    for name in now.legs:
        leg = run.legs[name]
        again = name == armed.leg
        side = now.side if again else leg.side
        if again and now.contract is not None:
            text = now.why
            facts.append(
                move_leg(
                    run,
                    leg,
                    "again",
                    now,
                    stage=LegStage.DUE,
                    side=side,
                    contract=now.contract,
                    sent=(),
                    tries=0,
                    text=text,
                    code="",
                )
            )
            continue
        picked = pick_leg(scene, run, leg, picks)
        if isinstance(picked, NotPicked):
            if not picked.wait:
                _give_up(run, run.watch, others, picked, decision)
            return
        picks[name] = picked
        stage = {"stage": LegStage.DUE} if again else {}
        facts.append(chosen_leg(scene, run, leg, picked, side=side, **stage))
    watch = msgspec.structs.replace(run.watch, armed=others, counters=taken(run.watch.counters, armed))
    decision.facts += [*facts, watched(run, "entered again", watch, now)]
