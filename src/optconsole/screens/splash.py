"""The first frame: painted before the engine is even imported, and the place for what goes wrong then."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from optconsole import __version__
from optconsole.screens.framed import FramedScreen
from optconsole.screens.keymap import Keymap, bindings
from optconsole.screens.keys import MODE_NUMBERS
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Ribbon
from optconsole.screens.widgets.shell import KeyLine, SayLine, Tabs

QUIT = "quit"
WORKING = frozenset({QUIT, *(f"screen.{name}" for name in MODE_NUMBERS)})
"""Ids of the global keys that do something without an engine."""


class Splash(FramedScreen):
    """The frame without figures; says what is being done until there is an engine."""

    BINDINGS = bindings("global", only=WORKING)

    def __init__(self, doing: str, first: str, keymap: Keymap, *, ascii: bool) -> None:
        super().__init__(name="splash")
        self._doing = doing
        self._first = first
        self._keymap = keymap
        self._ascii = ascii

    def compose(self) -> ComposeResult:
        yield Ribbon(2, id="header")
        yield Tabs(self._first, ascii=self._ascii)
        yield Vertical(id="body")
        yield SayLine()
        yield KeyLine(self._keymap)

    def on_mount(self) -> None:
        self.query_one("#header", Ribbon).show(([Part(" optconsole", "title"), Part(f" {__version__}", "dim")], []))
        self.query_one(KeyLine).offer([key for key in self._keymap.of("global") if key.id == QUIT])
        self.say(self._doing, "dim")

    def choose(self, name: str) -> None:
        """Show which screen will open first."""
        self.query_one(Tabs).activate(name)
