"""Orders and facts in words."""

from __future__ import annotations

from optconsole.cli import shapes
from optconsole.engine.events import Recorded
from optconsole.engine.model.orders import Order, OrderTerms, OrderType, Pending
from optconsole.engine.model.text import display
from optconsole.screens.formats import Formats

_SHOWN_AS_MONEY = "_paise"


def state_of(order: Order) -> str:
    """``OPEN``, ``OPEN, cancel asked``: the state with what is under way."""
    asked = {Pending.NONE: "", Pending.MODIFY: ", change asked", Pending.CANCEL: ", cancel asked"}
    return order.status.value + asked[order.pending]


def prices(terms: OrderTerms, formats: Formats) -> str:
    """``101.25``, ``trigger 126.60 / 128.00``, ``market``: what the order waits for and the worst it takes."""
    trigger = f"trigger {formats.price(terms.trigger)}" if terms.type.has_trigger else ""
    if terms.type in (OrderType.LIMIT, OrderType.SL):
        worst = formats.price(terms.price)
    else:
        worst = "market" if terms.protection is None else f"market, worst {formats.price(terms.protection)}"
    return f"{trigger} / {worst}" if trigger else worst


def describe(order: Order, formats: Formats) -> list[str]:
    """An order in one line, and a second one with the reason where there is one."""
    terms = order.terms
    done = f"  filled {formats.grouped(order.filled)} @ {formats.price(order.average)}" if order.filled else ""
    charges = f"  charges {formats.amount(order.charges)}" if order.filled else ""
    line = (
        f"{order.id}  {terms.side.value} {formats.lots(terms.qty, order.lot)} {display(terms.contract)}"
        f"  {terms.type.value} {prices(terms, formats)} {terms.product.value} {terms.validity.value}"
        f"  {state_of(order)}{done}{charges}"
    )
    code = f" [{order.reason_code}]" if order.reason_code else ""
    return [line, f"  {display(order.reason)}{code}"] if order.reason else [line]


def narrate(fact: Recorded, formats: Formats) -> str:
    """One line of the journal: when, who, what, and the fields of the event."""
    shape = shapes.fields(fact.event)
    name = shape.pop("type")
    told = "  ".join(_field(key, value, formats) for key, value in _flat(shape) if value not in (None, ""))
    return f"{fact.seq:>6}  {fact.at:%d%b} {formats.clock(fact.at)}  {display(fact.actor):<14}  {name}  {told}".rstrip()


def _flat(shape: shapes.Shape) -> list[tuple[str, object]]:
    flat: list[tuple[str, object]] = []
    for key, value in shape.items():
        flat += _flat(value) if isinstance(value, dict) else [(key, value)]
    return flat


def _field(key: str, value: object, formats: Formats) -> str:
    if key.endswith(_SHOWN_AS_MONEY) and isinstance(value, int):
        return f"{key.removesuffix(_SHOWN_AS_MONEY)}={formats.amount(value)}"
    shown = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{key}={display(shown)}"
