"""Help: what the screen is for and every key that works on it, from the same table that dispatches them."""

from __future__ import annotations

import textwrap
from typing import Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.events import Resize

from optconsole.screens.commands import VERBS
from optconsole.screens.deck import Deck
from optconsole.screens.key import Key
from optconsole.screens.key_needs import NEEDS
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.arrangement import GROUP
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import BLANK, Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon

MEANING: Final[dict[str, tuple[str, str]]] = {
    "positions": (
        "What you hold, what it has made, and what it is worth now.",
        "A dim italic price is old; – means unknown, never zero; ≠ means the broker holds another quantity.",
    ),
    "chain": (
        "Calls left, puts right, the strike between; bars are open interest.",
        "Left and right choose the side; b and s open the ticket on it.",
    ),
    "orders": (
        "What works on top, what is done below, with the reason in words.",
        "UNKNOWN means sent but not proven: u leads you through it. The engine never sends twice.",
    ),
    "baskets": (
        "What runs by itself: baskets, their strategies, the legs of each run, and what comes next.",
        "Floor is the profit or price at which it is left; Left counts re-entries; w tells why, strike by strike.",
    ),
    "today": (
        "Everything that will fire today, in order, with what has fired and what was skipped.",
        "The line divides what is over from what comes; a forecast says which orders would have to wait.",
    ),
    "risk": (
        "What is limited at every level, how much of it is used, and what orders may leave.",
        "You are told at 50, 80 and 95 %. What allows more needs a reason, which the journal keeps.",
    ),
    "journal": (
        "Every fact since the first start, in order, each chained to the one before.",
        "Enter opens a fact; from there c goes to what caused it.",
    ),
    "health": (
        "What is alive, how fast it answers, and what you have been told.",
        "What could not be taken into the book waits in the dead letters: r has it heard again, d puts it away.",
    ),
}


WIDEST: Final = 118
AROUND: Final = 6
"""Columns of the dialog at most, and how many of them are border and padding."""
KEY_WIDTH, DOES_WIDTH, MEANING_WIDTH = 15, 12, 16
GAPS: Final = 5
"""Cells between columns and for the scrollbar."""
IN_EVERY_FOOTER: Final = frozenset({"command", "help"})
WHERE_OFFERED: Final = frozenset({"why"})
"""Keys of every screen that do something only where a screen offers them."""


class HelpScreen(Dialog[None]):
    """A scrolling list; any closing key returns. ``own`` are all keys of the screen, ``keys`` those that act now."""

    BINDINGS = [Binding("escape,q,question_mark,enter", "close", "Close", tooltip="Back.", id="help.close")]
    DEFAULT_CSS = """
    HelpScreen #detail {
        width: 118; max-width: 96%; height: 90%; padding: 0 2; background: $background; border: round $quiet;
    }
    HelpScreen QuoteGrid { height: 1fr; margin: 1 0; }
    """

    def __init__(self, deck: Deck, screen_name: str, keys: list[Key], own: list[Key]) -> None:
        super().__init__()
        self.deck = deck
        self.screen_name = screen_name
        self._keys = keys
        self._own = own

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Ribbon(5, id="detail-head")
            yield QuoteGrid(
                [
                    Column("Key", KEY_WIDTH, str, "key", align="left"),
                    Column("Does", DOES_WIDTH, str, align="left"),
                    Column("Meaning", MEANING_WIDTH, str, "dim", align="left", grow=120),
                ]
            )
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        self.query_one(QuoteGrid).focus()
        keys = [Part("Esc", "key"), Part(" back  ", "dim"), Part("Up Down", "key"), Part(" move", "dim")]
        self.query_one("#detail-keys", Ribbon).show((keys, []))

    def on_resize(self, event: Resize) -> None:
        """Nothing is cut off: what is longer than its line goes on in the next."""
        width = min(int(event.size.width * 0.96), WIDEST) - AROUND
        pieces = [piece for text in MEANING.get(self.screen_name, ()) for piece in textwrap.wrap(text, max(width, 20))]
        lines: list[Line] = [
            ([Part(self.screen_name.capitalize(), "title")], []),
            *[([Part(each)], []) for each in pieces],
        ]
        head = self.query_one("#detail-head", Ribbon)
        head.styles.height = len(lines)
        head.show(*lines)
        rows = self._rows()
        room = max(width - KEY_WIDTH - DOES_WIDTH - GAPS, MEANING_WIDTH)
        self.query_one(QuoteGrid).set_rows([line for row in rows for line in _wrapped(row, room)])

    def _rows(self) -> list[Row]:
        keymap = self.deck.keymap
        offered = [key for key in self._keys if key.context != "app" and key.id not in IN_EVERY_FOOTER]
        known = {key.id for key in offered}
        here = [*offered, *(key for key in self._own if key.id not in known)]
        shown = {key.id for key in here}
        everywhere = [key for key in keymap.of("global", "app") if key.id not in shown | WHERE_OFFERED]
        sections = [
            ("Here", here),
            ("In any list", keymap.of("grid")),
            ("Everywhere", everywhere),
            ("In the ticket", keymap.of("ticket")),
            ("Stops", keymap.of("stop")),
            ("Orders in doubt", keymap.of("doubt")),
        ]
        rows: list[Row] = []
        for title, keys in sections:
            rows.append(Row(f"group/{title}", [title, BLANK, BLANK], GROUP))
            rows += [Row(key.id, [keymap.all_shown(key), key.description, _meaning(key)]) for key in keys]
        rows.append(Row("group/line", ["The : line", BLANK, BLANK], GROUP))
        rows += [
            Row(f"verb/{verb.name}", [f":{verb.name}", "", f"{verb.usage}: {verb.does}"]) for verb in VERBS.values()
        ]
        return rows

    def action_close(self) -> None:
        self.dismiss(None)


def _meaning(key: Key) -> str:
    """What a key does, and what must be there for it."""
    return f"{key.tooltip} Needs {NEEDS[key.id]}." if key.id in NEEDS else key.tooltip


def _wrapped(row: Row, room: int) -> list[Row]:
    """The row, and rows without key and name for what of its meaning does not fit into ``room`` cells."""
    key, name, meaning = row.values
    if not isinstance(meaning, str):
        return [row]
    first, *rest = textwrap.wrap(meaning, room) or [""]
    more = [Row(f"{row.key}+{place}", ["", "", each]) for place, each in enumerate(rest)]
    return [Row(row.key, [key, name, first], row.kind), *more]
