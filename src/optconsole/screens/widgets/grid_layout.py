"""Where the columns of a grid stand: which fit, how wide each is, where the first begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from optconsole.screens.widgets.columns import Column, choose, widths


@dataclass(frozen=True, slots=True)
class GridLayout:
    """Shown columns by index with their widths; ``edges`` are the cells up to and including each column."""

    shown: tuple[int, ...] = ()
    widths: Mapping[int, int] = field(default_factory=dict)
    edges: Mapping[int, int] = field(default_factory=dict)
    margin: int = 0

    @property
    def used(self) -> int:
        """Cells of margin and columns together."""
        return self.margin + sum(size + 1 for size in self.widths.values())

    def column_at(self, x: int) -> int | None:
        """The column at a cell of the row."""
        return next((index for index in self.shown if x < self.edges[index]), None)


def lay_out(columns: Sequence[Column], room: int, frozen: int, offset: int, centred: bool) -> GridLayout:
    """Columns that fit into ``room`` cells, ``offset`` of those behind the frozen ones being scrolled away."""
    kept = choose(columns, room)
    if offset:
        kept = [*kept[:frozen], *kept[frozen + offset :]]
    fitting: list[int] = []
    used = 0
    for index in kept:
        used += columns[index].width + 1
        if used > room and fitting:
            break
        fitting.append(index)
    sizes = widths(columns, fitting, room)
    margin = max((room - sum(size + 1 for size in sizes.values())) // 2, 0) if centred else 0
    edges: dict[int, int] = {}
    edge = margin
    for index in fitting:
        edge += sizes[index] + 1
        edges[index] = min(edge, room)
    return GridLayout(tuple(fitting), sizes, edges, margin)


def offset_limit(columns: Sequence[Column], room: int, frozen: int) -> int:
    """How many columns can be scrolled away; none where all of them fit."""
    kept = choose(columns, room)
    if sum(columns[index].width + 1 for index in kept) <= room:
        return 0
    return len(kept) - frozen - 1
