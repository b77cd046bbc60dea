"""Which order a broker's row is about, and whether any exchange can mean it."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, OrderTerms, OrderType
from optconsole.engine.ports import BrokerOrder, BrokerTrade, BrokerUpdate


class ImpossibleRow(Exception):
    """A broker's row holds numbers that no order or trade can have."""


def find(state: TradingState, account: str, tag: str, broker_id: str) -> Order | None:
    """Our order behind a broker row: by the broker's id, unique per account, or by tag until that id is known.

    A row under our tag with another id than ours is another order: a copy made by hand carries the tag too (B25).
    """
    return next((order for order in reversed(state.orders.values()) if is_about(order, account, tag, broker_id)), None)


def is_about(order: Order, account: str, tag: str, broker_id: str) -> bool:
    """Whether a row with this tag and id is about an order."""
    if order.terms.account != account:
        return False
    return bool(tag and order.tag == tag) if order.broker_id is None else order.broker_id == broker_id


def require_possible(update: BrokerUpdate) -> None:
    """Raises ImpossibleRow for a row that no exchange can mean; believed, it would bend a position for good."""
    match update:
        case BrokerTrade(qty=qty, price=price) if qty <= 0 or price <= 0:
            raise ImpossibleRow(f"trade {update.trade_id} of {qty} units at {price} paise")
        case BrokerOrder(qty=qty, filled=filled) if qty < 0 or not 0 <= filled <= qty:
            raise ImpossibleRow(f"order {update.broker_id} with {filled} of {qty} units filled")


def terms_of(row: BrokerOrder, ours: OrderTerms) -> OrderTerms:
    """Our terms with the broker's numbers: what it works is the truth."""
    if row.type is OrderType.LIMIT and ours.type.has_trigger and row.trigger is None and not row.triggered:
        # a stop that was turned into a limit order, by us or by a broker that took it for one
        return msgspec.structs.replace(
            ours, qty=row.qty, type=OrderType.LIMIT, price=row.price, trigger=None, protection=None
        )
    protected = ours.type in (OrderType.MARKET, OrderType.SL_M)
    return msgspec.structs.replace(
        ours,
        qty=row.qty,
        price=ours.price if protected else row.price,
        protection=row.price if protected else ours.protection,
        trigger=row.trigger if ours.type.has_trigger else ours.trigger,
    )
