"""How a leg or a whole run is left: a wish to be flat in what it holds, watched until it is so."""

from __future__ import annotations

from collections.abc import Mapping

from optconsole.engine import events as ev
from optconsole.engine.model.book import BY_SOURCE
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.scene import RunScene, move_leg, move_run, orders_of, units


def leave_leg(
    scene: RunScene, run: Run, leg: LegRun, decision: Decision, code: str, text: str, reason: object = None
) -> None:
    """Begin to close one leg."""
    wish = _begin(scene, decision, run.source(leg.id), f"{run.id}.{leg.id}", code)
    decision.facts.append(
        move_leg(run, leg, "leaving", reason, stage=LegStage.LEAVING, leaving=wish, code=code, text=text, arming=None)
    )


def leave_run(
    scene: RunScene,
    run: Run,
    decision: Decision,
    code: str,
    text: str,
    changed: Mapping[str, LegRun] | None = None,
    reason: object = None,
) -> None:
    """Begin to close everything a run holds. ``changed`` are legs as this decision has left them."""
    legs = {**run.legs, **(changed or {})}
    holds = any(units(scene, run, leg) for leg in legs.values()) or bool(orders_of(scene, run.path))
    wish = _begin(scene, decision, run.path, run.id, code) if holds else ""
    for leg in legs.values():
        if leg.stage in (LegStage.OPEN, LegStage.ENTERING):
            decision.facts.append(
                move_leg(run, leg, "leaving", stage=LegStage.LEAVING, leaving=wish, code=code, text=text, arming=None)
            )
        elif leg.stage in (LegStage.WAITING, LegStage.DUE):
            decision.facts.append(move_leg(run, leg, "dropped", stage=LegStage.OUT, code=code, text=text))
    decision.facts.append(move_run(run, RunStatus.EXITING, code, text, reason))


def leave_part(scene: RunScene, run: Run, leg: LegRun, lots: int, decision: Decision, code: str) -> None:
    """Begin to close so many lots of a leg beyond what is being closed of it; the leg stays open with the rest."""
    source, now = run.source(leg.id), units(scene, run, leg)
    going = [abs(wish.kept) for wish in scene.state.flattening.values() if wish.parted and wish.source == source]
    keep = max(min([abs(now), *going]) - lots * leg.lot, 0)
    signed = keep if now > 0 else -keep
    _begin(scene, decision, source, f"{run.id}.{leg.id}", code, {source: signed})


def _begin(
    scene: RunScene, decision: Decision, source: str, name: str, code: str, keep: dict[str, int] | None = None
) -> str:
    begun = sum(isinstance(fact, ev.FlattenBegun) for fact in decision.facts)
    wish = f"{name}.{scene.state.seq + 1 + begun}"
    decision.facts.append(
        ev.FlattenBegun(
            flatten_id=wish,
            kind=BY_SOURCE,
            name=source,
            percent=100,
            why=code,
            targets=keep or {},
            apart=True,
        )
    )
    return wish
