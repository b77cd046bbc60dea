"""Which run holds what of a position, and where the legs of runs are stopped. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.positions import Position
from optconsole.engine.model.protection import guard_name
from optconsole.engine.model.runs import LegRun, LegStage, Run
from optconsole.screens.run_figures import stop_of, target_of

BY_HAND: Final = "by hand"


@dataclass(frozen=True, slots=True)
class ByRun:
    """What runs guard of a position: ``units`` of it, the nearest ``stop`` and ``target`` in paise."""

    units: int = 0
    stop: int | None = None
    target: int | None = None


UNWATCHED: Final = ByRun()


def leg_of(state: TradingState, source: str) -> tuple[Run, LegRun] | None:
    """The run and leg of a source ``basket/strategy/run/leg``; None where the run is over and gone."""
    names = source.split("/")
    run = state.runs.get(names[2]) if len(names) == 4 else None
    leg = None if run is None else run.legs.get(names[3])
    return None if run is None or leg is None else (run, leg)


def stops_of_runs(state: TradingState) -> dict[str, ByRun]:
    """What the legs of runs guard, of whole positions and of their own parts, by the names that guards have."""
    found: dict[str, ByRun] = {}
    for parts in state.books.values():
        for part in parts:
            held = part.held
            owner = leg_of(state, part.source) if part.source and held.qty else None
            if owner is None or owner[1].stage is not LegStage.OPEN or owner[1].contract != held.key.contract:
                continue
            leg = owner[1]
            stop = None if leg.blind else stop_of(leg)
            mine = ByRun(abs(held.qty) if stop is not None else 0, stop, target_of(leg))
            found[guard_name(held.key, part.source)] = mine
            whole = str(held.key)
            found[whole] = _together(found.get(whole, UNWATCHED), mine, short=held.qty < 0)
    return found


def _together(one: ByRun, other: ByRun, *, short: bool) -> ByRun:
    """Both, with the stop and the target that the price reaches first."""

    def first(levels: Iterable[int | None], up: bool) -> int | None:
        known = [level for level in levels if level is not None]
        return (min if up else max)(known) if known else None

    stop, target = first((one.stop, other.stop), short), first((one.target, other.target), not short)
    return ByRun(one.units + other.units, stop, target)


def by_owner(positions: Iterable[Position], state: TradingState) -> Iterator[tuple[str, str, Position]]:
    """Each position by who holds it: the path of the run, empty for the hand; the source; and what of it is theirs."""
    for position in positions:
        parts = state.books.get(str(position.key), ())
        if not parts:
            yield "", "", position
        for part in parts:
            if part.source or part.held.qty or part.held.bought or part.held.sold:
                yield part.source.rpartition("/")[0], part.source, part.held


def owner_name(state: TradingState, path: str) -> str:
    """``short straddle R3, index income``: a narrow column cuts the end."""
    if not path:
        return BY_HAND
    basket, _, rest = path.partition("/")
    strategy, _, run = rest.partition("/")
    return f"{strategy} {run}, {basket}"
