"""What of a position a strategy or basket holds, and how much of that its exit may close.

Brokers net a contract in one account; whose units are whose is only in our own books. An exit of one strategy closes
its own units and never more than is open at the broker: where others hold the opposite, closing would open.
"""

from __future__ import annotations

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order
from optconsole.engine.model.positions import Position
from optconsole.engine.model.timeline import Since
from optconsole.engine.rules.exposure import below
from optconsole.engine.trading.covering import claimed, closing_on


def belongs(path: str, source: str) -> bool:
    """Whether a source is the strategy or basket itself, or below it."""
    return below(path, source)


def parts_of(state: TradingState, path: str, position: Position) -> list[tuple[str, int]]:
    """Sources of a strategy with the signed units that each holds of a position."""
    return [
        (part.source, part.held.qty)
        for part in state.books.get(str(position.key), ())
        if part.held.qty and belongs(path, part.source)
    ]


def closable(state: TradingState, path: str, position: Position, kept: int = 0) -> int:
    """Units of a position that closing a strategy would close: its own on the position's side, within what is open.

    ``kept`` are units that it keeps.
    """
    own = sum(abs(units) for _, units in parts_of(state, path, position) if units * position.qty > 0)
    return min(max(own - kept, 0), abs(position.qty))


def shared_out(state: TradingState, path: str, position: Position, qty: int, since: Since) -> list[tuple[str, int]]:
    """``qty`` units to close, by the sources that hold them and have no order at work for them already."""
    orders, found = closing_on(state, position), list[tuple[str, int]]()
    for source, units in parts_of(state, path, position):
        if units * position.qty <= 0:
            continue
        at_work = claimed(_of(orders, source), since)
        take = min(max(abs(units) - at_work, 0), qty)
        qty -= take
        if take:
            found.append((source, take))
    return found


def at_work(state: TradingState, path: str, position: Position) -> list[Order]:
    """Orders on behalf of a strategy that close a position, whoever asked for them."""
    return [order for order in closing_on(state, position) if belongs(path, order.terms.source)]


def _of(orders: list[Order], source: str) -> list[Order]:
    return [order for order in orders if order.terms.source == source]


def offset(state: TradingState, path: str, kept: int = 0) -> list[tuple[Position, int]]:
    """Positions with the signed units that a strategy holds of each and that cannot be closed: others hold against it.

    The account shows less of the contract, none, or the opposite. ``kept`` are units that it keeps.
    """
    found = []
    for key, parts in state.books.items():
        position = state.positions.get(key)
        own = sum(part.held.qty for part in parts if belongs(path, part.source))
        if position is None or not own:
            continue
        going = abs(own) - kept
        left = going - (min(going, abs(position.qty)) if own * position.qty > 0 else 0)
        if left > 0:
            found.append((position, left if own > 0 else -left))
    return found
