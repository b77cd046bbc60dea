"""Where the stop and the target of a leg stand when it is filled (features LX-1, LX-2). Pure.

Every level belongs to one of two prices: the contract's own, or the underlying's. The direction of the underlying that
hurts follows from the leg: up for a sold call, a bought put and a sold future, down for the others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import Edge, LegStop, Measure, StopKind
from optconsole.engine.model.leg_state import Levels, Place, Track
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Leg
from optconsole.engine.rules.distances import distance, place_of, rounded
from optconsole.engine.rules.leg_trails import tightened

PAISA: Final = 1
"""An index has no tick: its levels are whole paise."""


class Span(msgspec.Struct, frozen=True):
    """A high and a low in paise: of the range before a breakout, or of the previous trading day."""

    high: int
    low: int


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """A leg as it was filled. ``side`` is the traded one, which a reversal turns; ``entry`` the average price.

    ``index`` is the underlying at that moment; None, as every span, where it is unknown.
    """

    side: Side
    entry: int
    at: datetime
    tick: int
    lot: int
    index: int | None = None
    range: Span | None = None
    day: Span | None = None
    index_day: Span | None = None


class Planned(msgspec.Struct, frozen=True):
    """A level as a rule wants it, or in words why it cannot be known."""

    place: Place
    level: int | None = None
    missing: str = ""


def index_sign(side: Side, right: Right | None) -> int:
    """+1 where a rise of the underlying is the leg's gain, -1 where it is its loss."""
    return -side.sign if right is Right.PUT else side.sign


def initial_stop(leg: Leg, fill: Fill) -> Planned | None:
    """LX-1: where the stop stands first; None for a leg without one."""
    stop = leg.stop
    if stop is None:
        return None
    if stop.kind is StopKind.MOVE:
        return None if stop.move is None else _moved(leg, fill, stop.move, -1)
    place, level = _edge(leg, fill, stop)
    if place is Place.UNDERLYING and fill.index is None:
        return Planned(place, None, _INDEX_UNKNOWN)
    if level is None:
        whose = "underlying" if place is Place.UNDERLYING else "contract"
        what = "range" if stop.kind is StopKind.RANGE else "previous day"
        return Planned(place, None, f"The {what} of the {whose} is unknown, so the stop that it sets is too.")
    sign, tick = _direction(leg, fill, place)
    return Planned(place, rounded(level, sign, tick))


def initial_target(leg: Leg, fill: Fill) -> Planned | None:
    """LX-2: where the target stands; None for a leg without one. A sold leg's ends at one tick."""
    return None if leg.target is None else _moved(leg, fill, leg.target, 1)


def open_levels(leg: Leg, fill: Fill) -> Levels:
    """The levels of a leg that has just been filled, every trail anew.

    Where the underlying was unknown, this is asked again with its first price: ``missing`` says so until then.
    """
    own = _track(fill.entry, fill.side.sign, fill.tick)
    index = None
    if fill.index is not None:
        index = _track(fill.index, index_sign(fill.side, leg.right), PAISA)
    levels = Levels(leg=own, index=index if needs_index(leg) else None, lot=fill.lot, since=fill.at)
    plans = initial_stop(leg, fill), initial_target(leg, fill)
    return tightened(placed(levels, *plans, _unmeasured(leg, fill)), leg)


def placed(levels: Levels, stop: Planned | None, target: Planned | None, *missing: str) -> Levels:
    """Levels with this first stop and this target in place of any before; what cannot be placed is told as missing."""
    words = [each for each in missing if each]
    for plan in (stop, target):
        if plan is not None and plan.level is None and plan.missing not in words:
            words.append(plan.missing)
    own = _with_plans(levels.leg, Place.LEG, stop, target)
    index = None if levels.index is None else _with_plans(levels.index, Place.UNDERLYING, stop, target)
    return msgspec.structs.replace(levels, leg=own, index=index, missing=tuple(words))


def needs_index(leg: Leg) -> bool:
    """Whether any rule of the leg looks at the underlying."""
    stop = leg.stop
    if stop is not None and stop.kind is not StopKind.MOVE and _edge_place(leg, stop) is Place.UNDERLYING:
        return True
    return any(place_of(measure) is Place.UNDERLYING for measure in _measures(leg))


def _measures(leg: Leg) -> tuple[Measure, ...]:
    """Every distance the leg's exits are written in."""
    found = [leg.target, leg.breakeven, None if leg.stop is None else leg.stop.move]
    if leg.trail is not None:
        found += [leg.trail.move, leg.trail.every, leg.trail.after]
    for step in leg.locks:
        found += [step.profit, step.keep]
    return tuple(each for each in found if each is not None)


def _track(entry: int, sign: int, tick: int) -> Track:
    return Track(entry=entry, sign=sign, tick=tick, best=entry, trailed=entry)


def _direction(leg: Leg, fill: Fill, place: Place) -> tuple[int, int]:
    """(sign, tick) of the price that a level belongs to."""
    if place is Place.LEG:
        return fill.side.sign, fill.tick
    return index_sign(fill.side, leg.right), PAISA


def _moved(leg: Leg, fill: Fill, measure: Measure, way: int) -> Planned:
    """A level at a distance from the fill: against the leg for ``way`` -1, in its favour for +1."""
    place = place_of(measure)
    start = fill.entry if place is Place.LEG else fill.index
    if start is None:
        return Planned(place, None, _INDEX_UNKNOWN)
    sign, tick = _direction(leg, fill, place)
    level = rounded(start + way * sign * distance(measure, start, fill.lot), sign, tick)
    if way < 0 and (level - start) * sign >= 0:
        level = max(level - sign * tick, tick)  # a distance below one tick must not close the leg at its own entry
    return Planned(place, level)


def _edge_place(leg: Leg, stop: LegStop) -> Place:
    if stop.kind is StopKind.RANGE:
        return Place.LEG if leg.breakout is not None and leg.breakout.of_option else Place.UNDERLYING
    return Place.UNDERLYING if stop.of_underlying else Place.LEG


def _edge(leg: Leg, fill: Fill, stop: LegStop) -> tuple[Place, int | None]:
    """The opposite edge of the broken range, or the previous day's high or low."""
    place = _edge_place(leg, stop)
    if stop.kind is StopKind.RANGE:
        span, high = fill.range, leg.breakout is not None and leg.breakout.edge is Edge.LOW
    else:
        span = fill.index_day if place is Place.UNDERLYING else fill.day
        high = stop.kind is StopKind.DAY_HIGH
    if span is None:
        return place, None
    return place, span.high if high else span.low


def _unmeasured(leg: Leg, fill: Fill) -> str:
    """What is missing for rules other than stop and target that look at the underlying."""
    return _INDEX_UNKNOWN if fill.index is None and needs_index(leg) else ""


def _with_plans(track: Track, place: Place, stop: Planned | None, target: Planned | None) -> Track:
    base = stop.level if stop is not None and stop.place is place else None
    goal = target.level if target is not None and target.place is place else None
    return msgspec.structs.replace(track, base=base, stop=base, target=goal)


_INDEX_UNKNOWN: Final = "The underlying was unknown when the leg was filled, so what is measured from it is too."
