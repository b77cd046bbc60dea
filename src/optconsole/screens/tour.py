"""The first start's one page, over a market that already moves."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from optconsole.screens.deck import Deck
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line, Ribbon

SEEN_FILE: Final = "tour.seen"
_STEPS: Final = (
    ("1 2 3 6 8 9", "positions, chain, orders, risk, journal, health"),
    ("arrows", "move; left and right choose calls or puts in the chain"),
    ("b  s", "buy or sell what is selected; checks show first"),
    ("x  p", "exit what the selected row holds; guard it with a stop"),
    ("c  m", "cancel or change the selected order"),
    (":", "type it instead, such as :sell 2 NIFTY 24500 CE mkt"),
    ("?", "every key of the screen you are on"),
    ("^X ^X", "KILL: cancel everything, flatten, refuse new risk"),
)


def first_time(home: Path) -> bool:
    """Whether nobody has closed the tour in this home yet."""
    return home.is_dir() and not (home / SEEN_FILE).exists()


class Tour(Dialog[None]):
    """One page; Enter leaves it for good. Any other key leaves it too and then does what it does."""

    DEFAULT_CSS = """
    Tour #dialog { width: 80; }
    """

    def __init__(self, deck: Deck, home: Path) -> None:
        super().__init__()
        self.deck = deck
        self._home = home

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Ribbon(len(_STEPS) + 3, id="dialog-text")
            yield Ribbon(id="dialog-keys")

    def on_mount(self) -> None:
        world = "a practice market with paper money" if self.deck.mode == "paper" else f"{self.deck.mode.upper()} mode"
        lines: list[Line] = [
            ([Part("Welcome.", "title"), Part(f" Behind this page runs {world}.", "")], []),
            ([Part("The frame's colour is the mode: teal paper, magenta real money.", "dim")], []),
            ([], []),
            *[([Part(f"{keys:<12}", "key"), Part(text)], []) for keys, text in _STEPS],
        ]
        self.query_one("#dialog-text", Ribbon).show(*lines)
        self.query_one("#dialog-keys", Ribbon).show(([Part("Enter", "key"), Part(" begin", "dim")], []))

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.remember()
        self.dismiss(None)
        if event.key not in ("enter", "escape", "space"):
            self.app.call_later(self.app.simulate_key, event.key)

    def remember(self) -> None:
        """Note in the home that the tour was seen; a home that cannot be written shows it again."""
        try:
            (self._home / SEEN_FILE).touch()
        except OSError as error:
            self.log.warning(f"the tour will show again: {error}")
