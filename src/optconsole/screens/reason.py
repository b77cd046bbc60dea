"""Asks for a reason in the trader's own words, which then stands in the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input

from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line, Ribbon

LONGEST: Final = 200


class Reason(Dialog[str]):
    """Answers with the text, never an empty one; None when it is left."""

    BINDINGS = [Binding("escape", "leave", "No", tooltip="Leave everything as it is.", id="reason.no")]

    def __init__(self, title: str, lines: Sequence[Line], hint: str) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._hint = hint

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Ribbon(len(self._lines) + 2, id="dialog-text")
            yield Input(id="dialog-word", placeholder=self._hint, max_length=LONGEST)
            yield Ribbon(id="dialog-keys")

    def on_mount(self) -> None:
        self.query_one("#dialog-text", Ribbon).show(([Part(self._title, "title")], []), ([], []), *self._lines)
        keys = [Part("Enter", "key"), Part(" goes on   ", "dim"), Part("Esc", "key")]
        keys.append(Part(" leaves everything as it is", "dim"))
        self.query_one("#dialog-keys", Ribbon).show((keys, []))
        self.query_one(Input).focus()

    def action_leave(self) -> None:
        self.dismiss(None)

    @on(Input.Submitted, "#dialog-word")
    def _typed(self, event: Input.Submitted) -> None:
        if text := event.value.strip():
            self.dismiss(text)
