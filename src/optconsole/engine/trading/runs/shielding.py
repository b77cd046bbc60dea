"""The stop that every open leg has at the exchange, so that it is guarded even while this engine is not there.

Where the leg's own stop looks at the last trade, the guard watches that level here and has a wider stop at the
exchange; where it waits for a close, a second quote or the middle of the book, only the wide stop stands there, for
disasters. The guard follows the leg's stop, but not every step of a trail.
"""

from __future__ import annotations

from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.leg_rules import WatchKind
from optconsole.engine.model.leg_state import Levels
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.protection import Guard, Protection, StopMode, guard_name
from optconsole.engine.model.runs import LegRun, LegStage, Run
from optconsole.engine.rules.protection import wide_trigger
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.protection import exiting
from optconsole.engine.trading.runs.guarding import Memory
from optconsole.engine.trading.runs.scene import RunScene, decision_of, defined, units

LEAST_BP: Final = 100
LEAST_TICKS: Final = 5
"""A trail moves the guard only by so much: a part of the price, or ticks, whichever is more."""


def step(scene: RunScene, run: Run, memory: Memory) -> Decision | None:
    """Set, move or end the guards of a run's legs."""
    decision = decision_of(run)
    for leg in run.legs.values():
        if leg.contract:
            _step(scene, run, leg, memory, decision)
    return decision if decision.facts else None


def _step(scene: RunScene, run: Run, leg: LegRun, memory: Memory, decision: Decision) -> None:
    key = PositionKey(leg.account, run.strategy.product, leg.contract)
    source = run.source(leg.id)
    guard = scene.state.protections.get(guard_name(key, source))
    held = units(scene, run, leg)
    if leg.stage is not LegStage.OPEN or leg.levels is None or not held or scene.state.killed:
        return  # a leg that is left keeps its guard until it is flat: its stop becomes the closing order
    levels = memory.levels(source, leg.levels)
    wanted = _wanted(run, leg, levels, held)
    if wanted is None or not _looked_at(scene, run):
        if guard is not None:
            decision.facts.append(ev.ProtectionEnded(key=key, source=source, reason="not watched now"))
        return
    stop, mode, wide = wanted
    if guard is not None and (_settled(guard, leg, levels, stop, mode, held) or guard.state is Guard.TRIGGERED):
        return
    if exiting(scene.state, key, source):
        return
    added = sum(isinstance(fact, ev.ProtectionSet) for fact in decision.facts)
    decision.facts.append(
        ev.ProtectionSet(
            key=key,
            source=source,
            protection_id=f"G{scene.state.protection_count + added + 1}" if guard is None else guard.id,
            sign=1 if held > 0 else -1,
            stop=stop,
            target=None,
            mode=mode,
            wide=wide,
        )
    )


def _looked_at(scene: RunScene, run: Run) -> bool:
    """Whether the leg's stop counts now: not overnight where the next day is watched from a later time on (SC-5)."""
    return scene.watching(run) and (run.watch_from is None or scene.state.session_open)


def _wanted(run: Run, leg: LegRun, levels: Levels, held: int) -> tuple[int, StopMode, int | None] | None:
    """(stop, mode, level at the exchange); None where the leg has no stop on its own price."""
    stop, written = levels.leg.stop, defined(run, leg)
    if stop is None:
        return None
    plain = written.watch.kind is WatchKind.LTP and not written.watch.twice and written.spike is None
    if not run.strategy.execution.broker_stop:
        return (stop, StopMode.LOCAL, None) if plain else None
    sign, base = 1 if held > 0 else -1, levels.leg.base
    # half as far again as the first stop was from the entry, whatever has become of the stop since
    reach = stop // 10 if base is None else abs(base - levels.leg.entry)
    wide = wide_trigger(sign, stop, stop + sign * max(reach, LEAST_TICKS * leg.tick), leg.tick)
    return (stop, StopMode.BOTH, wide) if plain else (wide, StopMode.BROKER, wide)


def _settled(guard: Protection, leg: LegRun, levels: Levels, stop: int, mode: StopMode, held: int) -> bool:
    """Whether a guard is as it should be, or nearly so while a trail moves on."""
    if guard.mode is not mode or guard.sign * held <= 0 or guard.stop is None:
        return False
    away = abs(stop - guard.stop)
    if levels.leg.code is ExitCode.LEG_TSL:
        return away < max(guard.stop * LEAST_BP // 10_000, LEAST_TICKS * leg.tick)
    return away == 0
