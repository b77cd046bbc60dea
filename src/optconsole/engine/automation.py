"""How facts about baskets and their runs change the state. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.bars import DayBar
from optconsole.engine.model.baskets import BasketBook, BasketStatus
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.runs import LegRun, Run, RunStatus
from optconsole.engine.model.strategies import Leg

BARS_KEPT: Final = 60
"""Days of an underlying."""
CANDLES_KEPT: Final = 400
"""Candles of one series: enough for the slowest average that a strategy may ask for, most of it from days before."""


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
    # of an underlying as many days as an average true range needs, of a contract the day before
    before: dict[str, tuple[DayBar, ...]] = {}
    for name, bar in state.bars.items():
        kept = BARS_KEPT if " " not in name else 1
        before[name] = (*state.bars_before.get(name, ()), bar)[-kept:]
    state.bars_before = {**{name: days for name, days in state.bars_before.items() if " " not in name}, **before}
    state.bars = {}


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


def series_key(name: str, minutes: int) -> str:
    """How a contract's candles of so many minutes are called."""
    return f"{name}|{minutes}"


def _bars_marked(state: TradingState, _fact: Recorded, event: ev.BarsMarked) -> None:
    state.bars.update(event.bars)


def _candle_closed(state: TradingState, _fact: Recorded, event: ev.CandleClosed) -> None:
    key = series_key(event.name, event.minutes)
    state.candles[key] = (*state.candles.get(key, ()), event.candle)[-CANDLES_KEPT:]


def _run_planned(state: TradingState, fact: Recorded, event: ev.RunPlanned) -> None:
    if event.run_id not in state.runs:
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


def _run_edited(state: TradingState, _fact: Recorded, event: ev.RunEdited) -> None:
    run = state.runs[event.run_id]
    state.runs[run.id] = msgspec.structs.replace(run, strategy=event.strategy, exit_at=event.exit_at)


def _legs_given(state: TradingState, _fact: Recorded, event: ev.LegsGiven) -> None:
    run = state.runs[event.run_id]
    state.runs[run.id] = msgspec.structs.replace(run, strategy=event.strategy, legs=event.legs)


def _run_adjusted(state: TradingState, fact: Recorded, event: ev.RunAdjusted) -> None:
    run, change = state.runs[event.run_id], event.adjustment
    if change.stage.over:
        state.runs[run.id] = msgspec.structs.replace(run, adjusting=None)
        return
    written, legs = dict[str, Leg](), dict(run.legs)
    for move in change.moves:
        if move.written is not None:
            written[move.leg] = move.written
            legs[move.leg] = LegRun(
                id=move.leg,
                account=move.account,
                side=move.side,
                lots=move.lots,
                since=fact.at,
                contract=move.contract,
                lot=move.lot,
                tick=move.tick,
            )
    kept = tuple(_protecting(leg, change.replaces) for leg in run.strategy.legs if leg.id not in written)
    strategy = msgspec.structs.replace(run.strategy, legs=(*kept, *written.values()))
    state.runs[run.id] = msgspec.structs.replace(run, adjusting=change, strategy=strategy, legs=legs)


def _protecting(leg: Leg, replaces: dict[str, str]) -> Leg:
    """A leg that protects another protects what takes its place too."""
    more = tuple(new for old, new in replaces.items() if old in leg.hedges and new not in leg.hedges)
    return msgspec.structs.replace(leg, hedges=(*leg.hedges, *more)) if more else leg


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
    ev.BarsMarked: _bars_marked,
    ev.CandleClosed: _candle_closed,
    ev.RunPlanned: _run_planned,
    ev.RunMoved: _run_moved,
    ev.RunWatched: _run_watched,
    ev.RunEdited: _run_edited,
    ev.RunAdjusted: _run_adjusted,
    ev.LegMoved: _leg_moved,
    ev.LegsGiven: _legs_given,
}
