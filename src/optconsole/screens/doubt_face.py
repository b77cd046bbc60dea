"""What the resolver says of an order in doubt: what is known, what to look for, what each choice does. Pure."""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import Final

from optconsole.engine.model.orders import Order, OrderStatus
from optconsole.engine.model.vitals import DoubtVitals
from optconsole.screens.formats import Formats
from optconsole.screens.order_words import freezes, in_doubt, side_role, state_role, state_words
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line
from optconsole.screens.words import order_line

TALL: Final = 30
"""Terminal rows from which the panel spends lines on air."""
CHOICE: Final = 21
"""Cells of a choice's name."""


def lines(
    order: Order, doubt: DoubtVitals | None, cause: str, now: datetime | None, fmt: Formats, width: int, height: int
) -> list[Line]:
    """The panel in ``width`` cells. ``cause`` is what was said when the order came into doubt."""
    gap: list[Line] = [] if height < TALL else [([], [])]
    known = [*_sent(order, cause, now, fmt), *_evidence(order, doubt, fmt)]
    shown: list[Line] = [_head(order, fmt), ([Part(order_line(order, fmt), side_role(order.terms.side))], []), *gap]
    shown += [line for text, role in known for line in _wrapped(text, role, width)]
    shown += [*gap, *_tag(order, fmt, bool(gap)), *gap]
    return [*shown, *_choices(order, fmt, width)]


def _head(order: Order, fmt: Formats) -> Line:
    state = Part(state_words(order), state_role(order))
    return [Part(f"{fmt.text(order.id)}  ", "title"), state], [Part(fmt.text(order.terms.account), "dim")]


def _sent(order: Order, cause: str, now: datetime | None, fmt: Formats) -> list[tuple[str, str]]:
    if order.sent_at is None:
        return [("It was not sent from here.", "dim")]
    age = f", {fmt.age((now - order.sent_at).total_seconds())} ago" if now is not None else ""
    why = f" What came back: {fmt.text(cause)}" if cause else ""
    return [(f"Sent at {fmt.clock(order.sent_at)}{age}.{why}", "")]


def _evidence(order: Order, doubt: DoubtVitals | None, fmt: Formats) -> list[tuple[str, str]]:
    """What the readings of the broker's book have shown, and what follows from that."""
    if order.broker_id is not None and not in_doubt(order):
        return [(f"The broker has it under {fmt.text(order.broker_id)}: {state_words(order)}.", "good")]
    if not in_doubt(order):
        return [(f"It is no longer in doubt: {state_words(order)}.", "good")]
    if order.status is OrderStatus.PRESUMED_ABSENT:
        return [
            (fmt.text(order.reason), ""),
            ("It never arrived, as far as anybody can tell. Entries go on; it stays watched and counted.", "warn"),
        ]
    found: list[tuple[str, str]] = []
    if doubt is not None:
        newer = "one of them newer than the order" if doubt.fresh else "none of them provably newer than the order"
        times = f"{doubt.reads} of at least {doubt.reads_needed}"
        found.append((f"Readings of the broker's book without it: {times}, {newer}.", ""))
    if order.released:
        return [*found, ("You released it. It stays watched and counted until it is found or the day ends.", "warn")]
    frozen = (
        "Entries on the account are frozen" if freezes(order) else "It closes a position, so entries are not frozen"
    )
    if order.releasable:
        return [*found, (f"{frozen}. It is probably not at the broker: you may release it.", "warn")]
    wait = f" at the earliest in {fmt.age(doubt.due_in)}" if doubt is not None and doubt.due_in else ""
    return [*found, (f"{frozen}. It can be released{wait} once enough readings do not show it.", "warn")]


def _tag(order: Order, fmt: Formats, tall: bool) -> list[Line]:
    """The tag, large and with nothing beside it to copy by mistake; in one line where there is little room."""
    tag = f"   {fmt.text(order.tag) or fmt.unknown}   "
    block: list[Line] = [([Part("  "), Part(text, "cursor")], []) for text in (" " * len(tag), tag, " " * len(tag))]
    ask = "Look for this tag in the broker's own order book:"
    return [([Part(ask)], []), *block] if tall else [([Part(f"{ask} "), Part(tag.strip(), "cursor")], [])]


def _choices(order: Order, fmt: Formats, width: int) -> list[Line]:
    if not in_doubt(order):
        over = "it can be cancelled here" if order.status.working else "nothing is left to do"
        return _wrapped(f"The doubt is over; {over}.", "good", width)
    rows = [
        ("It is there", "nothing is to be done: the next reading binds it, and then it can be cancelled here"),
        ("It is not there", "release it: entries go on, it stays watched and counted as if it were working"),
        ("You cannot look", "wait: the engine goes on asking; exits, stops and cancels are never held back"),
        ("Never", "send it again by hand before this is settled: you may end with both"),
    ]
    shown: list[Line] = []
    for name, does in rows:
        first, *rest = textwrap.wrap(does, max(width - CHOICE, 20)) or [""]
        role = "bad" if name == "Never" else "strong"
        shown.append(([Part(f"{name:<{CHOICE}}", role), Part(first)], []))
        shown += [([Part(" " * CHOICE), Part(piece)], []) for piece in rest]
    return shown


def _wrapped(text: str, role: str, width: int) -> list[Line]:
    return [([Part(piece, role)], []) for piece in textwrap.wrap(text, width)]
