"""The guard of a position in figures and words: how far its stop is, what that costs, how far the promise has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.model.positions import Position, position_name
from optconsole.engine.model.protection import Guard, Protection, Repair
from optconsole.screens.formats import Formats
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line

_WORDS: Final[dict[Guard, tuple[str, str]]] = {
    Guard.NONE: ("local", "good"),
    Guard.PLACING: ("placing", "warn"),
    Guard.WORKING: ("working", "good"),
    Guard.TRIGGERED: ("triggered", "accent"),
    Guard.FILLED: ("filled", ""),
    Guard.REPAIR: ("repair", "bad"),
}
_SEEN: Final = (OrderStatus.OPEN, OrderStatus.TRIGGER_PENDING, OrderStatus.PARTIAL)
"""States of an order that is in the exchange's book."""
_REPAIRS: Final = {
    Repair.REJECTED: "rejected",
    Repair.MISSING: "missing",
    Repair.STALE_QTY: "wrong size",
    Repair.UNFILLED: "unfilled",
}
_SAID: Final[dict[Guard, str]] = {
    Guard.NONE: "watched by this engine alone",
    Guard.PLACING: "the stop at the exchange is being placed",
    Guard.WORKING: "the stop is seen in the exchange's book",
    Guard.TRIGGERED: "the stop has triggered and closes the position",
    Guard.FILLED: "the stop has closed the position",
    Guard.REPAIR: "the stop at the exchange is broken, this engine watches meanwhile",
}


@dataclass(frozen=True, slots=True)
class AtExchange:
    """Stops that work at the exchange for one position: ``units`` they close together, ``trigger`` of the nearest."""

    units: int = 0
    trigger: int | None = None


NOWHERE: Final = AtExchange()


def stops_at_exchange(state: TradingState) -> dict[str, AtExchange]:
    """What closes each open position without this engine, by its key: guards' stops, and those placed by hand."""
    found: dict[str, AtExchange] = {}
    for order in state.orders.values():
        terms = order.terms
        if order.status not in _SEEN or terms.trigger is None:
            continue
        key = position_name(terms.account, terms.product, terms.contract)
        held = state.positions.get(key)
        if held is None or held.qty * terms.side.sign >= 0:
            continue
        before = found.get(key, NOWHERE)
        known = [each for each in (before.trigger, terms.trigger) if each is not None]
        found[key] = AtExchange(before.units + order.remaining, (min if held.qty < 0 else max)(known))
    return found


def guard_word(position: Position, guard: Protection | None, by_hand: AtExchange = NOWHERE) -> tuple[str, str]:
    """The state of a guard in a cell, and its colour role; an open short without a stop is an alarm."""
    if position.qty == 0:
        return "", ""
    if guard is None or guard.stop is None:
        if by_hand.units:
            return "by hand", "bad" if unguarded(position, guard, by_hand) else ""
        return ("NO STOP", "bad") if position.qty < 0 else ("none", "dim")
    if guard.blind:
        return "BLIND", "bad"
    if guard.state is Guard.REPAIR:
        return _REPAIRS.get(guard.reason, "repair"), "bad"
    return _WORDS[guard.state]


def unguarded(position: Position, guard: Protection | None, by_hand: AtExchange = NOWHERE) -> bool:
    """Whether the position can lose without end and nothing stops all of it."""
    return position.qty < 0 and (guard is None or guard.stop is None) and by_hand.units < -position.qty


def broken(guard: Protection) -> bool:
    """Whether the promise of a guard is not kept at this moment."""
    return guard.blind or guard.state is Guard.REPAIR


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a stop is: ``points`` in paise a unit from the mark, ``loss`` in paise of the whole position to it.

    ``total`` is what the position will have made once it is stopped there, None without an average.
    """

    points: int
    loss: int
    total: int


def reach(position: Position, stop: int | None, mark: int | None) -> Reach | None:
    """The way from the mark to a stop; None where one of them is unknown or nothing is open."""
    if stop is None or mark is None or position.qty == 0:
        return None
    sign = 1 if position.qty > 0 else -1
    points = (mark - stop) * sign
    return Reach(points, -points * abs(position.qty), position.qty * stop - position.cost)


def guard_line(position: Position, guard: Protection | None, mark: int | None, fmt: Formats) -> Line:
    """Everything about the guard of one position in one line."""
    name = fmt.contract(position.key.contract)
    if guard is None:
        word, role = guard_word(position, None)
        return [Part(f" {name}  ", "title"), Part(word, role), Part("  nothing guards it", "dim")], []
    parts = [Part(f" {name}  ", "title")]
    for word, level in (("stop", guard.stop), ("at the exchange", guard.wide), ("target", guard.target)):
        if level is not None:
            parts += [Part(f"{word} ", "dim"), Part(f"{fmt.price(level)}  ", "strong")]
    away = reach(position, guard.stop, mark)
    if away is not None:
        parts += [Part(f"{fmt.points(away.points)} away, ", "dim"), Part(f"{fmt.pnl(away.loss)} ", "down")]
    word, role = guard_word(position, guard)
    blind = "its price is too old to watch; " if guard.blind else ""
    return [*parts, Part(f" {blind}{_SAID[guard.state]}", role, 1)], []
