"""Commands on orders that belong together, drawn from the operator tape: parts, guards, groups, reversals."""

from __future__ import annotations

import msgspec

from optconsole.engine.commands import PlaceGroup, PlaceOrder
from optconsole.engine.model.groups import GroupKind
from optconsole.engine.model.orders import OrderTerms, OrderType, Side, Validity
from tests.simulation.kernel import TapeRandom
from tests.simulation.lots import CAPS
from tests.simulation.market import LOT, TICK


def large(name: str, actor: str, terms: OrderTerms, price: int, choices: TapeRandom) -> PlaceOrder:
    """An order above the freeze, in parts by plan, or with a guard."""
    match choices.byte() % 4:
        case 0:
            terms = msgspec.structs.replace(terms, qty=LOT * choices.randint(4, CAPS.order + 1))
            return PlaceOrder(id=name, actor=actor, terms=terms)
        case 1:
            terms = msgspec.structs.replace(terms, qty=LOT * choices.randint(3, CAPS.order), validity=Validity.DAY)
            return PlaceOrder(id=name, actor=actor, terms=terms, parts=3, every=choices.pick((0.0, 2.0)), drift=60)
        case 2:
            terms = msgspec.structs.replace(terms, qty=LOT * choices.randint(4, CAPS.order))
            return PlaceOrder(id=name, actor=actor, terms=terms, **_guard(terms, price))
        case _:
            return PlaceOrder(id=name, actor=actor, terms=terms, **_guard(terms, price))


def _guard(terms: OrderTerms, price: int) -> dict[str, int]:
    away = 30 * TICK * terms.side.sign
    return {"stop": price - away, "target": price + away}


def group(name: str, actor: str, terms: OrderTerms, price: int, choices: TapeRandom) -> PlaceGroup:
    """Two orders on one contract: entries on both sides of the market, or a first that releases a second."""
    kind = choices.pick((GroupKind.OCO, GroupKind.OUO, GroupKind.OTO))
    side = terms.side
    day = msgspec.structs.replace(
        terms, type=OrderType.LIMIT, price=price - side.sign * 2 * TICK, trigger=None, validity=Validity.DAY
    )
    trigger = price + side.sign * 12 * TICK
    stop = msgspec.structs.replace(day, type=OrderType.SL, trigger=trigger, price=trigger + side.sign * 4 * TICK)
    if kind is GroupKind.OTO:
        back = Side.SELL if side is Side.BUY else Side.BUY
        stop = msgspec.structs.replace(day, side=back, price=price + side.sign * 6 * TICK)
    return PlaceGroup(id=name, actor=actor, kind=kind, orders=(day, stop))
