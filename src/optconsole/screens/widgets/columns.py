"""Columns and rows of a quote grid, as data, and which columns fit a width."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from optconsole.screens.widgets.cells import Align, fit

BLANK: Final = ""
"""The value of a cell that shows nothing; None is unknown and shows as such."""


class Marked:
    """A figure shown in a role of its own: the same as a plain one in number, and yet another value to show."""

    role: ClassVar[str] = ""


class MarkedInt(Marked, int):
    """A whole figure so marked."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and int(self) == int(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return int.__hash__(self)


class Aged(MarkedInt):
    """A figure that is not of this moment."""

    role = "stale"


class Failing(MarkedInt):
    """A level that is not kept at this moment."""

    role = "bad"


class AgedRatio(Marked, float):
    """What follows from figures that are not of this moment."""

    role = "stale"

    def __eq__(self, other: object) -> bool:
        return type(other) is AgedRatio and float(self) == float(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return float.__hash__(self)


def aged(value: float | None) -> Aged | AgedRatio | None:
    """The figure as one that is not of this moment; unknown stays unknown."""
    if value is None:
        return None
    return Aged(value) if isinstance(value, int) else AgedRatio(value)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``format`` makes text of a value, ``role`` (a name, or a function of the value) its colour.

    ``priority`` 0 always shows, the highest leaves first on a narrow terminal. ``direction`` colours by the last
    change, ``flash`` marks a change for a moment. ``zone`` names the side of the grid that the cursor can select.
    ``grow`` is how many cells it may gain where there is room.
    """

    title: str
    width: int
    format: Callable[[Any], str]
    role: str | Callable[[Any], str] = ""
    align: Align = "right"
    priority: int = 0
    direction: bool = False
    flash: bool = False
    zone: str = ""
    grow: int = 0


@dataclass(slots=True)
class Row:
    """One row: a value per column. ``kind`` is the role it stands on (``group``, ``alarm``, ``atm`` …).

    ``shades`` gives zones a ground of their own, ``find`` is the text that filtering looks at.
    """

    key: str
    values: Sequence[Any]
    kind: str = ""
    shades: Mapping[str, str] = field(default_factory=dict)
    find: str = ""


class LiveRow:
    """A row in the grid: its values and the cells formatted so far. None marks a cell to be formatted."""

    __slots__ = ("cells", "flashing", "row", "trends", "values")

    def __init__(self, row: Row, width: int) -> None:
        self.row = row
        self.values = list(row.values)
        self.cells: list[tuple[str, str] | None] = [None] * width
        self.trends: list[str] = [""] * width
        self.flashing: set[int] = set()

    def take(self, values: Sequence[Any], columns: Sequence[Column]) -> int:
        """Take over new values and forget the cells that changed; the last of them by index, -1 when none did."""
        changed = -1
        old = self.values
        for index, value in enumerate(values):
            before = old[index]
            if value == before:
                continue
            changed = index
            old[index] = value
            self.cells[index] = None
            column = columns[index]
            if column.direction:
                known = value is not None and before is not None and value != BLANK and before != BLANK
                known = known and int(value) != int(before)
                self.trends[index] = ("up" if value > before else "down") if known else ""
            if column.flash and before is not None and not isinstance(value, Marked):
                self.flashing.add(index)
        return changed

    def forget(self) -> None:
        """Format every cell again."""
        self.cells = [None] * len(self.cells)

    def format(self, index: int, column: Column, width: int) -> tuple[str, str]:
        """Text of exactly ``width`` and its role, kept in ``cells``."""
        value = self.values[index]
        if value == BLANK:
            made = (" " * width, "")
        else:
            role = column.role if isinstance(column.role, str) else column.role(value)
            shown = value.role if isinstance(value, Marked) else self.trends[index] or role
            made = (fit(column.format(value), width, column.align), shown)
        self.cells[index] = made
        return made


def choose(columns: Sequence[Column], width: int, gap: int = 1) -> list[int]:
    """Indices of the columns that fit: the highest priority numbers leave first, columns of priority 0 never do."""
    kept = list(range(len(columns)))

    def needed() -> int:
        return sum(columns[index].width + gap for index in kept)

    while needed() > width:
        worst = max((columns[index].priority for index in kept), default=0)
        if worst == 0:
            break
        kept = [index for index in kept if columns[index].priority != worst]
    return kept


def widths(columns: Sequence[Column], kept: Sequence[int], width: int, gap: int = 1) -> dict[int, int]:
    """The width of each kept column: what is over goes to the columns that may grow, evenly."""
    found = {index: columns[index].width for index in kept}
    over = width - sum(size + gap for size in found.values())
    growing = [index for index in kept if columns[index].grow]
    while over > 0 and growing:
        for index in tuple(growing):
            if over <= 0:
                break
            if found[index] >= columns[index].width + columns[index].grow:
                growing.remove(index)
                continue
            found[index] += 1
            over -= 1
    return found
