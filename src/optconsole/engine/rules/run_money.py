"""What a run has made, and what its percents are of (features 1.6). Pure, integer paise.

Every cycle of a run has its own baseline: a caller passes the entries, the holdings and the realised money of this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from optconsole.engine.model.overall_rules import Basis, Level, Overall
from optconsole.engine.rules.distances import WHOLE_BP


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """A leg's first entry of this cycle. ``sign`` +1 bought, -1 sold; ``quantity`` units; ``hedges`` whom it guards."""

    leg: str
    sign: int
    entry: int
    quantity: int
    lots: int = 1
    hedges: tuple[str, ...] = ()


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A leg that is open now. ``price`` is None where it is unknown or too old to be true."""

    leg: str
    sign: int
    entry: int
    quantity: int
    price: int | None
    lots: int = 1


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A run at one instant. ``complete`` once every leg is filled; None is unknown.

    ``realised`` and ``charges`` are of this cycle. ``break_evens`` are the nearest below and above the underlying at
    entry, None where there is none. ``delta`` is thousandths of a lot, ``gamma`` millionths.
    """

    now: datetime
    first_fill: datetime | None = None
    complete: bool = False
    realised: int = 0
    charges: int = 0
    entered: tuple[Entered, ...] = ()
    held: tuple[Held, ...] = ()
    index: int | None = None
    index_at_entry: int | None = None
    break_evens: tuple[int | None, int | None] | None = None
    delta: int | None = None
    gamma: int | None = None


def mtm(facts: RunFacts, *, net: bool = False) -> int | None:
    """Realised and unrealised paise, less charges for ``net``; None while an open leg has no price."""
    total = facts.realised - (facts.charges if net else 0)
    for leg in facts.held:
        if leg.price is None:
            return None
        total += leg.sign * (leg.price - leg.entry) * leg.quantity
    return total


def unpriced(facts: RunFacts) -> tuple[str, ...]:
    """The open legs whose price is unknown."""
    return tuple(leg.leg for leg in facts.held if leg.price is None)


def premium(entered: Iterable[Entered], basis: Basis) -> int:
    """SX-2: paise of the first entries, all added up, or bought set against sold."""
    if basis is Basis.NET_PREMIUM:
        return abs(sum(each.sign * each.entry * each.quantity for each in entered))
    return sum(abs(each.entry * each.quantity) for each in entered)


def amount(level: Level, entered: Iterable[Entered], *, up: bool = False) -> int:
    """A stop or target as paise of MTM; a part of a paisa is dropped, or counted whole for ``up``."""
    if level.basis is Basis.RUPEES:
        return level.amount
    product = premium(entered, level.basis) * level.amount
    return -(-product // WHOLE_BP) if up else product // WHOLE_BP


def settled(overall: Overall, facts: RunFacts) -> bool:
    """Whether overall rules are looked at yet: once every leg is filled, or ``settle`` seconds after the first fill.

    A strangle of which one leg is filled would else be judged by half of itself.
    """
    if facts.first_fill is None:
        return False
    return facts.complete or facts.now - facts.first_fill >= timedelta(seconds=overall.settle)
