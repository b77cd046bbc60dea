"""Runs whose contracts the broker shows in another quantity: they enter nothing until that is explained (BK-6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.model.book import Drift
from optconsole.engine.model.positions import position_name
from optconsole.engine.model.runs import LegRun, LegStage, Run
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.scene import RunScene, decision_of, move_leg, units

PATIENCE: Final = timedelta(seconds=30)
"""How long an entry waits for an explanation: the price that it was meant for is another one then."""
CODE: Final = "DRIFT"


def differing(scene: RunScene, run: Run) -> Drift | None:
    """A difference in a contract that a run holds, or is about to enter."""
    for leg in run.legs.values():
        wanted = leg.stage in (LegStage.DUE, LegStage.ENTERING)
        if not leg.contract or not (wanted or units(scene, run, leg)):
            continue
        drift = scene.state.drifts.get(position_name(leg.account, run.strategy.product, leg.contract))
        if drift is not None:
            return drift
    return None


def words(drift: Drift) -> str:
    """Why nothing is entered."""
    return f"Our book holds {drift.ours} of {drift.key.contract} and the broker {drift.theirs}; settle that first."


def waited(scene: RunScene, leg: LegRun) -> bool:
    """Whether a leg has waited for an explanation as long as it may."""
    return leg.since is not None and scene.now - leg.since >= PATIENCE


def hold(scene: RunScene, run: Run, drift: Drift) -> Decision | None:
    """Say once of each leg that is due that it waits, and why."""
    decision, text = decision_of(run), words(drift)
    for leg in run.legs.values():
        if leg.stage is LegStage.DUE and leg.code != CODE:
            decision.facts.append(move_leg(run, leg, "held", drift, code=CODE, text=text))
    if decision.facts:
        told = f"{run.strategy.name} on {run.account} enters nothing: {text}"
        decision.facts.append(ev.NoticeRaised(level="warning", code="ENTRY_HELD", text=told, subject=run.id))
    return decision if decision.facts else None
