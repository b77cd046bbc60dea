"""What the broker says of money, margin and holdings."""

from __future__ import annotations

from typing import Any

import msgspec

from optconsole.brokers.angelone.rows import BadRow, Row
from optconsole.brokers.transport.coerce import paise, text, units
from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.text import display


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """Shares in the demat account. Prices in paise; ``pledged`` is what serves as collateral."""

    symbol: str
    segment: str
    isin: str
    qty: int
    pledged: int
    average: int
    ltp: int | None


def rupees(amount: int) -> str:
    """Paise as the rupee text of a request, two decimals."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}{amount // 100}.{amount % 100:02d}"


def funds_of(data: Any, account: str) -> Funds:
    """``getRMS``: ``net`` is what can still be used, ``utiliseddebits`` what is in use; cash is both. Raises BadRow.

    ``availablecash`` behaves like ``net`` and stands in where that is null; the m2m figures are not reliable.
    """
    if not isinstance(data, dict):
        raise BadRow("the funds are not there")
    try:
        free = _first(data, "net", "availablecash")
        if free is None:
            raise BadRow("the funds say neither net nor availablecash")
        used = _first(data, "utiliseddebits") or 0
    except ValueError as error:
        raise BadRow(f"funds that cannot be read: {error}") from None
    return Funds(account=account, cash=free + used, margin_used=used)


def margin_of(data: Any) -> int:
    """``totalMarginRequired`` of a batch in paise. Raises BadRow."""
    try:
        return paise(data["totalMarginRequired"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadRow(f"a margin that cannot be read: {display(str(error), 80)}") from None


def holding_of(row: Row) -> Holding:
    """A row of ``getHolding``. Raises BadRow."""
    try:
        return Holding(
            symbol=text(row["tradingsymbol"]),
            segment=text(row.get("exchange")),
            isin=text(row.get("isin")),
            qty=units(row["quantity"]),
            pledged=units(row.get("collateralquantity") or 0),
            average=paise(row["averageprice"]),
            ltp=_first(row, "ltp"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadRow(f"a holding that cannot be read: {display(str(error), 80)}") from None


def _first(data: Row, *keys: str) -> int | None:
    """Paise of the first key that holds anything."""
    for key in keys:
        value = data.get(key)
        if value is not None and value != "":
            return paise(value)
    return None
