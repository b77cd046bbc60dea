"""Angel One's words and ours, both ways."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Validity

NORMAL: Final = "NORMAL"
STOPLOSS: Final = "STOPLOSS"

TYPE_WORDS: Final = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.SL: "STOPLOSS_LIMIT",
    OrderType.SL_M: "STOPLOSS_MARKET",
}
TYPES: Final = {word: kind for kind, word in TYPE_WORDS.items()}

PRODUCT_WORDS: Final = {Product.NRML: "CARRYFORWARD", Product.MIS: "INTRADAY"}
PRODUCTS: Final = {
    "CARRYFORWARD": Product.NRML,
    "INTRADAY": Product.MIS,
    # what a person may have chosen elsewhere: a bracket is squared off, the others are carried
    "BO": Product.MIS,
    "DELIVERY": Product.NRML,
    "MARGIN": Product.NRML,
}

VALIDITIES: Final = {"DAY": Validity.DAY, "IOC": Validity.IOC}

SEGMENTS: Final = {"NSE": 1, "NFO": 2, "BSE": 3, "BFO": 4, "MCX": 5, "NCDEX": 7, "CDS": 13}
"""Exchange segment -> its number on the stream of quotes."""
SEGMENT_OF: Final = {number: segment for segment, number in SEGMENTS.items()}
EXCHANGES: Final = {"NSE": "NSE", "NFO": "NSE", "BSE": "BSE", "BFO": "BSE"}
"""Segments whose contracts the engine knows -> the exchange they trade at."""
DERIVATIVES: Final = frozenset({"NFO", "BFO"})
"""Segments whose orders and positions are the engine's business; shares, commodities and currencies are not."""

_NOT_YET: Final = frozenset(
    {
        "validation pending",
        "put order req received",
        "open pending",
        "after market order req received",
        "modify after market order req received",
    }
)
"""On its way to the exchange, or kept for its next session: alive and not at work."""
_AT_WORK: Final = frozenset(
    {
        "modify pending",
        "modified",
        "modify validation pending",
        "not modified",
        "cancel pending",
        "not cancelled",
    }
)
"""At the exchange; whether a stop has been reached these do not say."""
_ENDS: Final = {
    "complete": OrderStatus.FILLED,
    "cancelled": OrderStatus.CANCELLED,
    "cancelled after market order": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
}


def status_of(word: str, stop: bool, filled: int) -> OrderStatus:
    """Our status of an order, UNKNOWN for a word that is not in the broker's vocabulary."""
    said = " ".join(word.lower().split())
    if said in _ENDS:
        return _ENDS[said]
    if said in _NOT_YET:
        return OrderStatus.SENT
    if said == "trigger pending":
        return OrderStatus.TRIGGER_PENDING
    if said == "open" or said in _AT_WORK:
        if filled > 0:
            return OrderStatus.PARTIAL
        return OrderStatus.TRIGGER_PENDING if stop and said != "open" else OrderStatus.OPEN
    return OrderStatus.UNKNOWN


def triggered(status: OrderStatus, stop: bool, filled: int) -> bool:
    """Whether a stop is known to have been reached: it is in the market, or has traded."""
    return stop and (filled > 0 or status in (OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.FILLED))
