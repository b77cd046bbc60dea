"""Orders that belong together as rows: a parent above its parts, a group above its members, guards that wait. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.groups import Group, GroupKind
from optconsole.engine.model.orders import Order, OrderTerms
from optconsole.engine.model.parents import Pace, Parent, ParentStatus
from optconsole.screens.formats import Formats
from optconsole.screens.order_words import prices, state_words
from optconsole.screens.widgets.columns import BLANK

TIE: Final = "tie/"
"""How keys of rows begin that stand for several orders."""
STATE, FOR, FILLED, AVERAGE, BY, REASON, WIDTH = 9, 10, 11, 12, 14, 15, 16
"""Places in a row, in the order of ``order_rows.order_columns``, and how many there are."""
_RULES: Final[dict[GroupKind, str]] = {
    GroupKind.OCO: "a fill of one cancels the others",
    GroupKind.OUO: "a fill of one takes as much from the others",
    GroupKind.OTO: "fills of the first release the others",
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A row for several orders: its key, what it is called, and the orders that stand below it.

    ``parent`` is what can be changed as a whole; a group, and a parent that is being stopped, have none.
    """

    key: str
    name: str
    values: list[Any]
    find: str
    orders: tuple[Order, ...]
    parent: Parent | None = None


def bundles(state: TradingState, fmt: Formats) -> list[Bundle]:
    """Parents and groups that still act, the newest first."""
    parents = [each for each in state.parents.values() if each.status is ParentStatus.WORKING]
    groups = [each for each in state.groups.values() if not each.ended]
    return [
        *(_parent(state, each, fmt) for each in reversed(parents)),
        *(_group(state, each, fmt) for each in reversed(groups)),
    ]


def _parent(state: TradingState, parent: Parent, fmt: Formats) -> Bundle:
    parts = [order for order in state.orders.values() if order.parent == parent.id]
    filled = sum(part.filled for part in parts)
    value = sum(part.filled_value for part in parts)
    words = f"{len(parts)} of {len(parent.parts)} parts"
    values = _values(parent.terms, parent.id, parent.lot, parent.opened_at, fmt)
    values[STATE] = (f"stopping, {words}" if parent.cancelling else words, "accent")
    values[FOR] = f"whole {parent.id}"
    values[FILLED] = f"{fmt.grouped(filled)}/{fmt.grouped(parent.terms.qty)}" if filled else BLANK
    values[AVERAGE] = value / filled if filled else BLANK
    values[BY] = parent.terms.source or parent.actor
    values[REASON] = fmt.text(parent.why) or _pace(parent)
    return Bundle(
        TIE + parent.id,
        parent.id,
        values,
        f"{parent.id} {parent.terms.contract}",
        tuple(part for part in reversed(parts) if not part.status.final),
        None if parent.cancelling else parent,
    )


def _pace(parent: Parent) -> str:
    given_up = ", given up when the price runs away" if parent.drift else ""
    match parent.pace:
        case Pace.AT_ONCE:
            return f"all parts at once{given_up}"
        case Pace.FILLED:
            return f"each part once those before it are filled{given_up}"
        case Pace.TIMED:
            return f"a part every {parent.every:g} s{given_up}"


def _group(state: TradingState, group: Group, fmt: Formats) -> Bundle:
    sent = [state.orders[name] for names in group.sent for name in names if name in state.orders]
    waiting = sum(not names for names in group.sent)
    values: list[Any] = [BLANK] * WIDTH
    values[1] = group.id
    values[3] = f"{group.kind.value} of {len(group.orders)} orders"
    values[FOR] = f"{group.kind.value} {group.id}"
    values[STATE] = (f"{waiting} wait{'s' if waiting == 1 else ''}" if waiting else "all at work", "accent")
    values[REASON] = fmt.text(group.why) or _RULES[group.kind] + _waits(group, fmt)
    alive = tuple(order for order in reversed(sent) if not order.status.final)
    return Bundle(TIE + group.id, group.id, values, f"{group.id} {group.kind.value}", alive)


def _waits(group: Group, fmt: Formats) -> str:
    """The members that have not left: their prices are watched here."""
    waiting = [terms for terms, names in zip(group.orders, group.sent, strict=True) if not names]
    if not waiting:
        return ""
    told = ", ".join(f"{terms.side.value} {fmt.contract(terms.contract)} {prices(terms, fmt)}" for terms in waiting)
    return f"; waits here: {told}"


def _values(terms: OrderTerms, name: str, lot: int, at: datetime, fmt: Formats) -> list[Any]:
    return [
        at,
        name,
        terms.account,
        fmt.contract(terms.contract),
        terms.side.value,
        fmt.grouped(terms.qty // lot) if lot else fmt.unknown,
        terms.qty,
        terms.type.value,
        prices(terms, fmt),
        ("", ""),
        *[BLANK] * (WIDTH - FOR),
    ]


def linked(state: TradingState, order: Order, fmt: Formats) -> str:
    """What else hangs on an order: the group it is in, the guard that waits for its fills; empty for most."""
    told: list[str] = []
    for group in state.groups.values():
        peers = [name for names in group.sent for name in names]
        if order.id in peers and not group.ended:
            others = [fmt.text(name) for name in peers if name != order.id]
            told.append(f"{group.kind.value} with {', '.join(others) or 'what waits here'}")
    bracket = state.brackets.get(order.parent) or state.brackets.get(order.id)
    if bracket is not None and not order.status.final:
        levels = [
            f"{word} {fmt.price(level)}"
            for word, level in (("stop", bracket.stop), ("target", bracket.target))
            if level is not None
        ]
        told.append(f"what fills gets {' and '.join(levels)}")
    return "; ".join(told)


def bundle_line(bundle: Bundle, fmt: Formats) -> str:
    """One sentence on a row that stands for several orders."""
    below = ", ".join(f"{fmt.text(order.id)} {state_words(order)}" for order in bundle.orders)
    return f"{bundle.values[STATE][0]}; {bundle.values[REASON]}{f'; {below}' if below else ''}"


def named(found: Sequence[Bundle], key: str) -> Bundle | None:
    """The bundle of a row."""
    return next((each for each in found if each.key == key), None)
