"""How a run begins: at its time, late, or not at all, with the contracts of its legs (features EN-1, SC-2, SC-6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.entry_filters import failing
from optconsole.engine.rules.misfires import Due, Timing, due
from optconsole.engine.rules.schedules import Planned
from optconsole.engine.rules.triggers import waited_for
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.asking import Asked, ask_entry, wants_legs
from optconsole.engine.trading.runs.choosing import NotPicked, Picked, pick_leg
from optconsole.engine.trading.runs.obstacles import market_of, not_as_wanted, obstacle
from optconsole.engine.trading.runs.planning import scheduled
from optconsole.engine.trading.runs.scene import RunScene, defined, move_leg, move_run, why

NOW: Final = "NOW"
"""The code of a run that a person told to begin at once."""
_NEVER_BEGAN: Final = (RunStatus.SCHEDULED, RunStatus.SKIPPED)


def start_due(scene: RunScene, asked: Asked) -> Decision | None:
    """Begin every run whose time has come, all in one decision: none waits for the orders of another."""
    decision = Decision("schedule", f"due {scene.now:%H:%M:%S}")
    if scene.situation.phase is not MarketPhase.OPEN:
        return None
    for run in scheduled(scene):
        _start(scene, run, decision, asked)
    return decision if decision.facts or decision.effects else None


def planned_of(run: Run) -> Planned:
    """The run's times as its plan had them."""
    return Planned(
        trade_date=run.trade_date,
        entry_at=run.entry_at,
        entry_until=run.entry_until,
        triggers_until=run.triggers_until,
        exit_at=run.exit_at,
        expiry=run.expiry,
        dte=run.dte,
        watch_from=run.watch_from,
    )


def _start(scene: RunScene, run: Run, decision: Decision, asked: Asked) -> None:
    if run.code == NOW:
        verdict = Due(Timing.DUE, 0, "Begun by hand.")
    else:
        verdict = due(scene.now, planned_of(run), run.strategy.schedule.misfire, scene.up_since)
    if verdict.timing is Timing.MISSED:
        decision.facts.append(move_run(run, RunStatus.SKIPPED, "MISSED", verdict.text, verdict, verdict.lag_ms))
        return
    if verdict.timing is Timing.ASK and run.code != "ASK":
        text = f"{run.strategy.name} on {run.account}: {verdict.text}"
        decision.facts += [
            move_run(run, RunStatus.SCHEDULED, "ASK", verdict.text, verdict),
            ev.NoticeRaised(level="warning", code="ENTRY_MISSED", text=text, subject=run.id),
        ]
    if not verdict.enters or not _turn(scene, run):
        return
    found = obstacle(scene, run)
    if found is not None:
        _skip(decision, run, *found)
        return
    if wants_legs(run):
        decision.effects += ask_entry(scene, run, asked)
        return
    enter(scene, run, decision, verdict)


def _turn(scene: RunScene, run: Run) -> bool:
    """Whether the accounts before this one are far enough (features BK-5)."""
    if run.code == NOW:
        return True
    if scene.now < run.entry_at + timedelta(milliseconds=run.depart_ms):
        return False
    before = next(
        (
            each
            for each in scene.state.runs.values()
            if each.account == run.after
            and (each.basket, each.strategy.name, each.trade_date) == (run.basket, run.strategy.name, run.trade_date)
        ),
        None,
    )
    return before is None or before.status not in (RunStatus.SCHEDULED, RunStatus.ENTERING)


def _skip(decision: Decision, run: Run, code: str, text: str, reason: object = None) -> None:
    decision.facts.append(move_run(run, RunStatus.SKIPPED, code, text, reason))
    level = "alarm" if code in ("NO_SESSION", "UNKNOWN_ACCOUNT") else "warning"
    told = f"{run.strategy.name} on {run.account} was skipped: {text}"
    decision.facts.append(ev.NoticeRaised(level=level, code=code, text=told, subject=run.id))


def enter(scene: RunScene, run: Run, decision: Decision, verdict: Due) -> None:
    """Choose the contracts and make the legs due, or say why there are none."""
    at_once = msgspec.structs.replace(run.strategy.entry.filters, max_spread=None)
    failed = failing(at_once, market_of(scene, run))
    if failed:
        _skip(decision, run, failed[0].code, " ".join(each.why for each in failed), {"failed": list(failed)})
        return
    entry, code = run.strategy.entry, "LATE" if verdict.timing is Timing.LATE else "ON_TIME"
    left = waited_for(entry, ())
    if left and entry.momentum is None and not any(rule.leg for rule in entry.indicators):
        text = f"{verdict.text} Waits for: {', '.join(left)}."
        decision.facts.append(move_run(run, RunStatus.WAITING, code, text, verdict, max(verdict.lag_ms, 0)))
        return
    picks = pick_all(scene, run)
    if isinstance(picks, NotPicked):
        if picks.wait and scene.now < run.entry_until:
            return
        _skip(decision, run, picks.code, picks.text, picks)
        return
    unwanted = not_as_wanted(scene, run, picks)
    if unwanted is not None:
        _skip(decision, run, *unwanted)
        return
    facts = [chosen_leg(scene, run, run.legs[leg], picked) for leg, picked in picks.items()]
    facts += [
        move_leg(run, leg, "waits", stage=LegStage.WAITING)
        for leg in run.legs.values()
        if not defined(run, leg).lazy and breaks_out(run, leg)
    ]
    if left:
        facts = [ev_waiting(fact) for fact in facts]
    waits = bool(left) or all(fact.leg.stage is LegStage.WAITING for fact in facts)
    decision.facts += [
        *facts,
        move_run(
            run, RunStatus.WAITING if waits else RunStatus.ENTERING, code, verdict.text, verdict, max(verdict.lag_ms, 0)
        ),
    ]


def ev_waiting(fact: ev.LegMoved) -> ev.LegMoved:
    """The leg on its locked contract, which waits for what the whole run waits for."""
    return msgspec.structs.replace(fact, leg=msgspec.structs.replace(fact.leg, stage=LegStage.WAITING))


def pick_all(scene: RunScene, run: Run) -> dict[str, Picked] | NotPicked:
    """The contracts of all legs that are entered at the start, in their order; the first that has none ends it."""
    picks: dict[str, Picked] = {}
    for leg in run.legs.values():
        if defined(run, leg).lazy:
            continue
        if breaks_out(run, leg):
            continue
        found = pick_leg(scene, run, leg, picks)
        if isinstance(found, NotPicked):
            return found
        picks[leg.id] = found
    return picks


def breaks_out(run: Run, leg: LegRun) -> bool:
    """Whether a leg's contract is chosen only when the underlying breaks its range."""
    breakout = defined(run, leg).breakout
    return breakout is not None and not breakout.of_option


def chosen_leg(scene: RunScene, run: Run, leg: LegRun, picked: Picked, **changes: object) -> ev.LegMoved:
    """The leg with its contract: waiting for its move where it has one (EN-2), else due."""
    written = defined(run, leg)
    waits = written.wait is not None or written.breakout is not None
    return move_leg(
        run,
        leg,
        "chosen",
        why(picked),
        **{
            "stage": LegStage.WAITING if waits else LegStage.DUE,
            "contract": picked.instrument.name,
            "lot": max(picked.instrument.lot, 1),
            "tick": picked.instrument.tick,
            "reference": picked.premium if waits else None,
            "index": scene.look(run.strategy.underlying).ltp if waits else None,
            "tries": 0,
            "sent": (),
            "code": "",
            "text": "",
            **changes,
        },
    )
