"""What a living flatten or stop forbids the trader's own hand, and whose orders are whose."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.book import Flattening, TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Order, OrderTerms, RiskClass, Role
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.protection import Protection
from optconsole.engine.trading.covering import closing_side, orders_on, outstanding
from optconsole.engine.trading.scopes import covers

KILL_WHY: Final = "kill"


def owned(state: TradingState, order: Order) -> bool:
    """Whether the flatten or the guard that an order belongs to is alive."""
    if order.role is Role.STOP:
        return any(guard.id == order.parent for guard in state.protections.values())
    return order.parent in state.flattening


def steered(order: Order) -> bool:
    """Whether an order is one that the engine derives from a position."""
    return not order.foreign and (order.role.closes or order.role is Role.STOP)


def engaged(state: TradingState, terms: OrderTerms) -> Flattening | None:
    """The living flatten of everything where an order of these terms would trade; None without one."""
    return next((wish for wish in state.flattening.values() if wish.whole and covers(wish, terms)), None)


def allow_touch(state: TradingState, order: Order) -> None:
    """Raises Refusal for a change or cancel by hand of an order that a living flatten or guard steers."""
    if not steered(order) or not owned(state, order):
        return
    if order.role is Role.STOP:
        raise Refusal("PROTECTED", f"{order.id} guards a position; clear its stop to have it cancelled, or move it.")
    wish = state.flattening[order.parent]
    way = "the kill switch holds it." if wish.why == KILL_WHY else f"give up the flatten {wish.id} to stop it."
    raise Refusal("CLOSING", f"{order.id} is closing a position; {way}")


def _apart(guard: Protection, terms: OrderTerms) -> bool:
    return bool(guard.source and terms.source) and guard.source != terms.source


def allow_order(state: TradingState, terms: OrderTerms, risk: RiskClass, filled: int = 0, ignored: str = "") -> None:
    """Raises Refusal for an order that would work against a living flatten, or close what a stop closes already.

    ``ignored`` is the order that it replaces, ``filled`` what of that is done.
    """
    wish = engaged(state, terms)
    if wish is not None and not (wish.held and risk is not RiskClass.INCREASE):
        way = "The kill switch is on" if wish.why == KILL_WHY else f"Give up the flatten {wish.id} first"
        raise Refusal("CLOSING", f"{terms.contract} is being closed; an order there would work against it. {way}.")
    key = PositionKey(terms.account, terms.product, terms.contract)
    position = state.positions.get(str(key))
    # what a run holds is its own, and so is its stop: another run's order beside it takes nothing from it
    guard = next((each for each in state.protections.values() if each.key == key and not _apart(each, terms)), None)
    if guard is None or position is None or not position.qty or terms.side is not closing_side(position):
        return
    others = [order for order in orders_on(state, key) if order.terms.side is terms.side and order.id != ignored]
    wanted = sum(map(outstanding, others)) + terms.qty - filled
    if wanted > abs(position.qty) and any(order.role is Role.STOP for order in others):
        raise Refusal(
            "STOP_COVERS",
            f"A stop closes {terms.contract} already, and both could trade; flatten it, or a per cent of it, and the "
            "stop goes along; or clear the stop first.",
        )
