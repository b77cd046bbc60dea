"""How facts about baskets and their runs change the state. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.baskets import BasketBook, BasketStatus
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.runs import Run, RunStatus


def _basket_saved(state: TradingState, fact: Recorded, event: ev.BasketSaved) -> None:
    known = state.baskets.get(event.name)
    state.baskets[event.name] = BasketBook(
        basket=event.basket,
        version=event.version,
        status=BasketStatus.STOPPED if known is None else known.status,
        saved_at=fact.at,
        by=fact.actor,
        source=event.source,
        pin=event.pin,
    )


def _basket_status_changed(state: TradingState, _fact: Recorded, event: ev.BasketStatusChanged) -> None:
    book = state.baskets[event.name]
    state.baskets[event.name] = msgspec.structs.replace(book, status=event.status)


def end_day(state: TradingState) -> None:
    """Runs that are over leave the working state; what the others have made so far is kept with them.

    Called before positions are carried, while the parts of the day that ends are still there.
    """
    left: dict[str, Run] = {}
    for run in state.runs.values():
        if not run.status.over and run.status is not RunStatus.SCHEDULED:
            left[run.id] = msgspec.structs.replace(run, earlier=made(state, run))
    state.runs = left


def made(state: TradingState, run: Run) -> tuple[int, int]:
    """What a run has realised and been charged in paise, on all its days."""
    realised, charges = run.earlier
    prefix = run.path + "/"
    for parts in state.books.values():
        for part in parts:
            if part.source.startswith(prefix):
                realised += part.held.realised
                charges += part.held.charges
    return realised, charges


def _run_planned(state: TradingState, fact: Recorded, event: ev.RunPlanned) -> None:
    state.run_count += 1
    state.runs[event.run_id] = msgspec.structs.replace(event.run, since=fact.at)


def _run_moved(state: TradingState, fact: Recorded, event: ev.RunMoved) -> None:
    run = state.runs[event.run_id]
    state.runs[run.id] = msgspec.structs.replace(
        run,
        status=event.status,
        code=event.code,
        text=event.text,
        since=fact.at,
        lag_ms=run.lag_ms if event.lag_ms is None else event.lag_ms,
    )


def _run_watched(state: TradingState, _fact: Recorded, event: ev.RunWatched) -> None:
    run = state.runs[event.run_id]
    state.runs[run.id] = msgspec.structs.replace(run, watch=event.watch)


def _leg_moved(state: TradingState, fact: Recorded, event: ev.LegMoved) -> None:
    run, leg = state.runs[event.run_id], event.leg
    known = run.legs[leg.id]
    if leg.stage is not known.stage or leg.since is None:
        leg = msgspec.structs.replace(leg, since=fact.at)
    filled = run.first_fill or (fact.at if leg.entered_at is not None else None)
    state.runs[run.id] = msgspec.structs.replace(run, legs={**run.legs, leg.id: leg}, first_fill=filled)


FOLDS: Final[dict[type[ev.Event], Callable[[TradingState, Recorded, Any], None]]] = {
    ev.BasketSaved: _basket_saved,
    ev.BasketStatusChanged: _basket_status_changed,
    ev.RunPlanned: _run_planned,
    ev.RunMoved: _run_moved,
    ev.RunWatched: _run_watched,
    ev.LegMoved: _leg_moved,
}
