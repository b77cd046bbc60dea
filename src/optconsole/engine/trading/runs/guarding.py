"""The legs of a run under watch: stops, targets, trails, and what one leg's end means for the others (features 1.5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.leg_state import Arming, Levels
from optconsole.engine.model.runs import LegRun, Run
from optconsole.engine.model.strategies import SquareOff
from optconsole.engine.rules.leg_company import to_close
from optconsole.engine.rules.leg_exits import Blind, ExitNow, decide
from optconsole.engine.rules.leg_trails import on_price
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.fills import completed
from optconsole.engine.trading.runs.leaving import leave_leg, leave_run
from optconsole.engine.trading.runs.scene import RunScene, decision_of, defined, move_leg, open_legs

STORE: Final = timedelta(seconds=1)
"""How often a level that moves with every price is written down: a restart trails at most so far behind."""

REST: Final = timedelta(seconds=10)
"""Before a leg that could not be closed is left again: another holds against it, or the session is over."""


class Memory:
    """Levels that have moved since they were written down, and quotes already looked at. Of this process only."""

    def __init__(self) -> None:
        self._levels: dict[str, tuple[Levels, Levels]] = {}
        self._stored: dict[str, datetime] = {}

    def levels(self, source: str, stored: Levels) -> Levels:
        """The newest levels of a leg; what was stored where that has changed since."""
        known = self._levels.get(source)
        return known[1] if known is not None and known[0] == stored else stored

    def keep(self, source: str, stored: Levels, levels: Levels) -> None:
        self._levels[source] = (stored, levels)

    def due(self, source: str, now: datetime) -> bool:
        """Whether moved levels may be written down again."""
        last = self._stored.get(source)
        return last is None or now - last >= STORE

    def stored(self, source: str, now: datetime) -> None:
        self._stored[source] = now

    def drop(self, source: str) -> None:
        self._levels.pop(source, None)
        self._stored.pop(source, None)


def step(scene: RunScene, run: Run, memory: Memory) -> Decision | None:
    """What these prices mean for the open legs of a run."""
    if scene.state.killed or not scene.watching(run):
        return None
    decision = decision_of(run)
    for leg in open_legs(run):
        if leg.levels is not None and not _rests(scene, leg) and _look(scene, run, leg, leg.levels, memory, decision):
            break  # everything goes
    return decision if decision.facts else None


def _rests(scene: RunScene, leg: LegRun) -> bool:
    """Whether the desk has just given the leg's exit up: to ask again at once would go on for ever."""
    return bool(leg.code) and leg.since is not None and timedelta() <= scene.now - leg.since < REST


def _look(scene: RunScene, run: Run, leg: LegRun, stored: Levels, memory: Memory, decision: Decision) -> bool:
    """Judge one leg; True when it takes all others with it."""
    source, seen = run.source(leg.id), scene.seen(run, leg)
    levels, written = memory.levels(source, stored), defined(run, leg)
    whole = completed(scene, run, leg, levels)
    if whole is not levels:
        memory.stored(source, scene.now)
        decision.facts.append(move_leg(run, leg, "completed", seen, levels=whole))
        return False
    verdict = decide(levels, written, seen, leg.arming)
    if isinstance(verdict, ExitNow):
        return _leave(scene, run, msgspec.structs.replace(leg, levels=levels), verdict, decision)
    after = on_price(levels, written, seen)
    memory.keep(source, stored, after)
    changes: dict[str, object] = {}
    arming = verdict.arming if isinstance(verdict, Blind) else verdict if isinstance(verdict, Arming) else None
    blind = verdict.why if isinstance(verdict, Blind) else ""
    if arming != leg.arming:
        changes["arming"] = arming
    if bool(blind) != bool(leg.blind):
        changes["blind"] = blind
        if blind:
            text = f"{run.strategy.name} on {run.account}, leg {leg.id}: {blind}"
            decision.facts.append(ev.NoticeRaised(level="alarm", code="GUARD_BLIND", text=text, subject=source))
    if _stops(after) != _stops(stored) and memory.due(source, scene.now):
        changes["levels"] = after
        memory.stored(source, scene.now)
    if changes:
        decision.facts.append(move_leg(run, leg, "levels" if "levels" in changes else "watched", seen, **changes))
    return False


def _stops(levels: Levels) -> tuple[object, ...]:
    """What of the levels decides: the rest follows from prices yet to come."""
    index = levels.index
    return (
        levels.leg.stop,
        levels.leg.code,
        levels.leg.target,
        levels.leg.at_cost,
        levels.missing,
        None if index is None else (index.stop, index.code, index.target),
    )


def _leave(scene: RunScene, run: Run, leg: LegRun, verdict: ExitNow, decision: Decision) -> bool:
    """Leave a leg with all that goes with it (LX-8); True when the whole run is left."""
    still = [each.id for each in open_legs(run)]
    others = to_close(run.strategy, defined(run, leg), verdict.code, still)
    if run.strategy.square_off is SquareOff.COMPLETE and verdict.code is not ExitCode.TIME:
        leave_run(scene, run, decision, verdict.code, f"Leg {leg.id}: {verdict.why}", {leg.id: leg}, verdict)
        return True
    leave_leg(scene, run, leg, decision, verdict.code, verdict.why, verdict)
    for name in others:
        text = f"Leg {leg.id}, which it protected, is closed."
        leave_leg(scene, run, run.legs[name], decision, verdict.code, text)
    return bool(others)
