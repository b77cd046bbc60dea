"""Entries that wait for a move: of one leg (features EN-2), and of the combined premium of all (EN-3). Pure.

A move is signed, and its level is the first price on tick that has gone the whole way.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from math import ceil, floor

from optconsole.engine.model.leg_rules import Measure
from optconsole.engine.model.leg_state import Place
from optconsole.engine.model.strategies import Leg, Strategy
from optconsole.engine.model.trigger_state import CombinedWait, LegWait
from optconsole.engine.model.triggers import Momentum
from optconsole.engine.rules.distances import WHOLE_BP, distance, place_of, rounded
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.leg_prices import Look
from optconsole.engine.rules.pretrade import price_in
from optconsole.engine.rules.triggers import MOMENTUM, Answer, Fired

WAIT = "wait"


def moved_price(move: Measure, premium: int | None, underlying: int | None) -> int | None:
    """The price that the move is about."""
    return underlying if place_of(move) is Place.UNDERLYING else premium


def move_level(move: Measure, reference: int, tick: int, lot: int) -> int:
    """The first price on tick at which the move from ``reference`` is complete; an index has no tick."""
    step = 1 if place_of(move) is Place.UNDERLYING else tick
    return rounded(reference + distance(move, reference, lot), 1 if move.amount >= 0 else -1, step)


def has_moved(move: Measure, level: int, price: int) -> bool:
    """Whether the price has reached the level from the side the move comes from. A move of nothing always has."""
    if move.amount == 0:
        return True
    return price >= level if move.amount > 0 else price <= level


def begin_wait(
    leg: Leg, contract: str, premium: int | None, underlying: int | None, tick: int, lot: int
) -> LegWait | None:
    """EN-2: the wait of a leg on the contract chosen at entry time; None without one, or with its reference unknown."""
    if leg.wait is None:
        return None
    reference = moved_price(leg.wait.move, premium, underlying)
    if reference is None:
        return None
    level = move_level(leg.wait.move, reference, tick, lot)
    return LegWait(contract=contract, move=leg.wait.move, reference=reference, level=level)


def wait_is_over(wait: LegWait, premium: int | None, underlying: int | None) -> Answer:
    """Whether the leg is entered now."""
    price = moved_price(wait.move, premium, underlying)
    if price is None:
        return Blind(why=f"The price that {wait.contract} waits for to move is unknown.")
    if not has_moved(wait.move, wait.level, price):
        return None
    way = f"from {price_in(wait.reference)} to {price_in(wait.level)}"
    return Fired(WAIT, price, wait.level, f"The price {price_in(price)} has moved {way}.")


def cancelled_by(entered: Leg, waiting: tuple[str, ...]) -> tuple[str, ...]:
    """The waits of other legs that end without an entry because this leg, which is to be the only one, was entered."""
    if entered.wait is None or not entered.wait.first_only:
        return ()
    return tuple(each for each in waiting if each != entered.id)


def combined_premium(strategy: Strategy, price: Callable[[str], int | None]) -> int | None:
    """EN-3: bought premiums less sold ones, one lot a leg whatever its lots; None while one of them is unknown.

    Lazy legs are not entered with the others, and a future has no premium: neither counts.
    """
    total = 0
    for leg in strategy.legs:
        if leg.lazy or leg.right is None:
            continue
        premium = price(leg.id)
        if premium is None:
            return None
        total += leg.side.sign * premium
    return total


def seen_price(rule: Momentum, look: Look, since: datetime | None) -> int | None:
    """What EN-3 takes of a leg: its last trade, or for ``on_close`` the close of a minute ended after ``since``."""
    if not rule.on_close:
        return look.ltp
    if look.closed_at is None or (since is not None and look.closed_at <= since):
        return None
    return look.close


def begin_combined(rule: Momentum, start: int, at: datetime) -> CombinedWait:
    """EN-3: the level from the value at entry time. A percent is of its size: a credit has no other sign."""
    reach = Fraction(abs(start) * rule.amount, WHOLE_BP) if rule.percent else Fraction(rule.amount)
    level = start + (ceil(reach) if rule.amount > 0 else floor(reach))
    return CombinedWait(start=start, level=level, since=at)


def combined_moved(rule: Momentum, wait: CombinedWait, value: int | None) -> Answer:
    """Whether all legs are entered now."""
    if value is None:
        return Blind(why="The combined premium is unknown, so its move is not watched.")
    if value < wait.level if rule.amount > 0 else value > wait.level:
        return None
    way = f"from {price_in(wait.start)} to {price_in(wait.level)}"
    return Fired(MOMENTUM, value, wait.level, f"The combined premium {price_in(value)} has moved {way}.")
