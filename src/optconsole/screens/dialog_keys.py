"""The line of keys at the foot of a dialog, from the table that dispatches them."""

from __future__ import annotations

from collections.abc import Iterable

from optconsole.screens.key import Key
from optconsole.screens.keymap import Keymap
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line


def key_line(keymap: Keymap, keys: Iterable[Key]) -> Line:
    """Each key with what it does; where the dialog is narrow the last ones leave first, the one that closes never."""
    parts: list[Part] = []
    for place, key in enumerate(keys, start=1):
        drop = 0 if key.id.endswith(".close") else place
        parts += [Part(keymap.shown(key), "key", drop), Part(f" {key.description}  ", "dim", drop)]
    return parts, []
