"""Requests as Kite takes them: forms of text, one for each intent."""

from __future__ import annotations

from collections.abc import Sequence

from optconsole.brokers.transport.gateway import Listed
from optconsole.brokers.zerodha.rows import rupees
from optconsole.engine.model.orders import OrderType, Side
from optconsole.engine.ports import ModifyRequest, PlaceRequest

Form = dict[str, str]


def place(request: PlaceRequest, listed: Listed, algo_id: str = "") -> Form:
    """POST /orders/regular. Every order has its limit, so that ``market_protection`` is never needed."""
    form = {
        "exchange": listed.segment,
        "tradingsymbol": listed.symbol,
        "transaction_type": request.side.value,
        "order_type": request.type.value,
        "product": request.product.value,
        "validity": request.validity.value,
        "quantity": str(request.qty),
        "price": rupees(request.price),
        "tag": request.tag,
    }
    if request.trigger is not None:
        form["trigger_price"] = rupees(request.trigger)
    if algo_id:
        form["algo_id"] = algo_id
    return form


def modify(request: ModifyRequest) -> Form:
    """PUT /orders/{variety}/{id}. A stop without a trigger becomes a limit order."""
    form = {
        "order_type": OrderType.LIMIT.value if request.trigger is None else OrderType.SL.value,
        "quantity": str(request.qty),
        "price": rupees(request.price),
        "validity": "DAY",
    }
    if request.trigger is not None:
        form["trigger_price"] = rupees(request.trigger)
    return form


def margin(requests: Sequence[tuple[PlaceRequest, Listed]]) -> list[dict[str, object]]:
    """The body of POST /margins/orders and /margins/basket."""
    return [
        {
            "exchange": listed.segment,
            "tradingsymbol": listed.symbol,
            "transaction_type": request.side.value,
            "variety": "regular",
            "product": request.product.value,
            "order_type": request.type.value,
            "quantity": request.qty,
            "price": request.price / 100,
            "trigger_price": (request.trigger or 0) / 100,
        }
        for request, listed in requests
    ]


def convert(listed: Listed, side: Side, qty: int, old: str, new: str, overnight: bool) -> Form:
    """PUT /portfolio/positions: ``qty`` units of a position from one product to another."""
    return {
        "exchange": listed.segment,
        "tradingsymbol": listed.symbol,
        "transaction_type": side.value,
        "position_type": "overnight" if overnight else "day",
        "quantity": str(qty),
        "old_product": old,
        "new_product": new,
    }
