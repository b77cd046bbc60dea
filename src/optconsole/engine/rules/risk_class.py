"""Whether an order adds risk or takes it away, on top of all that works already. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, OrderTerms, RiskClass
from optconsole.engine.model.positions import PositionKey


def risk_class(state: TradingState, terms: OrderTerms, replacing: Order | None = None) -> RiskClass:
    """REDUCE when the order, on top of all that already works to close, cannot go past flat; else INCREASE.

    ``replacing`` is the order a change is for: it counts as ``terms`` less what it has filled.
    """
    held = state.positions.get(str(PositionKey(terms.account, terms.product, terms.contract)))
    if held is None or held.qty * terms.side.sign >= 0:
        return RiskClass.INCREASE
    ignored, filled = ("", 0) if replacing is None else (replacing.id, replacing.filled)
    closing = sum(
        order.remaining for order in working_on(state, terms) if order.terms.side is terms.side and order.id != ignored
    )
    return RiskClass.REDUCE if closing + terms.qty - filled <= abs(held.qty) else RiskClass.INCREASE


def working_on(state: TradingState, terms: OrderTerms) -> Iterator[Order]:
    """Orders that may still trade in the same account, product and contract."""
    for order in state.orders.values():
        if order.status.working and (
            order.terms.account == terms.account
            and order.terms.contract == terms.contract
            and order.terms.product == terms.product
        ):
            yield order
