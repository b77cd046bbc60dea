"""Help: what the screen is for and every key that works on it, from the same table that dispatches them."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from optconsole.screens.commands import VERBS
from optconsole.screens.deck import Deck
from optconsole.screens.keymap import Key
from optconsole.screens.widgets.arrangement import GROUP
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import BLANK, Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon

MEANING: Final[dict[str, tuple[str, str]]] = {
    "positions": (
        "What you hold, what it has made, and what it is worth now.",
        "A dim italic age means the price is old; – means unknown, never zero.",
    ),
    "chain": (
        "Calls left, puts right, the strike between; bars are open interest.",
        "Left and right choose the side; b and s open the ticket on it.",
    ),
    "orders": (
        "What works on top, what is done below, with the reason in words.",
        "UNKNOWN means sent but not proven; the engine asks the broker and never sends twice.",
    ),
    "journal": (
        "Every fact since the first start, in order, each chained to the one before.",
        "Enter opens a fact; from there c goes to what caused it.",
    ),
    "health": (
        "What is alive, how fast it answers, and what you have been told.",
        "Latencies are of the last hundred order calls; p99 is the slow one in a hundred.",
    ),
}


class HelpScreen(ModalScreen[None]):
    """A scrolling list; any closing key returns."""

    BINDINGS = [Binding("escape,q,question_mark,enter", "close", "Close", tooltip="Back.", id="help.close")]
    DEFAULT_CSS = """
    HelpScreen #detail {
        width: 90; max-width: 96%; height: 90%; padding: 0 2; background: $background; border: round $quiet;
    }
    HelpScreen QuoteGrid { height: 1fr; margin: 1 0; }
    """

    def __init__(self, deck: Deck, screen_name: str, keys: list[Key]) -> None:
        super().__init__()
        self.deck = deck
        self.screen_name = screen_name
        self._keys = keys

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Ribbon(3, id="detail-head")
            yield QuoteGrid(
                [
                    Column("Key", 14, str, "key", align="left"),
                    Column("Does", 12, str, align="left"),
                    Column("Meaning", 40, str, "dim", align="left", grow=120),
                ]
            )
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        meaning = MEANING.get(self.screen_name, ("", ""))
        lines: list[Line] = [([Part(text)], []) for text in meaning]
        self.query_one("#detail-head", Ribbon).show(([Part(self.screen_name.capitalize(), "title")], []), *lines)
        grid = self.query_one(QuoteGrid)
        grid.set_rows(self._rows())
        grid.focus()
        keys = [Part("Esc", "key"), Part(" back  ", "dim"), Part("Up Down", "key"), Part(" move", "dim")]
        self.query_one("#detail-keys", Ribbon).show((keys, []))

    def _rows(self) -> list[Row]:
        keymap = self.deck.keymap
        here = [key for key in self._keys if key.context not in ("global", "app")]
        sections = [
            ("Here", here),
            ("In any list", keymap.of("grid")),
            ("Everywhere", keymap.of("global", "app")),
            ("In the ticket", keymap.of("ticket")),
        ]
        rows: list[Row] = []
        for title, keys in sections:
            rows.append(Row(f"group/{title}", [title, BLANK, BLANK], GROUP))
            rows += [Row(key.id, [keymap.all_shown(key), key.description, key.tooltip]) for key in keys]
        rows.append(Row("group/line", ["The : line", BLANK, BLANK], GROUP))
        rows += [
            Row(f"verb/{verb.name}", [f":{verb.name}", "", f"{verb.usage}: {verb.does}"]) for verb in VERBS.values()
        ]
        return rows

    def action_close(self) -> None:
        self.dismiss(None)
