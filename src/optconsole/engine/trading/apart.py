"""How a part is left against which others hold in the same account: by orders that open the account's net position.

An exchange nets a contract in one account, so that two runs with opposite sides have nothing open there. Each leaves
its own part all the same. Such an order adds to the account's risk, and passes the pre-trade rules as an exit.
"""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.book import Flattening
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderStatus, RiskClass, Role, Side
from optconsole.engine.model.positions import Position
from optconsole.engine.rules import ladder
from optconsole.engine.rules.pretrade import checks, refusal
from optconsole.engine.trading import exits
from optconsole.engine.trading.closers import Step, closing_terms, steer
from optconsole.engine.trading.covering import closing_side, counts, orders_on, outstanding
from optconsole.engine.trading.exits import Scene
from optconsole.engine.trading.portions import belongs
from optconsole.engine.trading.wishes import against

_NO_REASON: Final = frozenset({"WIDE_SPREAD", "NO_COUNTERPARTY"})
"""What advises against a market order does not keep a run in a part that it leaves: its price is bounded anyway."""


def close_apart(scene: Scene, wish: Flattening, step: Step) -> None:
    """Orders for what of the wish stands against others, and their way up the ladder."""
    for position, _units in against(scene.state, wish):
        for part in scene.state.books.get(str(position.key), ()):
            if part.held.qty and belongs(wish.source, part.source):
                _close(scene, wish, part.source, part.held, position, step)


def _close(scene: Scene, wish: Flattening, source: str, part: Position, net: Position, step: Step) -> None:
    name = part.key.contract
    instrument = scene.master.get(name)
    if instrument is None:
        step.held.append(f"{name} is not listed today")
    elif not scene.trading(instrument):
        step.held.append(f"{name} does not trade now")
    else:
        if part.qty * net.qty <= 0:
            steer(scene, wish, part, instrument, step)
        if not step.decision.facts:
            _send(scene, wish, source, part, net, instrument, step)


def _send(
    scene: Scene, wish: Flattening, source: str, part: Position, net: Position, instrument: Instrument, step: Step
) -> None:
    """One order for what nothing closes yet."""
    state, side, name = scene.state, closing_side(part), instrument.name
    own = [order for order in orders_on(state, part.key) if order.terms.source == source and order.terms.side is side]
    closable = min(abs(part.qty), abs(net.qty)) if part.qty * net.qty > 0 else 0
    missing = abs(part.qty) - wish.kept - max(sum(map(outstanding, own)), closable)
    pieces = exits.cut(scene, instrument, missing)
    if not pieces:
        return
    facing = _facing(scene, part, side)
    if facing is not None:
        step.held.append(f"{name}: {facing.id} of this account would trade with it")
        return
    tried = [order for order in state.orders.values() if order.parent == wish.id and order.terms.contract == name]
    if exits.resting(tried, scene.since):
        step.held.append(f"{name}: the broker refuses; it is tried again")
        return
    limit = ladder.price(side, scene.situation.quote(name), instrument, 0)
    if limit is None:
        step.held.append(f"{name} has no price")
        return
    terms = closing_terms(wish, part, pieces[0], limit, source)
    found = checks(state, terms, instrument, scene.situation, role=Role.EXIT, parent=wish.id)
    refused = refusal(check for check in found if check.code not in _NO_REASON)
    if refused is not None:
        step.held.append(
            f"{name}: others hold the opposite, so that leaving opens in {part.key.account}. {refused.text}"
        )
        return
    exits.send(scene, step.decision, terms, instrument, Role.EXIT, wish.id, RiskClass.INCREASE)


def _facing(scene: Scene, part: Position, side: Side) -> Order | None:
    """An order of ours at work on the other side of the contract, which an exchange would not let trade with it."""
    for order in scene.state.orders.values():
        terms = order.terms
        same = (terms.account, terms.contract) == (part.key.account, part.key.contract)
        sure = counts(order) and order.status is not OrderStatus.UNKNOWN
        if same and terms.side is not side and sure and not exits.waits(order):
            return order
    return None
