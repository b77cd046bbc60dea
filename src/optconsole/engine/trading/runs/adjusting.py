"""An adjustment of a run carried out, move by move, each step gated on the fills of those before it (features BK-8).

The run's own machine does the work: a leg that goes is left as at its stop, one that comes is entered as any other,
with its retries and the strategy's word on failure. All that is remembered is in the facts, so that a restart goes on.
"""

from __future__ import annotations

from typing import Any

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.automation import made
from optconsole.engine.commands import AdjustRun, Reply
from optconsole.engine.model.adjustments import Adjustment, AdjustStage, Move
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderTerms, OrderType
from optconsole.engine.model.runs import LegStage, Run, RunStatus
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.queries import Check
from optconsole.engine.rules.breakevens import PaidLeg, break_even_band
from optconsole.engine.rules.pretrade import checks_in_parts, refusal
from optconsole.engine.rules.protected import with_protection
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.adjustment_plans import planned
from optconsole.engine.trading.runs.leaving import leave_leg
from optconsole.engine.trading.runs.scene import RunScene, decision_of, move_leg, part, watched, why
from optconsole.engine.trading.runs.steering import run_of

S, L = AdjustStage, LegStage


def adjust(scene: RunScene, command: AdjustRun) -> Decision:
    """Begin an adjustment. Raises Refusal; CHANGED where it is not what was previewed any more."""
    run = run_of(scene, command.run_id)
    change = planned(scene, run, command.how)
    contracts = tuple(move.contract for move in change.moves)
    if command.expect and command.expect != contracts:
        raise Refusal("CHANGED", f"By now it would be {', '.join(contracts)}; look at it again.")
    for move in change.moves:
        refused = refusal(obstacles(scene, run, move)) if move.opens and move.step == 1 else None
        if refused is not None:
            raise Refusal(refused.code, f"Leg {move.leg}: {refused.text}")
    decision = Decision(command.actor, command.id)
    decision.facts.append(ev.RunAdjusted(run_id=run.id, adjustment=change, why=why({"how": command.how})))
    counters = run.watch.counters
    for old, new in change.replaces.items():
        counters = counters.inherited(old, new)
    if counters != run.watch.counters:
        decision.facts.append(watched(run, "counters", msgspec.structs.replace(run.watch, counters=counters)))
    decision.reply = Reply(ok=True, code="ADJUSTING", text=f"{run.id}: {change.text}", ids=(run.id,))
    return decision


def obstacles(scene: RunScene, run: Run, move: Move) -> tuple[Check, ...]:
    """What the pre-trade rules say of a leg that would be opened now."""
    instrument = scene.master.get(move.contract)
    if instrument is None:
        return (Check(code="NOT_LISTED", severity="refuse", text=f"{move.contract} is not listed today."),)
    terms = OrderTerms(
        account=move.account,
        contract=move.contract,
        side=move.side,
        qty=move.units,
        type=OrderType.MARKET,
        product=run.strategy.product,
        source=run.source(move.leg),
    )
    terms = with_protection(terms, instrument, scene.situation.quote(move.contract))
    return checks_in_parts(scene.state, terms, instrument, scene.situation)


def step(scene: RunScene, run: Run) -> Decision | None:
    """The next step of a run's adjustment."""
    change = run.adjusting
    if change is None:
        return None
    broken = next((text for move in change.moves if (text := _broken(run, change, move))), "") or _late(scene, run)
    if broken:
        return _ended(run, change, S.FAILED, broken)
    if run.status is RunStatus.EXITING or scene.state.killed:
        text = "The kill switch is on." if scene.state.killed else "The run is being left."
        return _ended(run, change, S.DROPPED, text)
    for number in sorted({move.step for move in change.moves}):
        moves = [move for move in change.moves if move.step == number]
        if all(_done(run, move) for move in moves):
            continue
        return None if run.status is RunStatus.HALTED else _begin(scene, run, change, moves)
    decision = _ended(run, change, S.DONE, change.text)
    _break_even_anew(scene, run, decision)
    return decision


def _done(run: Run, move: Move) -> bool:
    leg = run.legs[move.leg]
    if move.opens:
        return leg.entries > 0 and leg.stage not in (LegStage.DUE, LegStage.ENTERING)
    return leg.stage is LegStage.OUT


def _broken(run: Run, change: Adjustment, move: Move) -> str:
    """Why a move cannot come to its end any more; empty while it may."""
    leg = run.legs[move.leg]
    if leg.stage is not LegStage.OUT:
        return ""
    if move.opens:
        return "" if leg.entries else f"leg {leg.id} was not entered: {leg.text}"
    return "" if leg.code == change.code else f"leg {leg.id} was left before it could be moved: {leg.text}"


def _late(scene: RunScene, run: Run) -> str:
    """Whether the day ended before the last step began: prices are others by the next one, and a person decides."""
    change = run.adjusting
    if change is None or change.since is None or change.since.date() == scene.now.date():
        return ""
    left = [move for move in change.moves if run.legs[move.leg].stage is (L.IDLE if move.opens else L.OPEN)]
    return f"the day was over before {left[0].leg} could be moved" if left else ""


def _begin(scene: RunScene, run: Run, change: Adjustment, moves: list[Move]) -> Decision | None:
    """Set going what of this step is not under way yet."""
    decision = decision_of(run)
    for move in moves:
        leg = run.legs[move.leg]
        if move.opens and leg.stage is LegStage.IDLE:
            decision.facts.append(move_leg(run, leg, "due", stage=LegStage.DUE, text=change.text))
        elif not move.opens and leg.stage is LegStage.OPEN and scene.situation.phase is MarketPhase.OPEN:
            leave_leg(scene, run, leg, decision, change.code, change.text)
    return decision if decision.facts else None


def _break_even_anew(scene: RunScene, run: Run, decision: Decision) -> None:
    """A run that is left at its break-evens has others by now: those of what it holds, with all that it has made."""
    band, index = run.strategy.overall.band, scene.look(run.strategy.underlying).ltp
    if band is None or not band.break_even or run.watch.break_evens is None or index is None:
        return
    legs, expiries = [], set()
    for leg in run.legs.values():
        held, instrument = part(scene, run, leg), scene.master.get(leg.contract)
        if held is None or not held.qty or instrument is None:
            continue
        expiries.add(instrument.expiry)
        sign = 1 if held.qty > 0 else -1
        entry = round(held.cost / held.qty)
        legs.append(
            PaidLeg(sign=sign, quantity=abs(held.qty), entry=entry, right=instrument.right, strike=instrument.strike)
        )
    realised = made(scene.state, run)[0] - run.watch.base[0]
    around = break_even_band(legs, index, realised) if len(expiries) == 1 else (None, None)
    decision.facts.append(watched(run, "break-evens", msgspec.structs.replace(run.watch, break_evens=around)))


def _ended(run: Run, change: Adjustment, stage: AdjustStage, text: str) -> Decision:
    decision = decision_of(run)
    over = msgspec.structs.replace(change, stage=stage)
    told: dict[str, Any] = {} if stage is S.DONE else {"text": text}
    decision.facts.append(ev.RunAdjusted(run_id=run.id, adjustment=over, why=told))
    if stage is S.FAILED:
        words = f"{run.strategy.name} on {run.account}: the {change.kind} ended half-way, {text}"
        decision.facts.append(ev.NoticeRaised(level="alarm", code="ADJUST_FAILED", text=words, subject=run.id))
    return decision
