"""Whose part of a position is whose: each fill belongs to the sources that hold what it closes or opens.

Parts are kept only of positions that a strategy has traded; where none has, all is the trader's own hand's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import msgspec

from optconsole.engine.model.positions import Position


class Part(msgspec.Struct, frozen=True):
    """What one source holds of a position; the trader's own hand is the empty source. Parts make up the position."""

    source: str
    held: Position


Parts = tuple[Part, ...]
"""All parts of one position, the hand's first, then by source."""


def begun(held: Position) -> Parts:
    """The parts of a position that only the hand has traded so far."""
    return (Part("", held),)


def traded(parts: Parts, source: str, qty: int, price: int, charges: int) -> Parts:
    """The parts after a fill of ``qty`` signed units.

    What a strategy trades is its own. What is traded by hand, or by the engine to get flat, closes what is open
    whoever opened it: the hand's own part first, then the strategies' by name; what is left opens by hand.
    """
    if all(part.source != source for part in parts):
        key, lot = parts[0].held.key, parts[0].held.lot
        parts = tuple(sorted((*parts, Part(source, Position(key=key, lot=lot))), key=lambda part: part.source))
    moved, left = {source: 0}, qty
    for part in parts if not source else ():
        if part.held.qty * left < 0:
            moved[part.source] = min(abs(left), abs(part.held.qty)) * (1 if left > 0 else -1)
            left -= moved[part.source]
    moved[source] += left
    return _billed(parts, [moved.get(part.source, 0) for part in parts], price, charges)


def moved(parts: Parts, source: str, to: str, qty: int) -> Parts:
    """The parts after ``qty`` signed units went from one source to another at what they had cost.

    Nothing is realised, and the sum of all parts stays what it was to the paisa. Of what was carried into the day the
    receiver is given as much as there is. Raises ValueError for units that the source does not hold, or that the
    receiver holds the opposite of.
    """
    held = {part.source: part.held for part in parts}
    giver = held.get(source)
    taker = held.get(to)
    if giver is None or not 0 < qty * (1 if giver.qty > 0 else -1) <= abs(giver.qty):
        raise ValueError(f"{source or 'the hand'} holds {0 if giver is None else giver.qty} units, not {qty}")
    if source == to or (taker is not None and taker.qty * qty < 0):
        raise ValueError(f"{to or 'the hand'} holds the opposite")
    if taker is None:
        taker = Position(key=giver.key, lot=giver.lot)
    cost = giver.cost * qty // giver.qty
    old = min(abs(qty), abs(giver.carried_qty)) * (1 if qty > 0 else -1) if giver.carried_qty * qty > 0 else 0
    old_cost = giver.carried_cost * old // giver.carried_qty if old else 0
    held[source], held[to] = _shifted(giver, -qty, -cost, -old, -old_cost), _shifted(taker, qty, cost, old, old_cost)
    return tuple(Part(name, held[name]) for name in sorted(held))


def _shifted(held: Position, qty: int, cost: int, carried_qty: int, carried_cost: int) -> Position:
    return msgspec.structs.replace(
        held,
        qty=held.qty + qty,
        cost=held.cost + cost,
        carried_qty=held.carried_qty + carried_qty,
        carried_cost=held.carried_cost + carried_cost,
    )


def whose(parts: Parts, difference: int = 0) -> str:
    """``by hand -65, day/s/R1/ce -65``: who holds what; with a difference, whose part is exactly that."""
    held = [part for part in parts if part.held.qty]
    told = ", ".join(f"{part.source or 'by hand'} {part.held.qty:+d}" for part in held)
    exact = [part.source or "the hand" for part in held if part.held.qty == difference]
    return told + (f"; {' or '.join(exact)} holds just the difference" if exact and len(held) > 1 else "")


def settled(parts: Parts, price: int, charges: int) -> Parts:
    """Every part brought to nought at one price."""
    return _billed(parts, [-part.held.qty for part in parts], price, charges)


def carried(parts: Parts) -> Parts:
    """What of the parts goes into a new day; none when only the hand holds anything."""
    kept = tuple(Part(part.source, part.held.carried()) for part in parts if part.held.qty or not part.source)
    return kept if len(kept) > 1 else ()


def _billed(parts: Parts, units: list[int], price: int, charges: int) -> Parts:
    bills = split(charges, [abs(each) for each in units])
    return tuple(
        part if not qty and not bill else Part(part.source, part.held.traded(qty, price, bill))
        for part, qty, bill in zip(parts, units, bills, strict=True)
    )


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Whole paise in proportion to the weights, whose sum is the amount exactly."""
    total = sum(weights)
    if not total:
        return [amount if place == 0 else 0 for place in range(len(weights))]
    marks = [amount * part // total for part in accumulate(weights)]
    return [mark - before for mark, before in zip(marks, [0, *marks], strict=False)]
