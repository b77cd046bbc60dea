"""What of the frame needs no engine and so stands in the first paint: tabs, the line for facts, the footer of keys.

Nothing here may import the engine's state: the program's first paint would wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from optconsole.screens.key import Key
from optconsole.screens.keymap import Keymap
from optconsole.screens.keys import MODE_NUMBERS
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Ribbon


class Tabs(Ribbon):
    """The screens by number, drawn as the frame's top edge in the mode's colour."""

    def __init__(self, active: str, *, ascii: bool) -> None:
        super().__init__(1, id="tabs")
        self._active = active
        self._glyphs = ("+", "+", "+", "-") if ascii else ("┌", "┬", "┐", "─")
        self._edge = "dim"

    def activate(self, name: str) -> None:
        """Show another screen as the present one."""
        self._active = name
        self._draw()

    def edge(self, role: str) -> None:
        """Draw the edge in a role; before the mode is known it is quiet."""
        self._edge = role
        self._draw()

    def _draw(self) -> None:
        left, between, right, rule = self._glyphs
        edge = self._edge
        parts = [Part(left, edge)]
        for place, (name, number) in enumerate(MODE_NUMBERS.items()):
            here = name == self._active
            if place:
                parts.append(Part(between, edge))
            parts.append(Part(f" {number} ", "accent" if here else "dim"))
            parts.append(Part(f"{name.capitalize()} ", "title" if here else "dim"))
            parts.append(Part(rule, edge))
        fill = self.size.width - sum(len(part.text) for part in parts) - 1
        self.show((parts, [Part(rule * max(fill, 0) + right, edge)]))

    def on_resize(self) -> None:
        super().on_resize()
        self._draw()


class SayLine(Ribbon):
    """One line for a sentence of the console's own."""

    def __init__(self) -> None:
        super().__init__(1, id="fact")

    def say(self, text: str, role: str = "") -> None:
        """Show a sentence."""
        self.show(([Part(f" {text}", role)], []))


class KeyLine(Ribbon):
    """The keys that do something here."""

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(1, id="keys")
        self._keymap = keymap

    def offer(self, keys: Sequence[Key]) -> None:
        """Show these keys; on a narrow terminal the last ones leave first, and help never."""
        keymap = self._keymap
        parts: list[Part] = [Part(" ")]
        for place, key in enumerate(keys, start=1):
            drop = 0 if key.id == "help" else place
            parts += [Part(keymap.shown(key), "key", drop), Part(f" {key.description}  ", "dim", drop)]
        self.show((parts, [Part(f"{keymap.kill_chord()} KILL ", "down")]))
