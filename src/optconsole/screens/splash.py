"""The first frame: painted before the engine is even imported, and the place for what goes wrong then."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen

from optconsole import __version__
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Ribbon


class Splash(Screen[None]):
    """Says what is being done until there is an engine."""

    def __init__(self, doing: str) -> None:
        super().__init__(name="splash")
        self._doing = doing

    def compose(self) -> ComposeResult:
        with Vertical(id="splash"):
            yield Ribbon(3, id="splash-text")

    def on_mount(self) -> None:
        self.tell(self._doing)

    def tell(self, text: str, role: str = "dim") -> None:
        """Say what is being done now."""
        self.query_one("#splash-text", Ribbon).show(
            ([Part("optconsole", "title"), Part(f" {__version__}", "dim")], []),
            ([], []),
            ([Part(text, role)], []),
        )
