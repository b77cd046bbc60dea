"""Whether a price can be one of this contract at all. One tick that is another's must not reach a stop (MD-6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from optconsole.engine.model.instruments import Instrument, Kind, Right

JUMP: Final = 4
"""An index or future at more than this many times, or less than this part of, its last close is another's price."""


def implausible(instrument: Instrument, found: Mapping[str, int], known: Mapping[str, int], spot: int | None) -> str:
    """What is wrong with the last price in ``found``, "" if nothing. Prices in paise.

    ``known`` are the fields that stand, of which the day's band and the last close are used where they are there;
    ``spot`` is the underlying's price.
    """
    price = found.get("lp")
    if not price or instrument.kind is Kind.INDEX:
        return _jump(price, found, known) if price else ""
    low, high = found.get("lc", known.get("lc")), found.get("uc", known.get("uc"))
    if low and high and low < high and not low <= price <= high:
        return f"{price} paise is outside the day's band of {low} to {high}"
    if instrument.kind is Kind.FUTURE:
        return _jump(price, found, known)
    if spot and price == spot:
        return f"{price} paise is the price of the underlying"
    if instrument.right is Right.PUT and instrument.strike and price > instrument.strike:
        return f"{price} paise is more than the strike, which no put is worth"
    if instrument.right is Right.CALL and spot and price > spot:
        return f"{price} paise is more than the underlying, which no call is worth"
    return ""


def _jump(price: int, found: Mapping[str, int], known: Mapping[str, int]) -> str:
    close = found.get("c", known.get("c"))
    if close and not close <= price * JUMP <= close * JUMP * JUMP:
        return f"{price} paise is no neighbour of the last close, {close}"
    return ""
