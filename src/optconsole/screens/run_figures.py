"""What a run and its legs have made and will do next, read off the mirror's state. Pure; paise, aware IST times."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.positions import Position
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.rules.triggers import APPROVAL, waited_for

Mark = Callable[[str], int | None]
"""The present price of a contract in paise; None while it is unknown."""
ASKS = "asks you"


class Next(NamedTuple):
    """What comes next, and when; the time is None where it hangs on something else."""

    what: str
    at: datetime | None = None


def parts_by_source(state: TradingState) -> dict[str, list[Position]]:
    """What each leg of a run holds and has made, by the leg's source; a leg may have had several contracts."""
    found: dict[str, list[Position]] = {}
    for parts in state.books.values():
        for part in parts:
            if part.source:
                found.setdefault(part.source, []).append(part.held)
    return found


def gain(held: Iterable[Position], mark: Mark) -> int | None:
    """Realised and unrealised paise together; None while something open has no price."""
    total = 0
    for each in held:
        open_gain = each.unrealised(mark(each.key.contract)) if each.qty else 0
        if open_gain is None:
            return None
        total += each.realised + open_gain
    return total


def run_gain(run: Run, parts: dict[str, list[Position]], mark: Mark) -> int | None:
    """What a run has made on all its days, after charges where its overall rules count them; None while unknown."""
    held = [each for leg in run.legs.values() for each in parts.get(run.source(leg.id), ())]
    total = gain(held, mark)
    if total is None:
        return None
    net = run.strategy.overall.net
    charges = sum(each.charges for each in held) + run.earlier[1]
    return total + run.earlier[0] - (charges if net else 0)


def has_traded(run: Run) -> bool:
    """Whether there is a profit to speak of."""
    return run.first_fill is not None


def asks_person(run: Run) -> bool:
    """Whether the run waits for a person's word."""
    if run.status is RunStatus.SCHEDULED:
        return run.code == "ASK"
    return run.status is RunStatus.WAITING and APPROVAL in waited_for(run.strategy.entry, run.watch.fired)


def next_of(run: Run) -> Next:
    """What a run does next, and when."""
    if asks_person(run):
        return Next(ASKS, run.triggers_until)
    match run.status:
        case RunStatus.SCHEDULED:
            return Next("enters", run.entry_at)
        case RunStatus.WAITING:
            return Next("waits until", run.triggers_until)
        case RunStatus.ENTERING:
            return Next("is entering")
        case RunStatus.EXITING:
            return Next("is leaving")
        case RunStatus.ACTIVE | RunStatus.HALTED:
            return _next_of_active(run)
        case _:
            return Next("")


def _next_of_active(run: Run) -> Next:
    """The first of: an armed re-entry, a new cycle, a leg's own exit time, the exit."""
    coming = [Next("leaves", run.exit_at)]
    if run.status is RunStatus.ACTIVE:
        coming += [Next("re-enters", each.due) for each in run.watch.armed.values() if each.due > run.since]
        if run.watch.next_cycle is not None:
            coming.append(Next("runs again", run.watch.next_cycle.due))
    for leg in run.legs.values():
        at = leg_exit_at(run, leg)
        if at is not None and leg.stage is LegStage.OPEN:
            coming.append(Next(f"{leg.id} leaves", at))
    return min(coming, key=lambda each: each.at or run.exit_at)


def leg_exit_at(run: Run, leg: LegRun) -> datetime | None:
    """The leg's own exit time on the day the run is left, where it has one."""
    written = run.strategy.leg(leg.id)
    if written is None or written.exit_at is None:
        return None
    at = written.exit_at
    return run.exit_at.replace(hour=at.hour, minute=at.minute, second=at.second, microsecond=0)


def next_of_leg(run: Run, leg: LegRun) -> Next:
    """What one leg does next."""
    armed = run.watch.armed.get(leg.id)
    if armed is not None:
        return Next("re-enters", armed.due)
    match leg.stage:
        case LegStage.WAITING:
            return Next("waits until", run.triggers_until)
        case LegStage.DUE | LegStage.ENTERING:
            return Next("is entering")
        case LegStage.LEAVING:
            return Next("is leaving")
        case LegStage.OPEN:
            own = leg_exit_at(run, leg)
            return Next("leaves", own) if own is not None else Next("")
        case _:
            return Next("")


def reentries_left(run: Run, leg: LegRun) -> int | None:
    """Re-entries a leg still has, after stops and targets together; None where it has none at all."""
    written = run.strategy.leg(leg.id)
    if written is None or (written.on_stop is None and written.on_target is None):
        return None
    counters = run.watch.counters
    rules = ((written.on_stop, False), (written.on_target, True))
    left = sum(max(rule.times - counters.used(leg.id, target=target), 0) for rule, target in rules if rule is not None)
    shared = run.strategy.reentry_shared_max
    return left if shared is None else min(left, max(shared - counters.together, 0))


def cycles_left(run: Run) -> int | None:
    """Re-entries of the whole run that are left; None where it has none at all."""
    overall, counters = run.strategy.overall, run.watch.counters
    rules = ((overall.on_stop, counters.cycles_after_stop), (overall.on_target, counters.cycles_after_target))
    if all(rule is None for rule, _ in rules):
        return None
    return sum(max(rule.times - used, 0) for rule, used in rules if rule is not None)


def stop_of(leg: LegRun) -> int | None:
    """The leg's stop in paise of its contract; None while it has none."""
    return None if leg.levels is None else leg.levels.leg.stop


def target_of(leg: LegRun) -> int | None:
    """The leg's target in paise of its contract; None while it has none."""
    return None if leg.levels is None else leg.levels.leg.target
