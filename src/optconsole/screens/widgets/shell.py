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
        """All names with a rule between them; where they do not fit, closer; on a narrow terminal, numbers alone."""
        left, _between, right, rule = self._glyphs
        for roomy, named in ((True, True), (False, True), (False, False)):
            parts = self._parts(roomy, named)
            used = sum(len(part.text) for part in parts)
            if used + 2 <= self.size.width:
                break
        rest = rule * max(self.size.width - used - 2, 0) + right
        self.show(([Part(left, self._edge), *parts, Part(rest, self._edge)], []))

    def _parts(self, roomy: bool, named: bool) -> list[Part]:
        _left, between, _right, rule = self._glyphs
        parts: list[Part] = []
        for place, (name, number) in enumerate(MODE_NUMBERS.items()):
            here = name == self._active
            if place:
                parts.append(Part(between, self._edge))
            shown = f"{name.capitalize()} " if named or here else ""
            blank = " " if roomy or not shown else ""
            parts.append(Part(f"{blank}{number} ", "accent" if here else "dim"))
            parts.append(Part(shown if roomy else shown.rstrip(), "title" if here else "dim"))
            if roomy:
                parts.append(Part(rule, self._edge))
        return parts

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
