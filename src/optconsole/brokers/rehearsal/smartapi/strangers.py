"""What is in the real scrip master and in a real account besides derivatives on indices: shares, currency, metals.

They are not traded here. A client must pass over them in the master without a stumble, and list what is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from optconsole.brokers.rehearsal.smartapi.habits import number

_KEYS: Final = ("token", "symbol", "name", "expiry", "strike", "lotsize", "instrumenttype", "exch_seg", "tick_size")
_NONE: Final = "-1.000000"
ROWS: Final = tuple(
    dict(zip(_KEYS, row, strict=True))
    for row in (
        ("3045", "SBIN-EQ", "SBIN", "", _NONE, "1", "", "NSE", "5.000000"),
        ("10666", "M&M-EQ", "M&M", "", _NONE, "1", "", "NSE", "10.000000"),
        ("500112", "SBIN", "SBIN", "", _NONE, "1", "", "BSE", "5.000000"),
        ("1093", "USDINR26DEC85.5CE", "USDINR", "29DEC2026", "855000000.000000", "1000", "OPTCUR", "CDS", "25.000000"),
        ("454818", "GOLDM05FEB27FUT", "GOLDM", "05FEB2027", _NONE, "100", "FUTCOM", "MCX", "100.000000"),
    )
)
"""Rows of the master; a currency's strike has three decimals more than the others'."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Shares that are held. Units, and paise a unit; ``fresh`` units have been bought and not yet delivered."""

    symbol: str
    token: str
    isin: str
    qty: int
    average: int
    ltp: int
    close: int
    segment: str = "NSE"
    fresh: int = 0
    pledged: int = 0


def holding_row(share: Share) -> dict[str, Any]:
    """A row of the holdings: numbers, as this endpoint has them."""
    gain = (share.ltp - share.average) * share.qty
    return {
        "tradingsymbol": share.symbol,
        "exchange": share.segment,
        "isin": share.isin,
        "t1quantity": share.fresh,
        "realisedquantity": share.qty - share.fresh,
        "quantity": share.qty,
        "authorisedquantity": 0,
        "product": "DELIVERY",
        "collateralquantity": share.pledged or None,
        "collateraltype": "MARGIN" if share.pledged else None,
        "haircut": 0.0,
        "averageprice": number(share.average),
        "ltp": number(share.ltp),
        "symboltoken": share.token,
        "close": number(share.close),
        "profitandloss": number(gain),
        "pnlpercentage": _share(gain, share.average * share.qty),
    }


def all_holdings(shares: Sequence[Share]) -> dict[str, Any]:
    """The rows and their sums; both null where nothing is held."""
    if not shares:
        return {"holdings": None, "totalholding": None}
    value = sum(share.ltp * share.qty for share in shares)
    paid = sum(share.average * share.qty for share in shares)
    return {
        "holdings": [holding_row(share) for share in shares],
        "totalholding": {
            "totalholdingvalue": number(value),
            "totalinvvalue": number(paid),
            "totalprofitandloss": number(value - paid),
            "totalpnlpercentage": _share(value - paid, paid),
        },
    }


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
