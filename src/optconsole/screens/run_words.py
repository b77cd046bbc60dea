"""Facts about baskets and their runs as a trader would say them."""

from __future__ import annotations

from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.model.adjustments import AdjustStage
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.screens.formats import Formats

STATUS_WORDS: Final = {
    RunStatus.SCHEDULED: "planned",
    RunStatus.WAITING: "waiting",
    RunStatus.ENTERING: "entering",
    RunStatus.ACTIVE: "active",
    RunStatus.EXITING: "exiting",
    RunStatus.CLOSED: "closed",
    RunStatus.SKIPPED: "skipped",
    RunStatus.FAILED: "FAILED",
    RunStatus.HALTED: "HALTED",
}
STATUS_ROLES: Final = {
    RunStatus.SCHEDULED: "dim",
    RunStatus.WAITING: "accent",
    RunStatus.ENTERING: "accent",
    RunStatus.ACTIVE: "good",
    RunStatus.EXITING: "accent",
    RunStatus.CLOSED: "dim",
    RunStatus.SKIPPED: "warn",
    RunStatus.FAILED: "bad",
    RunStatus.HALTED: "bad",
}
STAGE_WORDS: Final = {stage: stage.value.lower() for stage in LegStage}
STAGE_ROLES: Final = {
    LegStage.IDLE: "dim",
    LegStage.WAITING: "accent",
    LegStage.DUE: "accent",
    LegStage.ENTERING: "accent",
    LegStage.OPEN: "good",
    LegStage.LEAVING: "accent",
    LegStage.OUT: "dim",
}
BASKET_WORDS: Final = {
    BasketStatus.ACTIVE: ("active", "good"),
    BasketStatus.PAUSED: ("paused", "warn"),
    BasketStatus.STOPPED: ("stopped", "dim"),
    BasketStatus.ARCHIVED: ("archived", "dim"),
}
_MOVED: Final = {
    RunStatus.SCHEDULED: "is due",
    RunStatus.WAITING: "waits",
    RunStatus.ENTERING: "enters",
    RunStatus.ACTIVE: "entered",
    RunStatus.EXITING: "leaves",
    RunStatus.CLOSED: "is closed",
    RunStatus.SKIPPED: "skipped",
    RunStatus.FAILED: "FAILED",
    RunStatus.HALTED: "halted",
}
_LOUD: Final = {RunStatus.SKIPPED: "warn", RunStatus.FAILED: "bad", RunStatus.HALTED: "bad", RunStatus.ACTIVE: "good"}
_QUIET: Final = frozenset({"floor", "levels", "watched", "range", "reference", "chosen"})
"""Changes of a run or a leg that come often and ask for nobody's eye."""


def run_text(event: ev.Event, state: TradingState, fmt: Formats) -> tuple[str, str] | None:
    """Text and colour role; None for facts about something else."""
    match event:
        case ev.BasketSaved():
            count = len(event.basket.strategies)
            what = "1 strategy" if count == 1 else f"{count} strategies"
            return f"Basket {fmt.text(event.name)} saved as version {event.version}, {what}", ""
        case ev.BasketStatusChanged():
            word, role = BASKET_WORDS[event.status]
            return f"Basket {fmt.text(event.name)} is {word}{_because(event.why, fmt)}", role
        case ev.RunPlanned():
            return _planned(event.run, fmt)
        case ev.RunEvent():
            return _run_text(event, state.runs.get(event.run_id), fmt)
        case ev.BarsMarked():
            return f"The day's highs and lows of {len(event.bars)} contracts so far", "dim"
        case ev.CandleClosed():
            return f"A {event.minutes} minute candle of {fmt.text(event.name)} closed", "dim"
        case _:
            return None


def _planned(run: Run, fmt: Formats) -> tuple[str, str]:
    name = f"{fmt.text(run.strategy.name)} ({run.id})"
    if run.status is RunStatus.SKIPPED:
        return f"{name} does not run today: {fmt.text(run.text)}", "dim"
    return f"{name} is planned for {run.entry_at:%H:%M:%S} on {fmt.text(run.account)}", ""


def _run_text(event: ev.RunEvent, run: Run | None, fmt: Formats) -> tuple[str, str]:
    name = fmt.text(event.run_id if run is None else run.strategy.name)
    match event:
        case ev.RunMoved():
            return _moved_text(event, run, name, fmt)
        case ev.RunWatched():
            return f"{name}: {_watched(event, fmt)}", "dim" if event.what in _QUIET else ""
        case ev.RunEdited():
            return f"{name} has new rules; it is out at {event.exit_at:%H:%M:%S}", ""
        case ev.LegsGiven():
            given = ", ".join(f"{leg.side.value} {leg.lots}L {leg.id}" for leg in event.legs.values())
            return f"{name} decided on its legs: {fmt.text(given) or 'none'}", ""
        case ev.RunAdjusted(adjustment=change):
            role = "bad" if change.stage is AdjustStage.FAILED else ""
            return f"{name} {change.stage.value.lower()}: {fmt.text(change.text)}", role
        case ev.LegMoved():
            return f"{name} {leg_text(event.what, event.leg, fmt)}", _leg_role(event)
        case _:
            return name, "dim"


def _moved_text(event: ev.RunMoved, run: Run | None, name: str, fmt: Formats) -> tuple[str, str]:
    """An entry in time needs no reason, only how late it was."""
    entered = event.status is RunStatus.ACTIVE and event.code == "ON_TIME"
    late = run.lag_ms if entered and run is not None else event.lag_ms
    lag = "" if late is None else f", lag {late} ms"
    reason = f": {fmt.text(event.text)}" if event.text and not entered else ""
    return f"{name} {_MOVED[event.status]}{lag}{reason}", _LOUD.get(event.status, "")


def _watched(event: ev.RunWatched, fmt: Formats) -> str:
    floor = event.watch.floor.level
    if event.what == "floor" and floor is not None:
        return f"floor at {fmt.pnl(floor)}"
    return {"armed": "a re-entry is armed", "next cycle": "it will run again"}.get(event.what, fmt.text(event.what))


def _leg_role(event: ev.LegMoved) -> str:
    if event.what in ("failed", "held"):
        return "bad"
    return "dim" if event.what in _QUIET else ""


def leg_text(what: str, leg: LegRun, fmt: Formats) -> str:
    """``ce: filled at 101.25, stop 126.60``."""
    contract = fmt.contract(leg.contract) if leg.contract else ""
    stop = None if leg.levels is None else leg.levels.leg.stop
    guarded = "" if stop is None else f", stop {fmt.price(stop)}"
    price = "" if leg.entry is None else f" at {fmt.price(leg.entry)}"
    words = {
        "chosen": f"{contract} chosen",
        "sent": f"{leg.side.value} {leg.lots}L {contract} sent",
        "opened": f"filled{price}{guarded}",
        "levels": f"stop moved{guarded}",
        "to cost": f"stop moved to cost{guarded}",
        "edited": f"new rules{guarded}",
    }
    reason = f": {fmt.text(leg.text)}" if leg.text else ""
    return f"{fmt.text(leg.id)} {words.get(what, fmt.text(what))}{reason}"


def _because(why: str, fmt: Formats) -> str:
    return f": {fmt.text(why)}" if why else ""
