"""The confirmation: what will happen in words, and how much it takes to say yes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from textual import events, on
from textual._time import get_time
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input

from optconsole.screens.presence import Dialog
from optconsole.screens.presses import Presses
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line, Ribbon

ANSWERS: Final = frozenset({"y", "enter"})


class Confirm(Dialog[bool]):
    """Asks before something that matters. Answers True only for a deliberate yes.

    ``y`` confirms, ``Enter`` too where ``easy`` (what reduces risk); with ``word`` that word must be typed. A key
    that was pressed before the question could be read, or only repeats one that was, is no answer to it.
    """

    BINDINGS = [
        Binding("escape,n,q", "refuse", "No", tooltip="Leave everything as it is.", id="confirm.no"),
        Binding("y", "accept", "Yes", tooltip="Do it.", id="confirm.yes"),
        Binding("enter", "accept_easily", "Yes", tooltip="Do it.", id="confirm.enter"),
    ]

    def __init__(self, title: str, lines: Sequence[Line], *, easy: bool = False, word: str = "") -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._easy = easy
        self._word = word
        self._shown_at = math.inf

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = None
            yield Ribbon(len(self._lines) + 2, id="dialog-text")
            if self._word:
                yield Input(id="dialog-word", placeholder=f"type {self._word}")
            yield Ribbon(id="dialog-keys")

    def on_mount(self) -> None:
        title: Line = ([Part(self._title, "title")], [])
        self.query_one("#dialog-text", Ribbon).show(title, ([], []), *self._lines)
        if self._word:
            keys = [Part(self._word, "key"), Part(" and Enter do it   ", "dim")]
            self.query_one(Input).focus()
        else:
            keys = [Part("y", "key"), Part(" or Enter do it   " if self._easy else " does it   ", "dim")]
        keys += [Part("Esc", "key"), Part(" leaves everything as it is", "dim")]
        self.query_one("#dialog-keys", Ribbon).show((keys, []))
        self.call_after_refresh(self._shown)

    def _shown(self) -> None:
        self._shown_at = get_time()

    def on_key(self, event: events.Key) -> None:
        if self._word or event.key not in ANSWERS:
            return
        early = event.time < self._shown_at
        if early or _presses(self).repeats(event.key, event.time):
            event.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a word is asked for, no single key may answer."""
        return not (self._word and action in ("accept", "accept_easily"))

    def action_refuse(self) -> None:
        self.dismiss(False)

    def action_accept(self) -> None:
        self.dismiss(True)

    def action_accept_easily(self) -> None:
        if self._easy:
            self.dismiss(True)

    @on(Input.Submitted, "#dialog-word")
    def _typed(self, event: Input.Submitted) -> None:
        if event.value.strip() == self._word:
            self.dismiss(True)
        else:
            event.input.value = ""


def _presses(screen: Confirm) -> Presses:
    return getattr(screen.app, "presses", Presses())
