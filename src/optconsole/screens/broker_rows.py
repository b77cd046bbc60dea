"""One row for each account: what its broker can do now, how old its book is, whether entries leave. Pure."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.vitals import BrokerVitals, LinkState
from optconsole.screens.formats import Formats
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row

OLD_BOOK: Final = 60.0
"""Seconds after which no risk is taken on a book (the rules' own figure)."""
DOTS: Final = {
    LinkState.LIVE: ("●", "*", "good"),
    LinkState.STALE: ("◐", "~", "warn"),
    LinkState.DEAD: ("✕", "x", "bad"),
    LinkState.CLOSED: ("○", "o", "dim"),
}


def dot(state: LinkState, fmt: Formats) -> Part:
    """A link's state as a mark."""
    full, plain, role = DOTS[state]
    return Part(f"{fmt.glyph(full, plain)} ", role)


def broker_columns(fmt: Formats) -> list[Column]:
    """The columns of ``broker_row``: each capability by itself, since one may fail alone."""

    def state_text(state: LinkState) -> str:
        full, plain, _ = DOTS[state]
        return f"{fmt.glyph(full, plain)} {state.value.lower()}"

    def state_role(state: LinkState) -> str:
        return DOTS[state][2]

    return [
        Column("Account", 9, fmt.text, "strong", align="left"),
        Column("Broker", 8, fmt.text, "dim", align="left", priority=3),
        Column("Quotes", 8, state_text, state_role, align="left"),
        Column("Order read", 10, state_text, state_role, align="left"),
        Column("Order write", 11, state_text, state_role, align="left"),
        Column("Book", 5, fmt.age, age_of_book),
        Column(" Entries", 8, lambda told: f" {told[0]}", lambda told: told[1], align="left"),
        Column("p50", 6, fmt.latency, priority=1),
        Column("p99", 6, fmt.latency, priority=2),
        Column("  Note", 12, lambda note: f"  {fmt.text(note)}", "dim", align="left", grow=60),
    ]


def age_of_book(age: float | None) -> str:
    """A book nobody has read is no ground to trade on; an old one says so."""
    return "bad" if age is None or age > OLD_BOOK else ""


def broker_row(broker: BrokerVitals) -> Row:
    """One account: its capabilities, the age of its book, and whether entries leave."""
    if broker.lost or broker.order_read is LinkState.DEAD or broker.order_write is LinkState.DEAD:
        entries = ("stopped", "bad")
    elif broker.refusing_for > 0:
        entries = (f"in {broker.refusing_for:.0f}s", "warn")
    else:
        entries = ("open", "good")
    failed = f"{broker.failures} requests in a row failed" if broker.failures else ""
    values = [
        broker.account or broker.name,
        broker.name,
        broker.quotes,
        broker.order_read,
        broker.order_write,
        None if broker.book_age is None else float(int(broker.book_age)),
        entries,
        broker.latency_p50,
        broker.latency_p99,
        broker.lost or broker.note or failed,
    ]
    return Row(broker.account or broker.name, values)
