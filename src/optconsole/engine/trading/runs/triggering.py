"""What a whole run waits for after its time (features EN-3 to EN-8, EN-11), one look at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus, RunWatch
from optconsole.engine.model.strikes import ExpiryRule
from optconsole.engine.model.triggers import Momentum
from optconsole.engine.rules.candles import closes_at
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.momentum import begin_combined, combined_moved, combined_premium, seen_price
from optconsole.engine.rules.pretrade import price_in
from optconsole.engine.rules.signals import signal
from optconsole.engine.rules.triggers import (
    APPROVAL,
    LEVEL,
    MOMENTUM,
    STRADDLE,
    Answer,
    Fired,
    cross,
    straddle,
    waited_for,
)
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.charts import chart_name, closed_candles
from optconsole.engine.trading.runs.choosing import NotPicked, straddle_now
from optconsole.engine.trading.runs.obstacles import not_as_wanted
from optconsole.engine.trading.runs.scene import RunScene, decision_of, defined, move_leg, move_run, watched
from optconsole.engine.trading.runs.starting import chosen_leg, pick_all


def waits(run: Run) -> bool:
    """Whether the run as a whole still waits for a trigger; its legs are not entered before."""
    return run.status is RunStatus.WAITING and pending(run)


def pending(run: Run) -> bool:
    """Whether a run that has begun has not been let on by its triggers, those of them that have come included."""
    return not run.watch.released and bool(waited_for(run.strategy.entry, ()))


def step(scene: RunScene, run: Run) -> Decision | None:
    """Look at what the run waits for; enter once all has come true."""
    if not waits(run):
        return None
    if scene.now >= run.triggers_until:
        names = ", ".join(waited_for(run.strategy.entry, run.watch.fired)) or "its contracts"
        over = decision_of(run)
        _let_go(run, over, "NOT_TRIGGERED", f"Until {run.triggers_until:%H:%M:%S} it waited for: {names}.")
        return over
    return None if scene.barred(run) else _watch(scene, run)


def _watch(scene: RunScene, run: Run) -> Decision | None:
    decision = decision_of(run)
    watch, answers = _looked(scene, run)
    fired = [answer for answer in answers if isinstance(answer, Fired)]
    watch = msgspec.structs.replace(watch, fired=(*watch.fired, *(each.name for each in fired)))
    left = waited_for(run.strategy.entry, watch.fired)
    if left == (APPROVAL,):
        asked = _approval(scene, run, watch, decision)
        if asked is None:
            return decision
        watch = asked
    for answer in answers:
        if isinstance(answer, Blind):
            _tell(scene, run, answer, decision)
    if not left and _enter(scene, run, decision, " ".join(each.why for each in fired)):
        watch = msgspec.structs.replace(watch, released=True)
    elif not left:
        # the triggers have come true and stay so; the contracts are chosen with the next quotes
        watch = run.watch
    if watch != run.watch:
        decision.facts.append(watched(run, "triggers", watch, {"fired": fired}))
    return decision if decision.facts else None


def _looked(scene: RunScene, run: Run) -> tuple[RunWatch, list[Answer]]:
    """Every trigger that has not come true, looked at once."""
    watch, entry, answers = run.watch, run.strategy.entry, list[Answer]()
    left = waited_for(entry, watch.fired)
    if MOMENTUM in left and entry.momentum is not None:
        watch, answer = _momentum(scene, run, watch, entry.momentum)
        answers.append(answer)
    if LEVEL in left and entry.level is not None:
        crossed, answer = cross(entry.level, watch.crossed, _level_price(scene, run, entry.level.candle))
        watch = msgspec.structs.replace(watch, crossed=crossed)
        answers.append(answer)
    if STRADDLE in left and entry.straddle is not None:
        now = straddle_now(scene, run.strategy, _near(run))
        if watch.straddle is None and now is not None:
            watch = msgspec.structs.replace(watch, straddle=now)
        answers.append(straddle(entry.straddle, now, watch.straddle))
    for place, rule in enumerate(entry.indicators, 1):
        if f"indicator-{place}" not in left:
            continue
        candles = closed_candles(scene, chart_name(run, rule.leg), rule.candle)
        young = bool(candles) and scene.now - closes_at(candles[-1], rule.candle) < timedelta(seconds=5)
        if young and closes_at(candles[-1], rule.candle) > run.entry_at:
            answers.append(signal(rule, candles, place))
    return watch, answers


def _momentum(scene: RunScene, run: Run, watch: RunWatch, rule: Momentum) -> tuple[RunWatch, Answer]:
    """EN-3: the combined premium of the chosen contracts, one lot each."""
    since = None if watch.combined is None else watch.combined.since

    def price(leg: str) -> int | None:
        look = scene.look(run.legs[leg].contract)
        return look.ltp if watch.combined is None else seen_price(rule, look, since)

    value = combined_premium(run.strategy, price)
    if watch.combined is None:
        if value is None:
            return watch, Blind(why="A leg has no price, so the combined premium is unknown.")
        return msgspec.structs.replace(watch, combined=begin_combined(rule, value, scene.now)), None
    if value is None or not combined_moved(rule, watch.combined, value):
        return watch, None
    why = f"The combined premium went from {price_in(watch.combined.start)} to {price_in(value)}."
    return watch, Fired(MOMENTUM, value, watch.combined.level, why)


def _level_price(scene: RunScene, run: Run, candle: int) -> int | None:
    """The reference now, or the close of the newest candle that closed after the entry time."""
    if not candle:
        return scene.look(run.strategy.underlying).ltp
    candles = closed_candles(scene, run.strategy.underlying, candle)
    if candles and closes_at(candles[-1], candle) > run.entry_at:
        return candles[-1].close
    # until a candle has closed the level is compared with where the reference stands, which can only make it ready
    price, rule = scene.look(run.strategy.underlying).ltp, run.strategy.entry.level
    beyond = price is not None and rule is not None and (price - rule.level) * (1 if rule.cross == "up" else -1) >= 0
    return None if beyond else price


def _near(run: Run) -> ExpiryRule:
    return next((leg.expiry for leg in run.strategy.legs if leg.right is not None), ExpiryRule())


def _approval(scene: RunScene, run: Run, watch: RunWatch, decision: Decision) -> RunWatch | None:
    """EN-11: ask a person, and let the run go when nobody answers in time."""
    within = run.strategy.entry.approve_within or 0
    if watch.asked is None:
        text = f"{run.strategy.name} on {run.account} asks whether to enter; it is let go after {within} s."
        decision.facts.append(ev.NoticeRaised(level="warning", code="APPROVE", text=text, subject=run.id))
        return msgspec.structs.replace(watch, asked=scene.now)
    if scene.now - watch.asked >= timedelta(seconds=within):
        _let_go(run, decision, "NOT_APPROVED", f"Nobody approved it within {within} s.")
        return None
    return watch


def _let_go(run: Run, decision: Decision, code: str, text: str) -> None:
    decision.facts.append(move_run(run, RunStatus.SKIPPED, code, text))
    for leg in run.legs.values():
        if leg.stage in (LegStage.WAITING, LegStage.DUE):
            decision.facts.append(move_leg(run, leg, "given up", stage=LegStage.OUT, code=code, text=text))


def _tell(scene: RunScene, run: Run, answer: Blind, decision: Decision) -> None:
    text = f"{run.strategy.name} on {run.account}: {answer.why}"
    if not any((seen.subject, seen.text) == (run.id, text) for seen in scene.state.notices):
        decision.facts.append(ev.NoticeRaised(level="warning", code="TRIGGER_BLIND", text=text, subject=run.id))


def _enter(scene: RunScene, run: Run, decision: Decision, text: str) -> bool:
    """All has come true: the legs go on, on the contracts that were locked or are chosen now. False while none are."""
    locked = [leg for leg in _entered_at_start(run) if leg.contract]
    if locked:
        for leg in locked:
            decision.facts.append(move_leg(run, leg, "triggered", stage=LegStage.DUE, text=text))
    else:
        picks = pick_all(scene, run)
        if isinstance(picks, NotPicked):
            if not picks.wait:
                _let_go(run, decision, picks.code, picks.text)
            return False
        obstacle = not_as_wanted(scene, run, picks)
        if obstacle is not None:
            _let_go(run, decision, *obstacle)
            return False
        decision.facts += [chosen_leg(scene, run, run.legs[name], picked) for name, picked in picks.items()]
    decision.facts.append(move_run(run, RunStatus.ENTERING, "TRIGGERED", text or "All that was waited for has come."))
    return True


def _entered_at_start(run: Run) -> Iterator[LegRun]:
    return (leg for leg in run.legs.values() if not defined(run, leg).lazy)
