"""The theme picker: every theme is worn while the cursor stands on it; Esc puts the old one back on."""

from __future__ import annotations

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from optconsole.screens.presence import Dialog
from optconsole.screens.theming import Look
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon


class ThemePicker(Dialog[None]):
    """A short list with a sample of the colours that matter."""

    BINDINGS = [
        Binding("escape,q", "back", "Back", tooltip="The theme as it was.", id="theme.back"),
        Binding("enter", "keep", "Keep", tooltip="Keep this theme.", id="theme.keep", priority=True),
    ]
    DEFAULT_CSS = """
    ThemePicker #detail {
        width: 52; max-width: 96%; height: auto; max-height: 90%; padding: 0 2; margin: 0 2;
        background: $background; border: round $quiet;
    }
    ThemePicker QuoteGrid { height: 10; margin: 1 0; }
    """

    def __init__(self, looks: Mapping[str, Look], present: str) -> None:
        super().__init__()
        self._looks = looks
        self._before = present

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Ribbon(2, id="detail-head")
            yield QuoteGrid(
                [
                    Column("Theme", 14, str, "strong", align="left"),
                    Column("", 20, str, "dim", align="left", grow=20),
                ]
            )
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        # what is picked is the screen beneath, so nothing dims it and little covers it
        self.styles.align = ("right", "bottom")
        self.styles.background = "transparent"
        sample = [
            Part("+1,250 ", "up"),
            Part("-980 ", "down"),
            Part(" BUY ", "buy"),
            Part("SELL ", "sell"),
            Part("stale ", "stale"),
            Part("warn ", "warn"),
            Part(" LIVE ", "live"),
        ]
        self.query_one("#detail-head", Ribbon).show(([Part("Themes", "title")], []), (sample, []))
        keys = [Part("Enter", "key"), Part(" keep  ", "dim"), Part("Esc", "key"), Part(" as it was", "dim")]
        self.query_one("#detail-keys", Ribbon).show((keys, []))
        grid = self.query_one(QuoteGrid)
        grid.set_rows([Row(name, [name, look.title]) for name, look in sorted(self._looks.items())])
        grid.move_to(self._before)
        grid.focus()

    @on(QuoteGrid.CursorMoved)
    def _wear(self, event: QuoteGrid.CursorMoved) -> None:
        self.app.theme = event.key

    def action_keep(self) -> None:
        self.dismiss(None)

    def action_back(self) -> None:
        self.app.theme = self._before
        self.dismiss(None)
