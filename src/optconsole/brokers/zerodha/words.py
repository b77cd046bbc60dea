"""Kite's words and ours."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity

S = OrderStatus

SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
TYPES: Final = {"LIMIT": OrderType.LIMIT, "MARKET": OrderType.MARKET, "SL": OrderType.SL, "SL-M": OrderType.SL_M}
PRODUCTS: Final = {
    "NRML": Product.NRML,
    "MIS": Product.MIS,
    # of shares, and of orders entered elsewhere: what stays over night, and what the broker squares off
    "CNC": Product.NRML,
    "MTF": Product.NRML,
    "CO": Product.MIS,
    "BO": Product.MIS,
}
VALIDITIES: Final = {"DAY": Validity.DAY, "IOC": Validity.IOC, "TTL": Validity.DAY}

ENDS: Final = {"COMPLETE": S.FILLED, "CANCELLED": S.CANCELLED, "REJECTED": S.REJECTED}
ON_THE_WAY: Final = frozenset(
    {"PUT ORDER REQ RECEIVED", "VALIDATION PENDING", "OPEN PENDING", "AMO REQ RECEIVED", "TRIGGER PENDING REQ RECEIVED"}
)
"""The broker has it, the exchange has not said so."""
CHANGING: Final = frozenset(
    {"MODIFY VALIDATION PENDING", "MODIFY PENDING", "MODIFIED", "CANCEL PENDING", "UPDATE", "CANCEL VALIDATION PENDING"}
)
"""At the exchange; the word says what is being done to it and not whether a stop still waits for its trigger."""
WAITING: Final = "TRIGGER PENDING"
OPEN: Final = "OPEN"

SEGMENTS: Final = {"NFO": "NSE", "BFO": "BSE"}
"""Kite's derivative segments and the exchanges behind them."""
INDICES: Final = {
    ("NSE", "NIFTY 50"): "NIFTY",
    ("NSE", "NIFTY BANK"): "BANKNIFTY",
    ("NSE", "NIFTY FIN SERVICE"): "FINNIFTY",
    ("NSE", "NIFTY MID SELECT"): "MIDCPNIFTY",
    ("NSE", "NIFTY NEXT 50"): "NIFTYNXT50",
    ("BSE", "SENSEX"): "SENSEX",
    ("BSE", "BANKEX"): "BANKEX",
    ("BSE", "SNSX50"): "SENSEX50",
}
"""Indices as Kite lists them, and the underlying of their contracts."""
MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKLY_MONTHS: Final = "123456789OND"


def status(word: str, kind: OrderType, filled: int) -> tuple[OrderStatus, bool]:
    """(our status, whether a stop has provably been triggered) of an order in Kite's ``word``.

    A stop counts as triggered by a fill or by working openly, never by a word that only says it is being changed.
    UNKNOWN for a word that is not in the list, which is open-ended by the broker's own documentation.
    """
    stop = kind.has_trigger
    if word in ENDS:
        return ENDS[word], stop and (filled > 0 or word == "COMPLETE")
    if word == WAITING:
        return S.TRIGGER_PENDING, False
    if word == OPEN:
        return (S.PARTIAL if filled else S.OPEN), stop
    if word in ON_THE_WAY:
        return S.SENT, False
    if word in CHANGING:
        if filled:
            return S.PARTIAL, stop
        return (S.SENT if stop else S.OPEN), False
    return S.UNKNOWN, stop and filled > 0
