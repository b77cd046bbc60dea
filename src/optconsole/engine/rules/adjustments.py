"""How the legs of a run are changed while it is under way (features BK-8): names, order, size and worst case. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from itertools import chain, count
from typing import Final

import msgspec

from optconsole.engine.model.adjustments import Move, adjusted, base_of
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.rules.strike_rows import strike_text

_KEPT: Final = ("id", "side", "right", "strike", "expiry", "lots", "account", "lazy", "hedges", "wait", "breakout")
"""What says how an added leg was entered; the rest are the rules that it is watched by."""


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """A leg as it would stand at expiry. ``right`` and ``strike`` are None for a future, ``price`` what it cost."""

    sign: int
    units: int
    price: int
    right: Right | None = None
    strike: int | None = None


class Sized(msgspec.Struct, frozen=True, kw_only=True):
    """A leg to which lots may be added. ``delta`` is of one unit as held: negative for a sold call."""

    leg: str
    lot: int
    delta: float


class Neutral(msgspec.Struct, frozen=True, kw_only=True):
    """So many lots of this leg bring the net delta (units of the underlying) from ``before`` to ``after``."""

    leg: str
    lots: int
    before: float
    after: float


def added_name(leg: str, legs: Container[str], word: str = "") -> str:
    """The name of a leg that is added for another: ``ce~2`` rolls ``ce``, ``ce~hedge`` protects it."""
    base = base_of(leg)
    first = [f"{base}~{word}"] if word else []
    return next(name for name in chain(first, (f"{base}~{word}{n}" for n in count(2))) if name not in legs)


def with_added(present: Strategy, changed: Strategy) -> Strategy:
    """Changed rules of a run with the legs that were added to it: each follows the rules of the leg it goes back to.

    A hedge that was added has no rules of its own and stays as it is.
    """
    if any(adjusted(leg.id) for leg in changed.legs):
        return changed
    added = []
    for leg in present.legs:
        base = changed.leg(base_of(leg.id))
        if adjusted(leg.id) and (base is None or base.right is not leg.right or base.side is not leg.side):
            added.append(leg)
        elif adjusted(leg.id) and base is not None:
            kept = {name: getattr(leg, name) for name in _KEPT}
            added.append(msgspec.structs.replace(base, **kept))
    return msgspec.structs.replace(changed, legs=(*changed.legs, *added)) if added else changed


def shifted(strikes: Sequence[int], strike: int, steps: int, right: Right) -> int:
    """The listed strike so many steps further out of the money; negative steps go the other way.

    ``strikes`` rise. Raises Refusal(NO_SHIFT, NOT_LISTED, OFF_THE_LIST).
    """
    if not steps:
        raise Refusal("NO_SHIFT", "A shift of 0 strikes changes nothing; give 1, or -1 towards the money.")
    if strike not in strikes:
        raise Refusal("NOT_LISTED", f"The strike {strike_text(strike)} is not listed today; roll the leg instead.")
    place = strikes.index(strike) + (steps if right is Right.CALL else -steps)
    if not 0 <= place < len(strikes):
        raise Refusal(
            "OFF_THE_LIST",
            f"{abs(steps)} strikes from {strike_text(strike)} none is listed;"
            f" the list goes from {strike_text(strikes[0])} to {strike_text(strikes[-1])}.",
        )
    return strikes[place]


def ordered(moves: Iterable[Move], *, protects: bool, tight: bool) -> tuple[Move, ...]:
    """The moves with their steps, first to last.

    What is bought protects what is sold: new protection comes before anything is closed, shorts are bought back before
    longs are sold, and shorts are sold last. Where nothing sold needs it, or the free money is too ``tight``, closing
    comes before opening, since it frees money.
    """
    if not protects:
        ranks = {(Side.BUY, False): 0, (Side.SELL, False): 1, (Side.BUY, True): 2, (Side.SELL, True): 3}
    elif tight:
        ranks = {(Side.BUY, False): 0, (Side.BUY, True): 1, (Side.SELL, False): 2, (Side.SELL, True): 3}
    else:
        ranks = {(Side.BUY, True): 0, (Side.BUY, False): 1, (Side.SELL, False): 2, (Side.SELL, True): 3}
    found = list(moves)
    steps = {rank: step for step, rank in enumerate(sorted({ranks[each.side, each.opens] for each in found}), 1)}
    placed = [msgspec.structs.replace(each, step=steps[ranks[each.side, each.opens]]) for each in found]
    return tuple(sorted(placed, key=lambda each: each.step))


def premium(moves: Iterable[Move]) -> int | None:
    """Paise that the moves bring in at the present prices, negative where they cost; None while one is unknown."""
    total = 0
    for move in moves:
        if move.price is None:
            return None
        total -= move.side.sign * move.units * move.price
    return total


def net_delta(held: Iterable[tuple[int, float | None]]) -> float | None:
    """Units of the underlying that signed units amount to by the delta of a long one; None where one is unknown."""
    total = 0.0
    for units, delta in held:
        if units and delta is None:
            return None
        total += units * (delta or 0.0)
    return total


def neutral(net: float, bound: int, legs: Iterable[Sized], most: int) -> Neutral:
    """The fewest lots of one leg that bring ``net`` within ``bound``; of equals the one that leaves the least.

    Raises Refusal(NEUTRAL_ALREADY, NO_NEUTRAL, BAD_BOUND).
    """
    if bound <= 0 or most <= 0:
        raise Refusal("BAD_BOUND", "The bound and the lots that may be added must be above zero.")
    if abs(net) <= bound:
        raise Refusal("NEUTRAL_ALREADY", f"The net delta is {net:.0f} units, within {bound} already.")
    found: list[Neutral] = []
    nearest: Neutral | None = None
    for each in legs:
        for lots in range(1, most + 1):
            one = Neutral(leg=each.leg, lots=lots, before=net, after=net + lots * each.lot * each.delta)
            if nearest is None or abs(one.after) < abs(nearest.after):
                nearest = one
            if abs(one.after) <= bound:
                found.append(one)
                break
    if not found:
        best = (
            ""
            if nearest is None or abs(nearest.after) >= abs(net)
            else f" {nearest.lots} lots of {nearest.leg} would leave {nearest.after:.0f}."
        )
        raise Refusal(
            "NO_NEUTRAL",
            f"The net delta is {net:.0f} units and up to {most} lots do not bring it within {bound}.{best}",
        )
    return min(found, key=lambda each: (each.lots, abs(each.after)))


def worst(legs: Sequence[Carried], realised: int) -> int | None:
    """The most that can be lost at expiry in paise, 0 where nothing can; None where no number bounds it.

    Exact: between two strikes the payoff is a line, so that its ends lie at strikes, at nought, and beyond the last.
    """
    knots = sorted({0, *(each.strike for each in legs if each.strike is not None)})
    beyond = _made(legs, knots[-1] + 1) - _made(legs, knots[-1])
    if beyond < 0:
        return None
    return max(-(min(_made(legs, knot) for knot in knots) + realised), 0)


def _made(legs: Sequence[Carried], at: int) -> int:
    total = 0
    for leg in legs:
        worth = at
        if leg.right is not None and leg.strike is not None:
            worth = max(at - leg.strike if leg.right is Right.CALL else leg.strike - at, 0)
        total += leg.sign * leg.units * (worth - leg.price)
    return total
