"""Pasted text made harmless before it is read as keys."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.text import unseen

PASTE_BEGINS: Final = "\x1b[200~"
PASTE_ENDS: Final = "\x1b[201~"
LONGEST_PASTE: Final = 4_000
"""Characters of one paste that are kept: more than any field of ours can use."""
_KEPT: Final = "\n\r\t"
_MARK: Final = "\ufffd"


class PasteGate:
    """Stands between the terminal and the parser of keys.

    Textual's parser takes an escape character inside a bracketed paste for the start of a key and then gives what
    follows as keys. So inside a paste only its end may begin with one; every other invisible character becomes a mark.
    """

    def __init__(self) -> None:
        self._pasting = False
        self._tail = ""
        self._room = 0

    def clean(self, text: str) -> str:
        """What the parser may read of ``text``; marks of a paste may be cut anywhere between two calls."""
        cleaned: list[str] = []
        while text:
            piece, text = self._paste(text) if self._pasting else self._keys(text)
            cleaned.append(piece)
        return "".join(cleaned)

    def _keys(self, text: str) -> tuple[str, str]:
        """Keys go on at once, as an Esc must not wait for what may follow it; only the beginning is remembered."""
        known = self._tail + text
        place = known.find(PASTE_BEGINS)
        if place < 0:
            self._tail = known[1 - len(PASTE_BEGINS) :]
            return text, ""
        taken = place + len(PASTE_BEGINS) - len(self._tail)
        self._pasting, self._tail, self._room = True, "", LONGEST_PASTE
        return text[:taken], text[taken:]

    def _paste(self, text: str) -> tuple[str, str]:
        """Pasted text, marked; what may be the beginning of the paste's end waits for the rest."""
        known = self._tail + text
        inside, end, after = known.partition(PASTE_ENDS)
        if end:
            self._pasting, self._tail = False, ""
            return self._kept(inside) + end, after
        waiting = next((size for size in range(len(PASTE_ENDS) - 1, 0, -1) if known.endswith(PASTE_ENDS[:size])), 0)
        self._tail = known[len(known) - waiting :]
        return self._kept(known[: len(known) - waiting]), ""

    def _kept(self, text: str) -> str:
        kept = text[: self._room]
        self._room -= len(kept)
        return "".join(_MARK if unseen(char) and char not in _KEPT else char for char in kept)
