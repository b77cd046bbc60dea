"""Text laid into cells of a fixed width, safely: what would move the cursor becomes visible marks first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from optconsole.engine.model.text import display

Align = Literal["left", "right", "center"]


_UNUSUAL: Final = re.compile("[^\x20-\u02ff\u2010-\u205e\u20a0-\u20bf\u2190-\u27ff]")
"""What is neither Latin nor one of the signs that we draw with: it may combine, or show nothing."""


def safe(text: str) -> str:
    """The text itself when every character is visible, else with marks for those that are not."""
    if text.isprintable() and (text.isascii() or not _UNUSUAL.search(text)):
        return text
    return display(text)


def fit(text: str, width: int, align: Align = "left", ellipsis: str = "…") -> str:
    """``text`` in exactly ``width`` terminal cells; what does not fit is cut and says so."""
    text = safe(text)
    size = len(text) if text.isascii() else cell_len(text)
    if size > width:
        return set_cell_size(text, max(width - 1, 0)) + ellipsis if width > 0 else ""
    gap = width - size
    if align == "right":
        return " " * gap + text
    if align == "center":
        return " " * (gap // 2) + text + " " * (gap - gap // 2)
    return text + " " * gap


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line. ``drop`` 0 always stays; of the others those of the highest number leave first, together."""

    text: str
    role: str = ""
    drop: int = 0


def lay(left: Sequence[Part], right: Sequence[Part], width: int, gap: int = 2) -> tuple[list[Part], int, list[Part]]:
    """Parts that fit into ``width`` with at least ``gap`` cells between the sides, and the cells between them.

    When even the parts that always stay are too long, the last of the left side is cut and says so.
    """
    one, two = list(left), list(right)

    def free() -> int:
        used = sum(cell_len(safe(part.text)) for part in (*one, *two))
        return width - used - (gap if two else 0)

    while free() < 0:
        worst = max((part.drop for part in (*one, *two)), default=0)
        if worst == 0:
            break
        one, two = ([part for part in side if part.drop != worst] for side in (one, two))
    if (over := -free()) > 0 and one:
        last = one[-1]
        one[-1] = Part(fit(last.text, max(cell_len(safe(last.text)) - over, 0)), last.role)
    between = width - sum(cell_len(safe(part.text)) for part in (*one, *two))
    return one, max(between, 0), two


def segments(parts: Sequence[tuple[str, Style]]) -> list[Segment]:
    """Segments with neighbours that look the same joined: each style change costs some thirty bytes on the wire."""
    joined: list[Segment] = []
    text = ""
    style: Style | None = None
    for piece, own in parts:
        if own is style or (style is not None and piece.isspace() and _same_ground(own, style)):
            text += piece
            continue
        if text:
            joined.append(Segment(text, style))
        text, style = piece, own
    if text:
        joined.append(Segment(text, style))
    return joined


def _same_ground(one: Style, two: Style) -> bool:
    """Whether blanks look the same in both styles."""
    lines = one.underline or two.underline or one.strike or two.strike
    return one.bgcolor == two.bgcolor and not (lines or one.reverse or two.reverse)
