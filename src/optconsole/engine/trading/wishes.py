"""What a wish to be flat still wants, read off the live book."""

from __future__ import annotations

from collections.abc import Iterator

from optconsole.engine.model.book import Flattening, TradingState
from optconsole.engine.model.orders import Order
from optconsole.engine.model.positions import Position
from optconsole.engine.trading.covering import counts
from optconsole.engine.trading.portions import closable, offset
from optconsole.engine.trading.precedence import KILL_WHY
from optconsole.engine.trading.scopes import covers, open_in, scope_of


def to_close(state: TradingState, wish: Flattening, position: Position) -> int:
    """Units of a position that a wish still wants closed, those that something closes already included.

    Under the kill switch what others traded since then is theirs: it is neither closed nor counted as ours.
    """
    size = abs(position.qty)
    if wish.source:
        return closable(state, wish.source, position, wish.kept)
    if not wish.whole:
        target = wish.targets.get(str(position.key))
        return 0 if target is None else max(size - max(target * _sign(position), 0), 0)
    if wish.why != KILL_WHY:
        return size
    theirs = state.strangers.get(str(position.key), 0)
    return min(size, max((position.qty - theirs) * _sign(position), 0))


def _sign(position: Position) -> int:
    return 1 if position.qty > 0 else -1


def positions_of(state: TradingState, wish: Flattening) -> list[Position]:
    """Positions with something to close, shorts first."""
    if wish.whole or wish.source:
        chosen = open_in(state, scope_of(wish))
    else:
        chosen = [state.positions[key] for key in wish.targets if key in state.positions]
    return sorted((each for each in chosen if to_close(state, wish, each)), key=lambda each: each.qty > 0)


def concerned(state: TradingState, wish: Flattening) -> Iterator[Order]:
    """Orders of ours, at work or in doubt, without whose end a wish is not done."""
    for order in state.orders.values():
        if order.foreign or not counts(order):
            continue
        wide = (wish.whole or wish.source) and not wish.parted
        if order.parent == wish.id or (wide and covers(wish, order.terms)):
            yield order


def wanted(state: TradingState, wish: Flattening) -> list[tuple[Position, int]]:
    """Positions of a wish with the units of each that it still wants closed."""
    return [(each, to_close(state, wish, each)) for each in positions_of(state, wish)]


def done(state: TradingState, wish: Flattening) -> bool:
    """Whether nothing is left to close and nothing of ours works or is in doubt."""
    return not (positions_of(state, wish) or against(state, wish)) and not any(True for _ in concerned(state, wish))


def against(state: TradingState, wish: Flattening) -> list[tuple[Position, int]]:
    """Positions with the signed units that a wish wants closed though others hold against them in the same account."""
    return offset(state, wish.source, wish.kept) if wish.apart and wish.source else []
