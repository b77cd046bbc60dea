"""What the ticket says: a draft, its preview and the fate of what was sent, as lines. Pure."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from optconsole.engine.model.orders import Order, OrderStatus, OrderType, Pending
from optconsole.engine.model.parents import Parent
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.queries import FundsAnswer, OrderPreview
from optconsole.screens.depth import depth_lines
from optconsole.screens.formats import Formats, age_role
from optconsole.screens.order_words import side_role, state_words
from optconsole.screens.ticket_model import OPTIONAL, Draft, Field
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line

FIELD_WIDTH: Final = 11
CHOICE_WIDTH: Final = 10
"""Cells at the right that hold type, product and validity."""
TALL: Final = 30
"""Terminal rows from which the ticket spends lines on air."""
SENTENCES: Final = 5
MOST_SENTENCES: Final = 14
"""Lines kept for checks and answers, and how many they may grow to."""
AROUND: Final = 4
"""Rows of the dialog that are not the ticket's own: border, keys, and the line above them."""


class Phase(StrEnum):
    """Where a ticket is between the first key and the exchange's answer."""

    WRITING = "writing"
    ASKING = "asking"
    LOCKED = "locked"
    SENT = "sent"
    UNSURE = "unsure"


@dataclass(frozen=True, kw_only=True)
class Face:
    """Everything the ticket shows at one moment. ``fresh`` tells that the preview is for these very terms."""

    draft: Draft
    mode: str
    fmt: Formats
    phase: Phase = Phase.WRITING
    quote: Quote | None = None
    age: float | None = None
    preview: OrderPreview | None = None
    fresh: bool = False
    problem: str = ""
    said: str = ""
    said_role: str = "bad"
    order: Order | None = None
    funds: FundsAnswer | None = None
    book: tuple[Depth | None, tuple[Order, ...]] | None = None
    keys: dict[str, str] = field(default_factory=dict)


def field_row(height: int) -> int:
    """The line of the first field in a terminal of ``height`` rows."""
    return 1 if height < TALL else 2


def lines(face: Face, width: int, height: int) -> list[Line]:
    """The whole ticket in ``width`` cells; a terminal of little ``height`` gets no empty lines."""
    gap: list[Line] = [] if height < TALL else [([], [])]
    book = [] if face.book is None else [*depth_lines(*face.book, face.fmt), *gap]
    above = [_head(face), *gap, *_fields(face), *gap, _market(face), *gap, *book, *_money(face), *gap]
    room = min(max(height - AROUND - len(above), SENTENCES - 2), MOST_SENTENCES)
    return [*above, *_told(face, width, room)]


def _head(face: Face) -> Line:
    draft, fmt = face.draft, face.fmt
    verb = draft.side.value if draft.changing is None else f"CHANGE {fmt.text(draft.changing.id)} {draft.side.value}"
    left = [Part(f"{verb} ", side_role(draft.side)), Part(f" {fmt.contract(draft.contract)}", "title")]
    return left, [Part(f" {face.mode.upper()} ", face.mode), Part(f" {fmt.text(draft.account)}", "dim")]


def _fields(face: Face) -> list[Line]:
    draft, fmt = face.draft, face.fmt
    units = f"   {fmt.grouped(draft.qty)} units" if draft.qty is not None else ""
    price: list[Part] = []
    if draft.type is OrderType.MARKET or draft.type is OrderType.SL_M:
        worst = fmt.price(face.preview.protection if face.preview else None)
        price = [Part("market".rjust(FIELD_WIDTH), "strong"), Part(f"   no worse than {worst}", _preview_role(face))]
    else:
        price = [_field(face, Field.PRICE)]
    trigger = (
        [_field(face, Field.TRIGGER)] if draft.type.has_trigger else [Part(fmt.unknown.rjust(FIELD_WIDTH), "unknown")]
    )
    choices = [("t", draft.type.value), ("p", draft.product.value), ("v", draft.validity.value)]
    rows = [
        ("lots", [_field(face, Field.LOTS), Part(units, "dim")]),
        ("price", price),
        ("trigger", trigger),
    ]
    lines: list[Line] = [
        (
            [Part(f"{label:<8}", "dim"), *parts],
            [Part(f"{face.keys.get(key, key)} ", "key"), Part(f"{value:<6}", "strong")],
        )
        for (label, parts), (key, value) in zip(rows, choices, strict=True)
    ]
    return [*lines, _extras(face)] if draft.extras else lines


def _extras(face: Face) -> Line:
    """The guard of what fills, and in how many parts the order leaves; empty is none."""
    parts: list[Part] = []
    for which in OPTIONAL:
        parts += [Part(f"{which.value:<8}", "dim"), _field(face, which)]
    return parts, []


def _field(face: Face, which: Field) -> Part:
    draft = face.draft
    text = draft.text(which)
    unreadable = draft.value(which) is None
    if face.phase is Phase.WRITING and which is draft.field:
        caret = face.fmt.glyph("▏", "_") if draft.typed is not None else " "
        return Part((text + caret).rjust(FIELD_WIDTH + 1), "bad" if unreadable and text else "cursor")
    return Part(text.rjust(FIELD_WIDTH) + " ", "bad" if unreadable else "strong")


def _market(face: Face) -> Line:
    fmt, quote = face.fmt, face.quote
    bid, ask = (quote.bid, quote.ask) if quote else (None, None)
    times = fmt.glyph("×", "x")
    old = age_role(face.age) == "stale"
    return [
        Part("bid ", "dim"),
        Part(fmt.price(bid), "stale" if old else "buy"),
        Part(f" {times} {fmt.count(quote.bid_qty)}" if quote and bid is not None else "", "dim"),
        Part("   ask ", "dim"),
        Part(fmt.price(ask), "stale" if old else "sell"),
        Part(f" {times} {fmt.count(quote.ask_qty)}" if quote and ask is not None else "", "dim"),
        Part("   ltp ", "dim"),
        Part(fmt.price(quote.ltp if quote else None), "stale" if old else "strong"),
        Part(f"  {fmt.age(face.age)}", age_role(face.age)),
    ], []


