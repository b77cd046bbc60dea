"""Bodies of requests. Every value of an order is text, as the broker documents it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from optconsole.brokers.angelone.money import rupees
from optconsole.brokers.angelone.rows import Kept
from optconsole.brokers.angelone.words import NORMAL, PRODUCT_WORDS, STOPLOSS, TYPE_WORDS
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.model.orders import OrderType
from optconsole.engine.ports import BrokerPosition, ModifyRequest, PlaceRequest

NOTHING: Final = "0"
Body = dict[str, Any]
At = tuple[str, str]
"""Segment and token of a contract."""


def place(request: PlaceRequest, listed: Listed) -> Body:
    """One order; ``squareoff``, ``stoploss`` and ``trailingStopLoss`` belong to brackets and are 0."""
    return {
        "variety": variety(request.type),
        "tradingsymbol": listed.symbol,
        "symboltoken": listed.token,
        "transactiontype": request.side.value,
        "exchange": listed.segment,
        "ordertype": TYPE_WORDS[request.type],
        "producttype": PRODUCT_WORDS[request.product],
        "duration": request.validity.value,
        "price": rupees(request.price),
        "triggerprice": NOTHING if request.trigger is None else rupees(request.trigger),
        "squareoff": NOTHING,
        "stoploss": NOTHING,
        "trailingStopLoss": NOTHING,
        "quantity": str(request.qty),
        "disclosedquantity": NOTHING,
        "ordertag": request.tag,
    }


def modify(change: ModifyRequest, kept: Kept) -> Body:
    """New terms. The trigger goes into ``triggerprice`` and ``stoploss``: which of them is read is not documented.

    Without a trigger a stop becomes a plain limit order.
    """
    kind = OrderType.LIMIT if change.trigger is None else OrderType.SL
    trigger = NOTHING if change.trigger is None else rupees(change.trigger)
    return {
        "variety": variety(kind),
        "orderid": change.broker_id,
        "ordertype": TYPE_WORDS[kind],
        "producttype": kept.product,
        "duration": kept.duration,
        "price": rupees(change.price),
        "triggerprice": trigger,
        "stoploss": trigger,
        "quantity": str(change.qty),
        "disclosedquantity": NOTHING,
        "tradingsymbol": kept.symbol,
        "symboltoken": kept.token,
        "exchange": kept.segment,
    }


def cancel(broker_id: str, kept: Kept) -> Body:
    return {"variety": kept.variety, "orderid": broker_id}


def variety(kind: OrderType) -> str:
    return STOPLOSS if kind.has_trigger else NORMAL


def margin(requests: Sequence[tuple[PlaceRequest, At]], held: Sequence[tuple[BrokerPosition, At]]) -> Body:
    """A batch of what is open and what would be added to it."""
    rows: list[Body] = [
        {
            "exchange": segment,
            "qty": abs(position.qty),
            "price": 0,
            "productType": PRODUCT_WORDS[position.product],
            "token": token,
            "tradeType": "BUY" if position.qty > 0 else "SELL",
            "orderType": "LIMIT",
        }
        for position, (segment, token) in held
        if position.qty
    ]
    rows += [
        {
            "exchange": segment,
            "qty": request.qty,
            "price": request.price / 100,
            "productType": PRODUCT_WORDS[request.product],
            "token": token,
            "tradeType": request.side.value,
            "orderType": TYPE_WORDS[request.type],
        }
        for request, (segment, token) in requests
    ]
    return {"positions": rows}


def quote(mode: str, tokens: Mapping[str, Sequence[str]]) -> Body:
    """``mode`` LTP, OHLC or FULL; tokens by segment."""
    return {"mode": mode, "exchangeTokens": {segment: list(each) for segment, each in tokens.items()}}


def subscription(subscribe: bool, mode: int, tokens: Mapping[int, Sequence[str]], mark: str) -> Body:
    """Text of the quote stream; tokens by segment number."""
    return {
        "correlationID": mark,
        "action": 1 if subscribe else 0,
        "params": {
            "mode": mode,
            "tokenList": [{"exchangeType": segment, "tokens": list(each)} for segment, each in tokens.items()],
        },
    }
