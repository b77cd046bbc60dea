"""How much of a position may still be closed: the arithmetic that keeps every exit from going past flat.

The law: what works or may work on the closing side never exceeds the open quantity (reliability I-11). An order's fill
takes as much from what it may still do as from the position, so a law that held when it was sent goes on holding. The
one exception is rule 9 of the order protocol: to buy back a short, one order in doubt for 20 seconds may be sent once
more, since the worst that comes of it is an option too many, which the same wish sells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, OrderStatus, Side
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.model.timeline import Since

DOUBT: Final = timedelta(seconds=20)
"""How long a purchase may be in doubt before it is sent once more."""


def closing_side(position: Position) -> Side:
    """The side that makes a position smaller."""
    return Side.BUY if position.qty < 0 else Side.SELL


def outstanding(order: Order) -> int:
    """Units that an order may still trade, a change that is under way included whichever way it ends."""
    asked = order.asked.qty if order.asked is not None else 0
    return max(order.terms.qty, asked) - order.filled


def counts(order: Order) -> bool:
    """Whether an order may still trade as far as anybody can tell: at work, or in doubt that nobody has released."""
    if order.status is OrderStatus.UNKNOWN:
        return not order.released
    return order.status.working or order.status is OrderStatus.INTENDED


def orders_on(state: TradingState, key: PositionKey) -> Iterator[Order]:
    """Orders on a position that count."""
    for order in state.orders.values():
        terms = order.terms
        same = terms.contract == key.contract and terms.account == key.account and terms.product == key.product
        if same and counts(order):
            yield order


def closing_on(state: TradingState, position: Position) -> list[Order]:
    """Orders that close a position, whoever sent them."""
    side = closing_side(position)
    return [order for order in orders_on(state, position.key) if order.terms.side is side]


def claimed(orders: Iterable[Order], since: Since) -> int:
    """Units that these orders close already. Of purchases long in doubt the largest is not counted on (rule 9)."""
    firm, stale = 0, []
    for order in orders:
        if order.terms.side is Side.BUY and order.status is OrderStatus.UNKNOWN and long_doubted(order, since):
            stale.append(outstanding(order))
        else:
            firm += outstanding(order)
    return firm + sum(stale) - max(stale, default=0)


def long_doubted(order: Order, since: Since) -> bool:
    """Whether an order was sent longer ago than a doubt is waited for."""
    return since(order.sent_at or order.intended_at) >= DOUBT


def held(state: TradingState, position: Position) -> int:
    """Units that an exit may count on: ours, and no more than the broker shows where the books differ (O12)."""
    drift = state.drifts.get(str(position.key))
    if drift is None:
        return abs(position.qty)
    return min(abs(position.qty), max(drift.theirs if position.qty > 0 else -drift.theirs, 0))


def room(state: TradingState, position: Position, since: Since, most: int | None = None) -> int:
    """Units that nothing closes yet, of ``most`` that the broker may still hold."""
    units = held(state, position)
    return max((units if most is None else min(units, most)) - claimed(closing_on(state, position), since), 0)
