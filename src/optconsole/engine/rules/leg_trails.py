"""How a leg's stop follows its gain (features LX-3 to LX-7). Pure.

The stop is worked out anew from the best price seen: the tightest of all rules wins, and because a best price only ever
improves, a stop never loosens and never depends on the order in which prices came.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

import msgspec

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.leg_rules import Measure, TrailKind, Watch, WatchKind
from optconsole.engine.model.leg_state import Levels, Place, Track
from optconsole.engine.model.strategies import Leg
from optconsole.engine.rules.distances import distance, place_of, rounded
from optconsole.engine.rules.leg_prices import Seen, contradicted, watched_price


def on_price(levels: Levels, leg: Leg, seen: Seen) -> Levels:
    """The levels after these prices; the same object where nothing changed. An unknown price changes nothing.

    A trail with an interval (counted from the fill) sees the best price of an interval once that has ended.
    """
    count = _interval(levels, leg, seen)
    own = _looked_at(levels, leg, seen, Place.LEG, count)
    index = _looked_at(levels, leg, seen, Place.UNDERLYING, count)
    if own == levels.leg and index == levels.index and count == levels.interval:
        return levels
    assert own is not None
    return tightened(msgspec.structs.replace(levels, leg=own, index=index, interval=count), leg)


def tightened(levels: Levels, leg: Leg) -> Levels:
    """The levels with each stop where the tightest rule puts it, as far as the best prices have come."""
    own, index = _tightest(levels, leg, Place.LEG), _tightest(levels, leg, Place.UNDERLYING)
    assert own is not None
    return msgspec.structs.replace(levels, leg=own, index=index)


def at_cost(levels: Levels, leg: Leg) -> Levels:
    """LX-7: the levels with the stop at the leg's own average entry; one that is better already is left alone.

    Where the price is past cost, ``leg_exits.decide`` finds this stop reached and closes the leg with COST_SL.
    """
    track = levels.leg
    if track.stop is not None and (track.stop - track.entry) * track.sign >= 0:
        return levels
    return tightened(msgspec.structs.replace(levels, leg=msgspec.structs.replace(track, at_cost=True)), leg)


def _interval(levels: Levels, leg: Leg, seen: Seen) -> int:
    """Which of the trail's intervals this instant lies in; 0 where the trail has none."""
    if leg.trail is None or leg.trail.interval <= 0:
        return 0
    return max((seen.at - levels.since) // timedelta(seconds=leg.trail.interval), levels.interval)


def _looked_at(levels: Levels, leg: Leg, seen: Seen, place: Place, count: int) -> Track | None:
    """One track with its best prices brought up to this instant."""
    track = levels.track(place)
    if track is None:
        return None
    every = leg.trail is None or leg.trail.interval <= 0
    trailed, running = track.trailed, track.running
    if not every and running is not None and count > levels.interval:
        trailed, running = _better(track, trailed, running), None
    best, price = track.best, _sound(levels, leg, seen, place, leg.watch)
    if price is not None:
        best = _better(track, best, price)
    if every:
        trailed = best
    else:
        inside = _sound(levels, leg, seen, place, _live(leg.watch))
        if inside is not None:
            running = inside if running is None else _better(track, running, inside)
    return msgspec.structs.replace(track, best=best, trailed=trailed, running=running)


def _live(watch: Watch) -> Watch:
    """An interval's high and low are of all prices in it, also where stops wait for the close."""
    return Watch() if watch.kind is WatchKind.MINUTE_CLOSE else watch


def _sound(levels: Levels, leg: Leg, seen: Seen, place: Place, watch: Watch) -> int | None:
    """The price a trail may follow: a print that the book denies must not pull the stop after it."""
    look = seen.look(place)
    if place is Place.LEG and contradicted(leg.spike, watch, look):
        return None
    return watched_price(watch, place, look, levels.since, seen.at)


def _better(track: Track, one: int, other: int) -> int:
    return max(one, other) if track.sign > 0 else min(one, other)


def _tightest(levels: Levels, leg: Leg, place: Place) -> Track | None:
    """The track with the tightest stop that any rule asks for; of equal ones the first in the order of the rules."""
    track = levels.track(place)
    if track is None:
        return None
    stop, code = track.base, ExitCode.LEG_SL
    for level, why in _wanted(levels, leg, place, track):
        candidate = rounded(level, track.sign, track.tick)
        if stop is None or (candidate - stop) * track.sign > 0:
            stop, code = candidate, why
    return msgspec.structs.replace(track, stop=stop, code=code)


def _wanted(levels: Levels, leg: Leg, place: Place, track: Track) -> Iterator[tuple[Fraction | int, ExitCode]]:
    """Each level that a rule asks for on this track now, with the code it acts under."""
    if track.at_cost:
        yield track.entry, ExitCode.COST_SL
    if leg.breakeven is not None and place is Place.LEG and _gained(levels, leg.breakeven):
        yield track.entry, ExitCode.BE_SL
    for step in leg.locks:
        if place_of(step.keep) is place and _gained(levels, step.profit):
            yield _ahead(levels, track, track.entry, step.keep), ExitCode.LEG_TSL
    trail = _trailed(levels, leg, place, track)
    if trail is not None:
        yield trail, ExitCode.LEG_TSL


def _trailed(levels: Levels, leg: Leg, place: Place, track: Track) -> Fraction | int | None:
    """Where the trail puts the stop: None before its first step, or for another price's trail."""
    trail = leg.trail
    if trail is None or place_of(trail.move) is not place:
        return None
    if trail.kind is TrailKind.PEAK:
        if trail.after is not None and not _gained(levels, trail.after, held=True):
            return None
        return track.trailed - track.sign * distance(trail.move, track.entry, levels.lot)
    if track.base is None or trail.every is None:
        return None
    measured = levels.track(place_of(trail.every))
    if measured is None:
        return None
    every = distance(trail.every, measured.entry, levels.lot)
    steps = (measured.trailed - measured.entry) * measured.sign // every if every > 0 else 0
    if steps <= 0:
        return None
    return track.base + track.sign * steps * distance(trail.move, track.entry, levels.lot)


def _gained(levels: Levels, measure: Measure, *, held: bool = False) -> bool:
    """Whether the best price so far is at least this far in favour; ``held`` asks what the trail has seen."""
    track = levels.track(place_of(measure))
    if track is None:
        return False
    best = track.trailed if held else track.best
    return (best - track.entry) * track.sign >= distance(measure, track.entry, levels.lot)


def _ahead(levels: Levels, track: Track, start: int, measure: Measure) -> Fraction:
    return start + track.sign * distance(measure, track.entry, levels.lot)
