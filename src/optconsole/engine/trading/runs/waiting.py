"""Legs that wait for a price before they are entered (features EN-2), and the time at which waiting ends (EN-10)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.model.leg_rules import Breakout
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.model.timeline import from_millis
from optconsole.engine.model.trigger_state import RangeSeen
from optconsole.engine.model.triggers import Range
from optconsole.engine.rules.momentum import begin_wait, cancelled_by, wait_is_over
from optconsole.engine.rules.pretrade import price_in
from optconsole.engine.rules.ranges import Phase, began_late, broken, phase, track
from optconsole.engine.rules.triggers import Fired
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs import triggering
from optconsole.engine.trading.runs.choosing import NotPicked, pick_leg
from optconsole.engine.trading.runs.scene import RunScene, decision_of, defined, move_leg, watched
from optconsole.engine.trading.runs.starting import chosen_leg

LATE_RANGE: Final = "RANGE_LATE"
PATIENCE: Final = timedelta(seconds=60)
"""How long after its start the first price of a range may come without anything being said."""


def step(scene: RunScene, run: Run) -> Decision | None:
    """Enter what has moved far enough; give up what waited too long."""
    if triggering.waits(run) or run.status is RunStatus.EXITING:
        return None
    barred = scene.barred(run)
    decision = decision_of(run)
    for leg in [each for each in run.legs.values() if each.stage is LegStage.WAITING]:
        if scene.now >= run.triggers_until:
            text = f"The price never moved as asked before {run.triggers_until:%H:%M:%S}."
            decision.facts.append(move_leg(run, leg, "given up", stage=LegStage.OUT, code="NOT_TRIGGERED", text=text))
        elif not barred and _look(scene, run, leg, decision):
            break
    return decision if decision.facts else None


def _look(scene: RunScene, run: Run, leg: LegRun, decision: Decision) -> bool:
    """Judge one waiting leg; True when it ends the waits of the others."""
    written = defined(run, leg)
    if written.breakout is not None:
        return _break(scene, run, leg, written.breakout, decision)
    premium, index = scene.look(leg.contract).ltp, scene.look(run.strategy.underlying).ltp
    reference = leg.reference if leg.reference is not None else premium
    at = leg.index if leg.index is not None else index
    if (reference, at) != (leg.reference, leg.index) and (premium is not None or index is not None):
        decision.facts.append(move_leg(run, leg, "reference", reference=reference, index=at))
    wait = begin_wait(written, leg.contract, reference, at, leg.tick, leg.lot)
    if wait is None or not wait_is_over(wait, premium, index):
        return False
    text = f"The price moved from {price_in(wait.reference)} to {price_in(wait.level)}."
    decision.facts.append(move_leg(run, leg, "triggered", wait, stage=LegStage.DUE, text=text))
    others = tuple(each.id for each in run.legs.values() if each.stage is LegStage.WAITING)
    dropped = cancelled_by(written, others)
    for name in dropped:
        told = f"Leg {leg.id} was entered, and only the first is."
        decision.facts.append(
            move_leg(run, run.legs[name], "given up", stage=LegStage.OUT, code="FIRST_ONLY", text=told)
        )
    return bool(dropped)


def _break(scene: RunScene, run: Run, leg: LegRun, breakout: Breakout, decision: Decision) -> bool:
    """EN-4: enter a leg on the break of its edge. Never ends the waits of others."""
    rule = run.strategy.entry.range
    assert rule is not None  # a breakout without a range is refused when it is saved
    name = leg.contract if breakout.of_option else run.strategy.underlying
    place = leg.id if breakout.of_option else ""
    answer = broken(rule, breakout, run.watch.ranges.get(place), scene.look(name).ltp, scene.now, dte_now(scene, run))
    if isinstance(answer, Fired):
        picked = pick_leg(scene, run, leg, {}) if not leg.contract else None
        if isinstance(picked, NotPicked):
            return False
        if picked is None:
            decision.facts.append(move_leg(run, leg, "triggered", answer, stage=LegStage.DUE, text=answer.why))
        else:
            decision.facts.append(chosen_leg(scene, run, leg, picked, stage=LegStage.DUE, text=answer.why))
    return False


def follow_range(scene: RunScene, run: Run) -> Decision | None:
    """Keep the high and low of the run's range as they come (EN-4)."""
    rule = run.strategy.entry.range
    if rule is None:
        return None
    ranges, dte = dict(run.watch.ranges), dte_now(scene, run)
    for place, name in _ranged(run):
        quote, look = scene.situation.quote(name), scene.look(name)
        at = scene.now if quote is None else min(from_millis(quote.ts), scene.now)
        if phase(rule, at, dte) is Phase.BEFORE:
            at = scene.now  # a price from before the range that still stands is its first
        seen = track(rule, ranges.get(place), look.ltp, at, dte)
        if seen is not None:
            ranges[place] = seen
    decision = decision_of(run)
    _tell_late(scene, run, rule, ranges, dte, decision)
    before = {place: (seen.high, seen.low) for place, seen in run.watch.ranges.items()}
    if {place: (seen.high, seen.low) for place, seen in ranges.items()} != before:
        decision.facts.append(watched(run, "range", msgspec.structs.replace(run.watch, ranges=ranges)))
    return decision if decision.facts else None


def _tell_late(
    scene: RunScene, run: Run, rule: Range, ranges: dict[str, RangeSeen], dte: int, decision: Decision
) -> None:
    """Say once that a range may be wrong: its first price came late, or the engine was down while it was formed."""
    now, up = scene.now, scene.up_since
    on_its_day = rule.start_dte is None or rule.start_dte == dte
    begin = datetime.combine(now.date(), rule.start, now.tzinfo)
    inside = phase(rule, now, dte) is not Phase.BEFORE
    away = on_its_day and inside and up is not None and up.date() == now.date() and up - begin > PATIENCE
    wrong = [seen for seen in ranges.values() if began_late(rule, seen, PATIENCE)]
    none = phase(rule, now, dte) is Phase.AFTER and not ranges
    if not (away or wrong or none) or any(
        (told.code, told.subject) == (LATE_RANGE, run.id) for told in scene.state.notices
    ):
        return
    what = "has no price in it" if none else "may lack a high or low that nobody saw"
    text = f"{run.strategy.name} on {run.account}: the range from {rule.start:%H:%M:%S} {what}."
    decision.facts.append(ev.NoticeRaised(level="warning", code=LATE_RANGE, text=text, subject=run.id))


def _ranged(run: Run) -> Iterator[tuple[str, str]]:
    """(place, contract) of every range the run keeps."""
    yield "", run.strategy.underlying
    for leg in run.legs.values():
        written = defined(run, leg)
        if written.breakout is not None and written.breakout.of_option and leg.contract:
            yield leg.id, leg.contract


def dte_now(scene: RunScene, run: Run) -> int:
    """Trading days to the run's expiry, today."""
    return scene.days.between(scene.now.date(), run.expiry)