def _preview_role(face: Face) -> str:
    return "" if face.fresh else "stale"


def _money(face: Face) -> list[Line]:
    fmt, seen, role = face.fmt, face.preview, _preview_role(face)
    arrow = fmt.glyph("→", "->")
    free = fmt.money(face.funds.free if face.funds else None)
    after = fmt.money(seen.free_after if seen else None)
    loss = "unlimited" if seen is not None and seen.unlimited else fmt.money(seen.max_loss if seen else None)
    low, high = (seen.band_low, seen.band_high) if seen else (None, None)
    dash = fmt.glyph("–", "-")
    band = f"{fmt.price(low)} {dash} {fmt.price(high)}" if low is not None else fmt.unknown
    count = seen.orders if seen else 0
    sending = "1 order" if count == 1 else f"{count} orders" if count else ""
    if isinstance(face.draft.changing, Parent):
        sending = f"of each of its {len(face.draft.changing.parts)} parts"
    short = seen is not None and seen.free_after is not None and seen.free_after < 0
    return [
        (
            [
                Part(f"{'margin':<8}", "dim"),
                *_margin(face),
                Part("    free ", "dim"),
                Part(f"{free} {arrow} {after}", "bad" if short else role),
            ],
            [Part("max loss ", "dim"), Part(loss, "warn" if loss == "unlimited" and face.fresh else role)],
        ),
        (
            [
                Part(f"{'charges':<8}", "dim"),
                Part(fmt.amount(seen.charges if seen else None).rjust(FIELD_WIDTH), role),
                Part("    band ", "dim"),
                Part(band, role),
            ],
            [Part(sending, role)],
        ),
    ]


def _margin(face: Face) -> list[Part]:
    """What the order blocks or frees; of a change the engine says nothing where the margin stays."""
    fmt, seen = face.fmt, face.preview
    if face.draft.changing is not None and seen is not None and seen.margin is None:
        return [Part(" unchanged or unknown", "dim")]
    return [Part(fmt.pnl_compact(seen.margin if seen else None).rjust(FIELD_WIDTH), _preview_role(face))]


def _told(face: Face, width: int, room: int) -> list[Line]:
    """Every failing check before Enter; after it the fate of the order."""
    found: list[tuple[str, str]] = []
    fate = _fate(face)
    if fate is not None:
        found.append(fate)
    if face.said:
        found.append((face.said, face.said_role))
    if face.phase in (Phase.WRITING, Phase.ASKING):
        found += _obstacles(face)
    shown: list[Line] = []
    for text, role in found:
        pieces = textwrap.wrap(face.fmt.text(text), width, subsequent_indent="  ")
        shown += [([Part(piece, role)], []) for piece in pieces]
    if len(shown) > room:
        shown = [*shown[: room - 1], ([Part(f"{face.fmt.ellipsis} and more, {len(found)} in all", "dim")], [])]
    return shown + [([], [])] * (min(SENTENCES, room) - len(shown))


def _obstacles(face: Face) -> list[tuple[str, str]]:
    fmt = face.fmt
    no, warn = fmt.glyph("✗", "x"), fmt.glyph("⚑", "!")
    if face.problem:
        return [(f"{no} {face.problem}", "bad")]
    if face.preview is None:
        return [("checking …" if not fmt.ascii else "checking ...", "dim")]
    role = {"refuse": "bad", "warn": "warn"} if face.fresh else {}
    marks = {"refuse": no, "warn": warn}
    failing = [
        (f"{marks[check.severity]} {check.text}", role.get(check.severity, "stale"))
        for check in face.preview.checks
        if check.severity in marks and check.text != face.said
    ]
    if failing or face.said or face.phase is Phase.ASKING:
        return failing
    return [(f"{fmt.glyph('✓', '+')} every check passes", "good" if face.fresh else "stale")]


def _fate(face: Face) -> tuple[str, str] | None:
    fmt, order = face.fmt, face.order
    wait = fmt.glyph("…", "...")
    match face.phase:
        case Phase.ASKING:
            yes = face.keys.get("y", "y")
            return f"This order is {face.mode.upper()}. {yes} sends it; any other key goes back.", "warn"
        case Phase.LOCKED:
            return f"Sending {wait} the engine has not answered yet.", "accent"
        case Phase.UNSURE:
            return "Whether it was sent is unknown. Look at Orders before you try again.", "bad"
        case Phase.SENT if order is not None:
            return order_fate(order, fmt), _FATE_ROLES.get(order.status, "accent")
        case Phase.SENT:
            return f"Sent {wait}", "accent"
        case _:
            return None


_FATE_ROLES: Final = {
    OrderStatus.FILLED: "good",
    OrderStatus.REJECTED: "bad",
    OrderStatus.DENIED: "bad",
    OrderStatus.UNKNOWN: "bad",
    OrderStatus.CANCELLED: "warn",
    OrderStatus.EXPIRED: "warn",
}


def order_fate(order: Order, fmt: Formats) -> str:
    """One sentence on where an order is: ``O12 filled 2L (130) @ 101.25.``"""
    name = fmt.text(order.id)
    done = f" {fmt.lots(order.filled, order.lot)} @ {fmt.price(order.average)}" if order.filled else ""
    reason = f": {fmt.text(order.reason)}" if order.reason and order.pending is Pending.NONE else ""
    return f"{name} {state_words(order)}{done}{reason}"
