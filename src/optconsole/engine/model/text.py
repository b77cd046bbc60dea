"""Text from outside made safe to show: no control byte, no direction trick, no flood."""

from __future__ import annotations

import unicodedata
from typing import Final

SHOWN_LENGTH: Final = 300
MOST_MARKS: Final = 4
"""Combining marks on one character; Indian scripts need three, a flood of them paints over other lines."""
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_COMBINING: Final = frozenset({"Mn", "Me", "Mc"})
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Letters, marks and one symbol that show nothing; Unicode calls most of them default ignorable."""


def display(text: str, limit: int = SHOWN_LENGTH) -> str:
    """Outside text as visible characters only.

    Control, escape, bidirectional, zero-width and unassigned characters become marks such as ``\\x1b``, so that
    nothing a broker or a file says can move the cursor, reorder a line or hide; longer text ends in an ellipsis.
    Of a flood of combining marks the first few stay on their character.
    """
    shown: list[str] = []
    marks = 0
    for char in text[: limit + 1]:
        marks = marks + 1 if unicodedata.category(char) in _COMBINING else 0
        if unseen(char):
            shown.append(_mark(char))
        elif marks <= MOST_MARKS:
            shown.append(char)
    whole = "".join(shown)
    # cut by what was given as well: a flood that leaves little to show is still too long
    return whole if len(whole) <= limit and len(text) <= limit else whole[: limit - 1] + "…"


def unseen(char: str) -> bool:
    """Whether a character shows nothing by itself, or makes others show differently."""
    return unicodedata.category(char) in _INVISIBLE or char in _BLANK or "\ufe00" <= char <= "\ufe0f"


def _mark(char: str) -> str:
    point = ord(char)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
