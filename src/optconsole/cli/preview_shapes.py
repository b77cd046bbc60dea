"""Previews as JSON: amounts in whole paise under names that end in ``_paise``."""

from __future__ import annotations

from typing import Final

import msgspec

from optconsole.cli.shapes import plain

MONEY: Final = frozenset(
    (
        "after",
        "allowed",
        "apart",
        "at",
        "before",
        "break_evens",
        "broker",
        "brokerage",
        "capped",
        "charges",
        "exchange",
        "at_expiry",
        "expiry_extra",
        "exposure",
        "free",
        "gap",
        "gst",
        "high",
        "left",
        "loss",
        "low",
        "max_loss",
        "max_profit",
        "mtm",
        "now",
        "open_stops",
        "paid",
        "peak",
        "premium",
        "price",
        "reentries",
        "sebi",
        "short",
        "span",
        "spot",
        "stamp",
        "strike",
        "stt",
        "total",
    )
)
"""Names that hold paise in previews, wherever their value is a whole number or a list of such."""


def shape(value: object) -> object:
    """Any value of a preview as what JSON knows."""
    match value:
        case msgspec.Struct():
            return {
                f"{name}_paise" if _money(name, each) else name: shape(each)
                for name in value.__struct_fields__
                for each in (getattr(value, name),)
            }
        case dict():
            return {str(key): shape(each) for key, each in value.items()}
        case list() | tuple():
            return [shape(each) for each in value]
        case _:
            return plain(value)


def _money(name: str, value: object) -> bool:
    """Whether a field is money. What is unknown keeps the name it has when it is known."""
    if name not in MONEY:
        return False
    many = value if isinstance(value, tuple) else (value,)
    return all(each is None or (isinstance(each, int) and not isinstance(each, bool)) for each in many)
