"""A terminal too small to show what a key would do: there only leaving and the kill switch work.

Imported before the first frame, so nothing here may need the engine's words.
"""

from __future__ import annotations

from typing import Final

from textual import events
from textual.geometry import Size
from textual.screen import ModalScreen, Screen

from optconsole.screens.keymap import Keymap
from optconsole.screens.keys import KEYS
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Ribbon

SMALLEST: Final = (60, 15)
"""Columns and rows of the least terminal that is used."""
ALWAYS: Final = ("kill", "leave")
"""Ids of the keys that work in any size; Esc is the third."""


def too_small(size: Size) -> bool:
    """Whether the terminal shows less than a screen needs."""
    return size.width < SMALLEST[0] or size.height < SMALLEST[1]


def too_small_text(size: Size) -> str:
    """One sentence for what cannot be shown."""
    return f" {size.width}×{size.height} is too small; {SMALLEST[0]}×{SMALLEST[1]} shows the least."


def ignored(event: events.Event, size: Size, keymap: Keymap) -> bool:
    """Whether an input must do nothing in a terminal of this size: no dialog may open or send unseen."""
    if not isinstance(event, (events.InputEvent, events.Paste)) or not too_small(size):
        return False
    working = {name.strip() for key in KEYS if key.id in ALWAYS for name in keymap.keys(key).split(",")}
    return not (isinstance(event, events.Key) and (event.key == "escape" or event.key in working))


async def cover(screen: Screen[object], size: Size) -> None:
    """Put the sentence over a dialog while the terminal is too small for it, and take it away again."""
    if not isinstance(screen, ModalScreen):
        return
    small = too_small(size)
    screen.set_class(small, "-too-small")
    if not small:
        return
    if not screen.query("#too-small"):
        sentence = Ribbon(id="too-small")
        sentence.styles.height = "100%"
        await screen.mount(sentence)
    screen.query_one("#too-small", Ribbon).show(([Part(too_small_text(size), "warn")], []))
