"""Text from outside made safe to show: no control byte, no direction trick, no flood."""

from __future__ import annotations

import unicodedata
from typing import Final

SHOWN_LENGTH: Final = 300
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def display(text: str, limit: int = SHOWN_LENGTH) -> str:
    """Outside text as visible characters only.

    Control, escape, bidirectional, zero-width and unassigned characters become marks such as ``\\x1b``, so that
    nothing a broker or a file says can move the cursor, reorder a line or hide; longer text ends in an ellipsis.
    """
    shown = "".join(_mark(char) if unicodedata.category(char) in _INVISIBLE else char for char in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _mark(char: str) -> str:
    point = ord(char)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
