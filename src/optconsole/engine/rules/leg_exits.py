"""Whether a leg is left now (features LX-1, LX-2, LX-7, LX-9, LX-10, LX-12). Pure.

On one tick the stop comes before the target, both before the leg's time, and all before the trail: a caller asks
``decide`` with the levels as they stood and only then ``leg_trails.on_price`` with the same prices.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

import msgspec

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.leg_state import Arming, Levels, Place, Track
from optconsole.engine.model.strategies import Leg
from optconsole.engine.rules.leg_prices import (
    Look,
    Seen,
    contradicted,
    fingerprint,
    waits_for_close,
    watched_price,
)
from optconsole.engine.rules.leg_trails import at_cost
from optconsole.engine.rules.pretrade import price_in


class ExitNow(msgspec.Struct, frozen=True, kw_only=True):
    """Leave the leg. ``price`` and ``level`` are paise of ``place``, None for an exit by time."""

    code: ExitCode
    why: str
    place: Place = Place.LEG
    price: int | None = None
    level: int | None = None


class Blind(msgspec.Struct, frozen=True, kw_only=True):
    """A level cannot be watched. It has not been reached, and it is not safe either. ``arming`` is to be kept."""

    why: str
    arming: Arming | None = None


Verdict = ExitNow | Arming | Blind | None
"""What becomes of a leg: out, out once it is confirmed, unwatched, or nothing."""


def decide(levels: Levels, leg: Leg, seen: Seen, arming: Arming | None = None) -> Verdict:
    """What these prices mean for the leg. ``arming`` is the one that the last call returned, if any."""
    pending: Arming | None = None
    for target in (False, True):
        for place in (Place.LEG, Place.UNDERLYING):
            hit = _reached(levels, leg, seen, place, target)
            if hit is None:
                continue
            outcome = _confirmed(hit, target, levels, leg, seen, arming)
            if isinstance(outcome, ExitNow):
                return outcome
            pending = pending or outcome
    if leg.exit_at is not None and seen.at >= exit_due(levels.since, leg.exit_at):
        return ExitNow(code=ExitCode.TIME, why=f"The leg's exit time {leg.exit_at} has come.")
    if pending is not None:
        return pending
    why = _unseen(levels, leg, seen)
    return Blind(why=why, arming=arming) if why else None


def exit_due(since: datetime, at: time) -> datetime:
    """When a leg filled at ``since`` is out by its own time: that time on the same day, or else on the next.

    A leg of an overnight run that enters at 15:20 with an exit time of 09:30 is thus closed tomorrow, not at once.
    """
    due = since.replace(hour=at.hour, minute=at.minute, second=at.second, microsecond=at.microsecond)
    return due if due > since else due + timedelta(days=1)


def move_to_cost(levels: Levels, leg: Leg, seen: Seen) -> tuple[Levels, ExitNow | None]:
    """LX-7: the levels with the stop at cost, and the exit where the price is already there or past it.

    How the leg is watched does not delay that exit: what it waits for is that a level holds, and this one never did.
    """
    moved = at_cost(levels, leg)
    track = moved.leg
    price = seen.leg.ltp
    if moved is levels or price is None or track.stop is None or (price - track.stop) * track.sign > 0:
        return moved, None
    why = f"The stop moves to cost {price_in(track.entry)}, and the price {price_in(price)} is already past it."
    return moved, ExitNow(code=ExitCode.COST_SL, why=why, price=price, level=track.stop)


def _reached(levels: Levels, leg: Leg, seen: Seen, place: Place, target: bool) -> ExitNow | None:
    """The exit of one level that the price has reached, before any confirmation."""
    track = levels.track(place)
    level = None if track is None else (track.target if target else track.stop)
    if track is None or level is None:
        return None
    price = watched_price(leg.watch, place, seen.look(place), levels.since, seen.at)
    if price is None or (price - level) * (track.sign if target else -track.sign) < 0:
        return None
    code = ExitCode.LEG_TGT if target else track.code
    return ExitNow(code=code, why=_words(track, place, price, level, target), place=place, price=price, level=level)


def _words(track: Track, place: Place, price: int, level: int, target: bool) -> str:
    whose = "The underlying" if place is Place.UNDERLYING else "The price"
    what = "target" if target else "stop"
    jumped = abs(price - level)
    gap = f", {price_in(jumped)} beyond it" if jumped > track.tick else ""
    return f"{whose} {price_in(price)} reached the {what} {price_in(level)}{gap}."


def _confirmed(
    hit: ExitNow, target: bool, levels: Levels, leg: Leg, seen: Seen, arming: Arming | None
) -> ExitNow | Arming:
    """The exit once nothing more is waited for: a second quote beyond the level, or a denied print that holds."""
    look = seen.look(hit.place)
    same = arming is not None and arming.place is hit.place and arming.target is target
    armed = (
        arming
        if same and arming is not None
        else Arming(place=hit.place, target=target, quote=fingerprint(leg.watch, look), since=seen.at)
    )
    if _denied(leg, hit.place, look) and leg.spike is not None:
        held = seen.at - armed.since >= timedelta(milliseconds=leg.spike.hold)
        if not held:
            return armed
    if leg.watch.twice and armed.quote == fingerprint(leg.watch, look):
        return armed
    return hit


def _denied(leg: Leg, place: Place, look: Look) -> bool:
    return place is Place.LEG and contradicted(leg.spike, leg.watch, look)


def _unseen(levels: Levels, leg: Leg, seen: Seen) -> str:
    """In words, which level nobody can watch at this instant; empty when all can be."""
    if levels.missing:
        return " ".join(levels.missing)
    for place, whose in ((Place.LEG, "contract"), (Place.UNDERLYING, "underlying")):
        track = levels.track(place)
        if track is None or (track.stop is None and track.target is None):
            continue
        look = seen.look(place)
        known = watched_price(leg.watch, place, look, levels.since, seen.at) is not None
        if not known and not waits_for_close(leg.watch, look, levels.since, seen):
            return f"The price of the {whose} is unknown or too old, so its stop and target are not watched."
    return ""
