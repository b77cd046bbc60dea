"""The last guard of ``--ascii``: whatever a widget draws leaves as ASCII, in as many cells."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_LIKE: Final[dict[str, str]] = {
    "-": "─━╌╍═–—−▁▔▂▃",
    "|": "│┃║▏▕▎",
    "+": "┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛┣┫┳┻╋✓",
    "#": "█▐▌▍▋▊▉▆▇▄▀▅",
    "^": "▲↑△",
    "v": "▼↓▾▽",
    ">": "▸▶→›",
    "<": "◂◀←‹",
    "*": "●★",
    "o": "○◦◯",
    "~": "…≈◐",
    "x": "×✗✕",
    ".": "·•",
    "!": "⚑",
    "R": "₹",
    "'": "‘’",
    '"': "“”",
    " ": "\u00a0",
}
_TABLE: Final = {ord(char): plain for plain, chars in _LIKE.items() for char in chars}


@lru_cache(maxsize=4096)
def as_ascii(text: str) -> str:
    """``text`` in ASCII with the same width; what has no likeness becomes a question mark a cell."""
    if text.isascii():
        return text
    text = text.translate(_TABLE)
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in text)


class AsciiFilter(LineFilter):
    """Turns every segment into ASCII; styles and control codes stay."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(as_ascii(text), style, control) for text, style, control in segments]
