"""Orders that work against a wish to be flat, and when they may be asked to end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from optconsole.engine.model.book import Flattening, TradingState
from optconsole.engine.model.orders import Order, Pending, RiskClass, Role
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.model.timeline import Since
from optconsole.engine.rules import ladder
from optconsole.engine.trading import exits
from optconsole.engine.trading.covering import claimed, closing_on, closing_side, outstanding
from optconsole.engine.trading.desk import cancellable
from optconsole.engine.trading.exits import Scene
from optconsole.engine.trading.portions import at_work, closable
from optconsole.engine.trading.precedence import steered
from optconsole.engine.trading.scopes import covers
from optconsole.engine.trading.wishes import concerned, positions_of

ASK_AGAIN: Final = timedelta(seconds=5)
"""How long a flatten rests before it repeats a cancellation the broker refused."""
ASK_SOON: Final = timedelta(seconds=2)
"""The same where nobody knows whether it was cancelled, and for a stop that refused to become a closing order."""


def unwanted(scene: Scene, wish: Flattening) -> list[Order]:
    """Orders that work against the wish and may be asked to end now."""
    state = scene.state
    closing = {str(each.key): each for each in positions_of(state, wish)}
    surplus = {key: _surplus(state, wish, each, scene.since) for key, each in closing.items()}
    spare: dict[str, int] = {}
    found = [order for order in _opposing(state, wish, closing) if may_ask(order, scene.since)]
    for order in reversed(list(concerned(state, wish))):
        terms = order.terms
        key = str(PositionKey(terms.account, terms.product, terms.contract))
        position = closing.get(key)
        if not steered(order):
            against = not _by_hand(wish, order)
        elif wish.apart:
            name = f"{terms.source}|{key}"
            left = spare.setdefault(name, _surplus_apart(state, wish, order, scene.since))
            against = left > 0 or _spent(order, wish)
            spare[name] = left - (outstanding(order) if left > 0 else 0)
        elif position is None or terms.side is not closing_side(position):
            against = True
        elif surplus[key] > 0:
            surplus[key] -= outstanding(order)
            against = True
        else:
            against = _spent(order, wish)
        if against and may_ask(order, scene.since):
            found.append(order)
    return found


def _opposing(state: TradingState, wish: Flattening, closing: Mapping[str, Position]) -> list[Order]:
    """Orders of ours that would trade with an exit: what adds to a position goes when a part of it is to go.

    Of a whole exit they are those outside its scope, such as a resting order for the same contract in another product:
    an exchange refuses to let the two trade, and the exit would wait for ever.
    """
    sides = {(each.key.account, each.key.contract, closing_side(each).opposite) for each in closing.values()}
    return [
        order
        for order in state.orders.values()
        if (order.terms.account, order.terms.contract, order.terms.side) in sides
        and not steered(order)
        and not exits.waits(order)
        and not ((wish.whole or wish.source) and covers(wish, order.terms))
    ]


def _surplus(state: TradingState, wish: Flattening, position: Position, since: Since) -> int:
    """Units by which the orders that close a position exceed it, as after an exit by somebody else (O11, O12).

    Those of a strategy's exit may not exceed what the strategy holds either.
    """
    over = claimed(closing_on(state, position), since) - abs(position.qty)
    if wish.source:
        own = claimed(at_work(state, wish.source, position), since)
        over = max(over, own - closable(state, wish.source, position, wish.kept))
    return over


def _surplus_apart(state: TradingState, wish: Flattening, order: Order, since: Since) -> int:
    """Units by which the closing orders of a part exceed it, however the account as a whole stands.

    All of an order that would make the part larger.
    """
    terms = order.terms
    name = str(PositionKey(terms.account, terms.product, terms.contract))
    own = sum(part.held.qty for part in state.books.get(name, ()) if part.source == terms.source)
    if own * terms.side.sign >= 0:
        return outstanding(order)
    same = [
        each
        for each in concerned(state, wish)
        if steered(each) and each.terms.source == terms.source and each.terms.side is terms.side
    ]
    return claimed(same, since) - max(abs(own) - wish.kept, 0)


def _by_hand(wish: Flattening, order: Order) -> bool:
    """An order with which the trader helps a wish that cannot go on; when it goes on, it has to go."""
    return bool(wish.held) and order.risk is not RiskClass.INCREASE and int(order.id[1:]) > wish.after


def _spent(order: Order, wish: Flattening) -> bool:
    """A stop that could not be turned into a closing order, or an order changed as often as brokers allow."""
    if exits.waits(order):
        return wish.whole and conversion_failed(order, wish)
    return order.changes >= ladder.MOST_CHANGES


def conversion_failed(order: Order, wish: Flattening) -> bool:
    tried = order.changed_at is not None and order.changed_at >= wish.begun
    return tried and order.pending is Pending.NONE and bool(order.reason_code)


def may_ask(order: Order, since: Since) -> bool:
    """An order whose cancellation was refused is asked again only after a rest, or it would be for ever."""
    if not cancellable(order) or order.pending is not Pending.NONE:
        return False
    rest = ASK_SOON if order.cancel_wanted or order.role is Role.STOP else ASK_AGAIN
    return not order.reason_code or since(order.updated_at) >= rest
