"""One fact of the journal as its fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from optconsole.engine.events import Recorded
from optconsole.screens.deck import Deck
from optconsole.screens.formats import Formats
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon
from optconsole.screens.words import in_words

_PAISE: Final = frozenset({"price", "trigger", "protection", "charges", "capital"})


def fields(fact: Recorded, fmt: Formats) -> list[tuple[str, str]]:
    """Every field by name, nested ones with dots, amounts in rupees, empty ones left out."""
    known = [("number", fmt.grouped(fact.seq)), ("at", fact.at.isoformat()), ("who", fact.actor)]
    cause = [("cause", fact.cause)] if fact.cause else []
    kind = ("fact", type(fact.event).__name__)
    return [*known, *cause, ("stream", fact.event.stream), kind, *_flat("", msgspec.to_builtins(fact.event), fmt)]


def _flat(prefix: str, value: object, fmt: Formats) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "type" or prefix:
                yield from _flat(f"{prefix}.{key}" if prefix else str(key), inner, fmt)
    elif value not in (None, "", []):
        money = prefix.rsplit(".", 1)[-1] in _PAISE and isinstance(value, int)
        text = fmt.amount(value) if money and isinstance(value, int) else str(value)
        yield prefix, text


class FactDetail(Dialog[bool]):
    """The fact in full. Answers True to go to its cause."""

    BINDINGS = [
        Binding("escape,q,enter", "close", "Close", tooltip="Back to the journal.", id="fact.close"),
        Binding("c", "cause", "Cause", tooltip="Go to what caused it.", id="fact.cause"),
    ]
    DEFAULT_CSS = """
    FactDetail #detail {
        width: 84; max-width: 96%; height: 26; max-height: 90%; padding: 0 2;
        background: $background; border: round $quiet;
    }
    FactDetail QuoteGrid { height: 1fr; margin: 1 0; }
    """

    def __init__(self, deck: Deck, fact: Recorded) -> None:
        super().__init__()
        self.deck = deck
        self.fact = fact

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Ribbon(id="detail-head")
            yield QuoteGrid(
                [
                    Column("Field", 18, self.deck.fmt.text, "dim", align="left"),
                    Column("Value", 40, self.deck.fmt.text, align="left", grow=200),
                ]
            )
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        fmt = self.deck.fmt
        words = in_words(self.fact.event, self.deck.mirror.state, fmt)
        self.query_one("#detail-head", Ribbon).show(([Part(f"{words.mark} {words.text}", words.role or "title")], []))
        grid = self.query_one(QuoteGrid)
        grid.set_rows([Row(name, [name, value]) for name, value in fields(self.fact, fmt)])
        grid.focus()
        keys = [Part("c", "key"), Part(" cause  ", "dim")] if self.fact.cause else []
        self.query_one("#detail-keys", Ribbon).show(([*keys, Part("Esc", "key"), Part(" back", "dim")], []))

    def action_close(self) -> None:
        self.dismiss(False)

    def action_cause(self) -> None:
        self.dismiss(True)
