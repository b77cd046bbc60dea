"""Angel One's words for orders, both ways, and the codes that its order stream puts beside them."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Validity

PRODUCTS: Final = {"CARRYFORWARD": Product.NRML, "INTRADAY": Product.MIS}
"""What contracts are traded in; ``DELIVERY``, ``MARGIN`` and ``BO`` exist for shares."""
PRODUCT_WORDS: Final = {product: word for word, product in PRODUCTS.items()}
SHARES_ONLY: Final = frozenset({"DELIVERY", "MARGIN", "BO"})
VALIDITIES: Final = {"DAY": Validity.DAY, "IOC": Validity.IOC}
VARIETIES: Final = {
    "LIMIT": frozenset({"NORMAL", "AMO"}),
    "MARKET": frozenset({"NORMAL", "AMO"}),
    "STOPLOSS_LIMIT": frozenset({"STOPLOSS", "AMO"}),
    "STOPLOSS_MARKET": frozenset({"STOPLOSS", "AMO"}),
}
"""Order type -> the varieties it may come under."""
PRICED: Final = frozenset({"LIMIT", "STOPLOSS_LIMIT"})
STOPS: Final = frozenset({"STOPLOSS_LIMIT", "STOPLOSS_MARKET"})
TYPE_WORDS: Final = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.SL: "STOPLOSS_LIMIT",
    OrderType.SL_M: "STOPLOSS_MARKET",
}

_TEXTS: Final = {
    OrderStatus.OPEN: "open",
    OrderStatus.PARTIAL: "open",
    OrderStatus.TRIGGER_PENDING: "trigger pending",
    OrderStatus.FILLED: "complete",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.EXPIRED: "cancelled",
    OrderStatus.REJECTED: "rejected",
}
AMO: Final = "after market order req received"
AMO_MODIFIED: Final = "modify after market order req received"
AMO_CANCELLED: Final = "cancelled after market order"
PENDING: Final = "open pending"

_CODES: Final = {
    "open": "AB01",
    "cancelled": "AB02",
    "rejected": "AB03",
    "modified": "AB04",
    "complete": "AB05",
    AMO: "AB06",
    AMO_CANCELLED: "AB07",
    AMO_MODIFIED: "AB08",
    PENDING: "AB09",
    "trigger pending": "AB10",
    "modify pending": "AB11",
}
HELLO: Final = "AB00"


def status_text(status: OrderStatus) -> str:
    """How the order book prints a state; a part-filled order is ``open`` there, an expired one ``cancelled``."""
    return _TEXTS[status]


def stream_code(text: str) -> str:
    """The code beside a status on the order stream; a text without one of its own travels under the greeting's."""
    return _CODES.get(text, HELLO)


def ended(text: str) -> bool:
    """Whether nothing more can happen to an order in this state."""
    return text in ("complete", "rejected") or text.startswith("cancelled")
