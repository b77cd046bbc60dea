"""A broker's row as lines a person can read. Pure, and as hostile as a broker can be."""

from __future__ import annotations

from typing import Final

import msgspec

from optconsole.engine.model.text import display

MOST: Final = 20_000
"""Characters of a row that are shown; what a broker says may be a whole web page."""


def pretty(row: str, width: int) -> list[str]:
    """A row's JSON indented, every line at most ``width`` long and safe to show; what is no JSON as it stands."""
    try:
        text = msgspec.json.format(row[:MOST] if len(row) > MOST else row, indent=2)
    except msgspec.DecodeError:
        text = row[:MOST]
    return [piece for line in text.split("\n") for piece in _cut(display(line, MOST), width)]


def _cut(line: str, width: int) -> list[str]:
    """Pieces of a long line; those after the first stand a little to the right."""
    indent = " " * (len(line) - len(line.lstrip(" ")) + 4)
    pieces, rest = [line[:width]], line[width:]
    room = max(width - len(indent), 10)
    while rest:
        pieces.append(indent + rest[:room])
        rest = rest[room:]
    return pieces
