"""Why a run did what it did, in words: each decision with the values it was made on (features AU-2). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.adjustments import Adjustment, AdjustStage, Move
from optconsole.engine.model.money import rupees
from optconsole.engine.model.runs import LegRun
from optconsole.engine.rules.strikes import Choice, told


def lines(facts: Iterable[Recorded], leg: str = "") -> list[str]:
    """The story of a run, or of one leg of it: a line for each decision, the candidates below a choice."""
    return [text for fact in facts for text in _of(fact, leg)]


def _of(fact: Recorded, leg: str) -> Iterator[str]:
    event, at = fact.event, f"{fact.at:%d %b %H:%M:%S}"
    match event:
        case ev.RunPlanned(run=run) if not leg:
            lots = ", ".join(f"{each.id} {each.lots}" for each in run.legs.values())
            head = f"{at}  planned {run.strategy.name} for {run.account}, version {run.version}"
            yield f"{head}: {run.text} Lots: {lots}."
        case ev.RunMoved() if not leg:
            code = f" [{event.code}]" if event.code else ""
            yield f"{at}  {event.status.value}{code}  {event.text}".rstrip()
            yield from _values(event.why)
        case ev.RunWatched() if not leg:
            yield f"{at}  {event.what}"
            yield from _values(event.why)
        case ev.LegsGiven(legs=legs) if not leg:
            given = ", ".join(f"{each.id} {each.side.value} {each.lots}" for each in legs.values())
            yield f"{at}  legs given: {given}"
            yield from _values(event.why)
        case ev.RunEdited() if not leg:
            yield f"{at}  its rules were changed by {fact.actor}; it is out at {event.exit_at:%d %b %H:%M:%S}"
        case ev.RunAdjusted(adjustment=change) if leg == "" or leg in {move.leg for move in change.moves}:
            yield f"{at}  {_change_text(change, fact.actor)}"
            if change.stage is AdjustStage.WORKING:
                yield from (_move_text(move) for move in change.moves)
            else:
                yield from _values(event.why)
        case ev.LegMoved(leg=moved) if leg in ("", moved.id):
            yield f"{at}  {moved.id}: {_leg_text(event.what, moved)}"
            yield from _choice(event.why) if event.what == "chosen" else _values(event.why)


def _change_text(change: Adjustment, actor: str) -> str:
    if change.stage is AdjustStage.WORKING:
        return f"{change.kind} asked by {actor}: {change.text}"
    words = {AdjustStage.DONE: "is done", AdjustStage.FAILED: "ended half-way", AdjustStage.DROPPED: "was given up"}
    return f"the {change.kind} {words[change.stage]}"


def _move_text(move: Move) -> str:
    price = "–" if move.price is None else str(rupees(move.price))
    does = "opens with" if move.opens else "is closed with"
    return f"      {move.step}. {move.leg} {does} {move.side.value} {move.lots} × {move.contract} at about {price}"


def _leg_text(what: str, leg: LegRun) -> str:
    price = "" if leg.entry is None else f" at {rupees(leg.entry)}"
    words = {
        "chosen": f"{leg.contract} chosen",
        "sent": f"{leg.side.value} {leg.lots} × {leg.contract} sent as {', '.join(leg.sent[-1:])}",
        "opened": f"filled{price}, {leg.qty} units{_stop(leg)}",
        "levels": f"stop moved{_stop(leg)}",
        "to cost": f"stop moved to cost{_stop(leg)}",
        "edited": f"new rules{_stop(leg)}",
        "adopted": f"{leg.contract} taken over",
        "released": "given back to the hand",
        "held": "waits",
    }
    text = words.get(what, what)
    code = f" [{leg.code}]" if leg.code else ""
    return f"{text}{code}  {leg.text}".rstrip()


def _stop(leg: LegRun) -> str:
    stop = None if leg.levels is None else leg.levels.leg.stop
    return "" if stop is None else f", stop {rupees(stop)}"


def _choice(why: Mapping[str, Any]) -> Iterator[str]:
    """A choice of strike with the strikes that were looked at."""
    given = why.get("choice")
    if given is None:
        return
    try:
        choice = msgspec.convert(given, Choice)
    except msgspec.ValidationError:
        yield from _values(why)  # written by another version: its values are told as they are
        return
    yield f"      {told(choice)}"
    for look in choice.looked:
        premium = "–" if look.premium is None else str(rupees(look.premium))
        mark = "→" if look.row.contract == choice.contract else " "
        yield f"      {mark} {look.row.contract}  {premium}  {look.verdict}"


def _values(why: Mapping[str, Any]) -> Iterator[str]:
    """Flat values of a decision in one line; its sentence is told already, structures are left to the journal."""
    told_apart = [
        f"{name} {value}"
        for name, value in why.items()
        if isinstance(value, str | int | float) and name not in ("type", "text")
    ]
    if told_apart:
        yield f"      {', '.join(told_apart)}"
