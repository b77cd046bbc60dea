"""What follows from the answer of a run's registered strategy: wishes, each put to the rules that everybody obeys."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.model.baskets import Allocation
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.plugins import (
    AskKind,
    EnterLeg,
    ExitAll,
    ExitLeg,
    MoveStop,
    Note,
    PluginFault,
    PluginWatch,
    StrategyAnswer,
    Verdict,
)
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.model.strategies import Leg
from optconsole.engine.model.text import display
from optconsole.engine.rules.allocation import share
from optconsole.engine.rules.distances import rounded
from optconsole.engine.rules.lint import lint_strategy
from optconsole.engine.rules.pretrade import price_in
from optconsole.engine.strategies.files import read_legs
from optconsole.engine.trading.baskets import market_facts
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.asking import can_enter, wants_legs
from optconsole.engine.trading.runs.choosing import NotPicked, pick_leg
from optconsole.engine.trading.runs.guarding import Memory
from optconsole.engine.trading.runs.leaving import leave_leg, leave_run
from optconsole.engine.trading.runs.scene import RunScene, decision_of, defined, move_leg, move_run, watched
from optconsole.engine.trading.runs.starting import chosen_leg

FAILED = "STRATEGY_FAILED"


def hear(scene: RunScene, run: Run, answer: StrategyAnswer, memory: Memory) -> Decision | None:
    """Take one answer in. One that comes when its run has gone on is passed over."""
    decision = decision_of(run)
    if answer.kind is AskKind.WARM:
        if answer.fault is not None and run.status is RunStatus.SCHEDULED:
            _alarm(scene, run, decision, answer.fault, "It is asked again at its entry.")
    elif answer.kind is AskKind.ENTRY:
        if run.status is RunStatus.SCHEDULED and wants_legs(run):
            _entry(scene, run, answer, decision)
    elif run.status in (RunStatus.WAITING, RunStatus.ENTERING, RunStatus.ACTIVE) and not run.watch.plugin.down:
        _look(scene, run, answer, decision, memory)
    return decision if decision.facts else None


# ---------------------------------------------------------------- at entry time


def _entry(scene: RunScene, run: Run, answer: StrategyAnswer, decision: Decision) -> None:
    if answer.fault is not None:
        _never(scene, run, decision, answer.fault)
        return
    if answer.verdict is Verdict.WAIT:
        kept = msgspec.structs.replace(run.watch.plugin, memory=answer.memory, every=answer.every)
        if kept != run.watch.plugin:
            decision.facts.append(watched(run, "strategy waits", msgspec.structs.replace(run.watch, plugin=kept)))
        return
    if answer.verdict is Verdict.SKIP:
        text = f"{run.strategy.plugin}: {display(answer.why or 'not today', 200)}"
        decision.facts.append(move_run(run, RunStatus.SKIPPED, "STRATEGY_SKIPPED", text))
        return
    try:
        legs = _legs(scene, run, answer)
        lots = share({leg.id: leg.lots for leg in legs}, _allocation(scene, run)).lots
    except Refusal as refused:
        _never(scene, run, decision, PluginFault(refused.code, refused.text))
        return
    strategy = msgspec.structs.replace(run.strategy, legs=legs)
    watch = PluginWatch(given=True, memory=answer.memory, every=answer.every)
    decision.facts += [
        ev.LegsGiven(
            run_id=run.id,
            strategy=strategy,
            legs={
                leg.id: LegRun(id=leg.id, account=_account(run, leg), side=leg.side, lots=lots[leg.id]) for leg in legs
            },
            why={"by": run.strategy.plugin, "said": display(answer.why, 200)},
        ),
        watched(run, "strategy remembers", msgspec.structs.replace(run.watch, plugin=watch)),
    ]


def _account(run: Run, leg: Leg) -> str:
    written = run.strategy.leg(leg.id)
    return run.account if written is None or not written.account else written.account


def _legs(scene: RunScene, run: Run, answer: StrategyAnswer) -> Sequence[Leg]:
    """The legs that were given, else those that are written. Raises Refusal(BAD_LEGS)."""
    legs, faults = read_legs(answer.legs) if answer.legs else (run.strategy.legs, ())
    if faults:
        raise Refusal("BAD_LEGS", f"{faults[0].where}: {faults[0].text}")
    if any(leg.account for leg in legs) and legs != run.strategy.legs:
        raise Refusal("BAD_LEGS", "A strategy may not say on which account a leg is traded.")
    found = lint_strategy(
        msgspec.structs.replace(run.strategy, legs=tuple(legs)), market_facts(scene.state, scene.master)
    )
    if not legs or found:
        raise Refusal("BAD_LEGS", f"{found[0].path}: {found[0].text}" if found else "It gave no legs.")
    return tuple(legs)


def _allocation(scene: RunScene, run: Run) -> Allocation:
    book = scene.state.baskets.get(run.basket)
    parts = () if book is None else book.basket.allocations
    return next((each for each in parts if each.account == run.account), Allocation(account=run.account))


def _never(scene: RunScene, run: Run, decision: Decision, fault: PluginFault) -> None:
    text = f"{run.strategy.plugin} failed [{fault.code}]: {display(fault.text, 200)}"
    down = msgspec.structs.replace(run.watch.plugin, down=fault.code, text=text)
    decision.facts += [
        watched(run, "strategy switched off", msgspec.structs.replace(run.watch, plugin=down), fault),
        move_run(run, RunStatus.SKIPPED, FAILED, text),
    ]
    _alarm(scene, run, decision, fault, "Nothing was entered.")


def _alarm(scene: RunScene, run: Run, decision: Decision, fault: PluginFault, then: str) -> None:
    text = (
        f"{run.strategy.name} on {run.account}: the strategy {run.strategy.plugin} failed [{fault.code}]:"
        f" {display(fault.text, 200)} {then}"
    )
    if not any((seen.subject, seen.text) == (run.id, text) for seen in scene.state.notices):
        decision.facts.append(ev.NoticeRaised(level="alarm", code=FAILED, text=text, subject=run.id))


# ---------------------------------------------------------------- while the run is on


def _look(scene: RunScene, run: Run, answer: StrategyAnswer, decision: Decision, memory: Memory) -> None:
    if answer.fault is not None:
        _switch_off(scene, run, answer.fault, decision)
        return
    kept = msgspec.structs.replace(run.watch.plugin, memory=answer.memory, every=answer.every)
    if kept != run.watch.plugin:
        decision.facts.append(watched(run, "strategy remembers", msgspec.structs.replace(run.watch, plugin=kept)))
    touched: set[str] = set()
    for action in answer.actions if not scene.state.killed else ():
        if isinstance(action, ExitAll):
            leave_run(scene, _untouched(run, touched), decision, ExitCode.PLUGIN, _said(run, action.why))
            return
        try:
            _act(scene, run, action, decision, memory, touched)
        except Refusal as refused:
            _refused(scene, run, decision, refused)


def _switch_off(scene: RunScene, run: Run, fault: PluginFault, decision: Decision) -> None:
    """Its stops and its exit time need no strategy: they go on."""
    down = msgspec.structs.replace(run.watch.plugin, down=fault.code, text=display(fault.text, 200))
    decision.facts.append(watched(run, "strategy switched off", msgspec.structs.replace(run.watch, plugin=down), fault))
    then = f"It is not asked any more in this run; stops stay, and what is open is closed at {run.exit_at:%H:%M:%S}."
    _alarm(scene, run, decision, fault, then)


def _act(
    scene: RunScene,
    run: Run,
    action: ExitLeg | MoveStop | EnterLeg | Note,
    decision: Decision,
    memory: Memory,
    touched: set[str],
) -> None:
    """Carry one wish out. Raises Refusal where the rules do not grant it."""
    match action:
        case Note():
            text = f"{run.strategy.name} on {run.account}: {display(action.why, 200)}"
            decision.facts.append(ev.NoticeRaised(level="info", code="STRATEGY_NOTE", text=text, subject=run.id))
        case ExitLeg():
            _exit(scene, run, _once(run, action.leg, touched), decision, action.why)
        case MoveStop():
            _stop(scene, run, _once(run, action.leg, touched), action, decision, memory)
        case EnterLeg():
            _enter(scene, run, _once(run, action.leg, touched), decision, action.why)


def _untouched(run: Run, touched: set[str]) -> Run:
    """The run without the legs that this answer has moved already: their facts are made, and the wish takes all."""
    return msgspec.structs.replace(run, legs={name: leg for name, leg in run.legs.items() if name not in touched})


def _said(run: Run, why: str) -> str:
    return f"{run.strategy.plugin}: {display(why or 'no reason given', 200)}"


def _once(run: Run, name: str, touched: set[str]) -> LegRun:
    leg = run.legs.get(name)
    if leg is None:
        raise Refusal("NO_SUCH_LEG", f"there is no leg {display(name, 20)!r}")
    if name in touched:
        raise Refusal("TWICE", f"leg {name} was asked for twice in one answer")
    touched.add(name)
    return leg


def _exit(scene: RunScene, run: Run, leg: LegRun, decision: Decision, why: str) -> None:
    if leg.stage is not LegStage.OPEN:
        raise Refusal("NOT_OPEN", f"leg {leg.id} is {leg.stage.value.lower()} and cannot be left")
    guarded = [name for name in defined(run, leg).hedges if name in run.legs and run.legs[name].stage.holds]
    if guarded:
        raise Refusal("HEDGE", f"leg {leg.id} protects {', '.join(guarded)}, which must be out before it")
    leave_leg(scene, run, leg, decision, ExitCode.PLUGIN, _said(run, why))


def _stop(scene: RunScene, run: Run, leg: LegRun, action: MoveStop, decision: Decision, memory: Memory) -> None:
    if leg.stage is not LegStage.OPEN or leg.levels is None:
        raise Refusal("NOT_OPEN", f"leg {leg.id} is {leg.stage.value.lower()} and has no stop to move")
    levels = memory.levels(run.source(leg.id), leg.levels)
    track = levels.leg
    level = rounded(action.price, track.sign, track.tick)
    if track.stop is not None and (level - track.stop) * track.sign <= 0:
        if level == track.stop:
            return
        raise Refusal(
            "WIDER",
            f"the stop of leg {leg.id} at {price_in(track.stop)} may only come nearer, not go to {price_in(level)}",
        )
    price = scene.look(leg.contract).ltp
    if price is None or (price - level) * track.sign <= 0:
        now = "unknown" if price is None else price_in(price)
        raise Refusal("WOULD_FIRE", f"a stop of leg {leg.id} at {price_in(level)} is no stop: the price is {now}")
    moved = msgspec.structs.replace(
        track, stop=level, base=level if track.base is None else track.base, code=ExitCode.LEG_SL
    )
    why = {"by": run.strategy.plugin, "asked": action.price, "said": display(action.why, 200)}
    decision.facts.append(move_leg(run, leg, "levels", why, levels=msgspec.structs.replace(levels, leg=moved)))


def _enter(scene: RunScene, run: Run, leg: LegRun, decision: Decision, why: str) -> None:
    if not can_enter(run, leg):
        raise Refusal("NOT_NOW", f"leg {leg.id} is not a lazy leg that waits to be entered")
    if scene.now >= run.triggers_until:
        raise Refusal("TOO_LATE", f"nothing is entered after {run.triggers_until:%H:%M:%S}")
    picked = pick_leg(scene, run, leg, {})
    if isinstance(picked, NotPicked):
        raise Refusal(picked.code, picked.text)
    decision.facts.append(chosen_leg(scene, run, leg, picked, text=_said(run, why)))


def _refused(scene: RunScene, run: Run, decision: Decision, refused: Refusal) -> None:
    """A wish that the rules do not grant is told, and told once."""
    text = f"{run.strategy.name} on {run.account}: {run.strategy.plugin} was refused [{refused.code}]: {refused.text}."
    if not any((seen.subject, seen.text) == (run.id, text) for seen in scene.state.notices):
        decision.facts.append(ev.NoticeRaised(level="warning", code="STRATEGY_REFUSED", text=text, subject=run.id))
