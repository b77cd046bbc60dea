"""Values as JSON: plain fields, amounts in whole paise under names that end in ``_paise``, times in ISO form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum
from typing import Final

import msgspec

from optconsole.engine.events import Event, Recorded
from optconsole.engine.model.groups import Group
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, Trade
from optconsole.engine.model.parents import Parent
from optconsole.engine.model.positions import Position
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import from_millis

MONEY: Final = frozenset(
    (
        "ask",
        "band_high",
        "band_low",
        "bid",
        "bought_value",
        "capital",
        "carried_cost",
        "cash",
        "charges",
        "charges_before",
        "cost",
        "drift",
        "filled_value",
        "free",
        "free_after",
        "ltp",
        "margin",
        "margin_after",
        "margin_before",
        "margin_used",
        "max_loss",
        "max_loss_after",
        "max_loss_before",
        "premium",
        "prev_close",
        "price",
        "profit",
        "protection",
        "realised",
        "realised_before",
        "reference",
        "sold_value",
        "stop",
        "strike",
        "target",
        "tick",
        "trigger",
        "wide",
    )
)
"""Field names that hold paise, wherever they occur in the model."""

Shape = dict[str, object]


def plain(value: object) -> object:
    """Any value of the model as what JSON knows."""
    match value:
        case msgspec.Struct():
            return fields(value)
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value


def fields(value: msgspec.Struct) -> Shape:
    """The fields of a value, money renamed."""
    shape: Shape = {"type": type(value).__name__} if isinstance(value, Event) else {}
    for name in value.__struct_fields__:
        shape[f"{name}_paise" if name in MONEY else name] = plain(getattr(value, name))
    return shape


def whole(amount: float | None) -> int | None:
    """An average in whole paise; the exact figure is the value divided by the quantity, which stand beside it."""
    return None if amount is None else round(amount)


def order(each: Order) -> Shape:
    """An order with its terms beside its state."""
    shape = fields(each)
    terms = fields(each.terms)
    del shape["terms"]
    return {
        "id": each.id,
        "status": each.status.value,
        **terms,
        **shape,
        "remaining": each.remaining,
        "average_paise": whole(each.average),
    }


def parent(each: Parent, parts: Sequence[Order]) -> Shape:
    """An order that leaves in parts: its whole terms, how far it is, and the ids of the parts sent."""
    shape = fields(each)
    terms = fields(each.terms)
    del shape["terms"]
    filled = sum(part.filled for part in parts)
    return {
        "id": each.id,
        "status": each.status.value,
        **terms,
        **shape,
        "sent": [part.id for part in parts],
        "filled": filled,
        "remaining": each.terms.qty - filled,
    }


def group(each: Group) -> Shape:
    """A group with the terms of its members and the ids of the orders sent for each."""
    shape = fields(each)
    del shape["orders"], shape["sent"], shape["lots"]
    members = zip(each.orders, each.lots, each.sent, strict=True)
    return {
        **shape,
        "orders": [{**fields(terms), "lot": lot, "sent": list(sent)} for terms, lot, sent in members],
    }


def trade(each: Trade) -> Shape:
    """One execution."""
    return fields(each)


def position(each: Position, quote: Quote | None) -> Shape:
    """A position at the present mark; unknown figures are null."""
    mark = None if quote is None else quote.mark
    shape = fields(each)
    del shape["key"]
    return {
        **fields(each.key),
        **shape,
        "lots": each.qty / each.lot if each.lot else None,
        "average_paise": whole(each.average),
        "mark_paise": mark,
        "unrealised_paise": each.unrealised(mark),
    }


def quote(each: Quote) -> Shape:
    """A quote with the time of its last change."""
    return {**fields(each), "at": from_millis(each.ts).isoformat(), "mark_paise": each.mark}


def instrument(each: Instrument) -> Shape:
    """One listed contract."""
    return fields(each)


def fact(each: Recorded) -> Shape:
    """A fact of the journal, its event nested."""
    return fields(each)
