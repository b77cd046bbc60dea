"""Shoonya's words for what we mean, both ways."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity

SIDES: Final = {"B": Side.BUY, "S": Side.SELL}
TYPES: Final = {
    "LMT": OrderType.LIMIT,
    "SL-LMT": OrderType.SL,
    "MKT": OrderType.MARKET,
    "SL-MKT": OrderType.SL_M,
}
PRODUCTS: Final = {
    "M": Product.NRML,
    "C": Product.NRML,
    "F": Product.NRML,
    "I": Product.MIS,
    "H": Product.MIS,
    "B": Product.MIS,
}
"""Delivery and margin funding are carried forward; cover and bracket orders are squared off the same day."""
VALIDITIES: Final = {"DAY": Validity.DAY, "EOS": Validity.DAY, "IOC": Validity.IOC}

SIDE_WORDS: Final = {Side.BUY: "B", Side.SELL: "S"}
TYPE_WORDS: Final = {OrderType.LIMIT: "LMT", OrderType.SL: "SL-LMT"}
"""MKT and SL-MKT are refused from programs, so they are never sent."""
PRODUCT_WORDS: Final = {Product.NRML: "M", Product.MIS: "I"}
VALIDITY_WORDS: Final = {Validity.DAY: "DAY", Validity.IOC: "IOC"}

INDICES: Final = frozenset({"NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50"})
"""Underlyings of NFO that are no shares."""

_STATUSES: Final = {
    "PENDING": OrderStatus.SENT,
    "NEW": OrderStatus.SENT,
    "OPEN PENDING": OrderStatus.SENT,
    "OPEN": OrderStatus.OPEN,
    "REPLACED": OrderStatus.OPEN,
    "TRIGGER PENDING": OrderStatus.TRIGGER_PENDING,
    "MODIFY PENDING": OrderStatus.OPEN,
    "CANCEL PENDING": OrderStatus.OPEN,
    "AFTER MARKET ORDER REQ RECEIVED": OrderStatus.SENT,
    "COMPLETE": OrderStatus.FILLED,
    "EXECUTED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "CANCELLED": OrderStatus.CANCELLED,
    "REJECTED": OrderStatus.REJECTED,
    "REJECT": OrderStatus.REJECTED,
}
_ALIVE_AFTER: Final = frozenset({"REPLACEREJECTED", "CANCELREJECTED"})
"""Reports of a refused change: the order itself lives on."""


def status_of(word: str, report: str, qty: int, filled: int) -> OrderStatus:
    """Where an order is by its ``status`` and its report type, UNKNOWN where they say nothing we know.

    ``Fill`` comes with partial fills too, so only the status ends an order, and "complete" with units missing is a
    contradiction, as is an end by the refusal of a change.
    """
    status = _STATUSES.get(plain(word), OrderStatus.UNKNOWN)
    refused_change = plain(report).replace(" ", "") in _ALIVE_AFTER
    if refused_change and status is OrderStatus.REJECTED:
        return OrderStatus.UNKNOWN
    if status is OrderStatus.FILLED and filled < qty:
        return OrderStatus.UNKNOWN
    if status is OrderStatus.OPEN and filled:
        return OrderStatus.PARTIAL
    return status


def plain(word: str) -> str:
    """A status in the one spelling of the table: upper case, spaces for underscores."""
    return " ".join(word.replace("_", " ").upper().split())
