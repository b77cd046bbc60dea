"""The streaming table: rows that come, change, are narrowed and sorted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from textual.geometry import Region, Size

from optconsole.screens.widgets.arrangement import arrange
from optconsole.screens.widgets.columns import Column, LiveRow, Row
from optconsole.screens.widgets.flashes import MOST
from optconsole.screens.widgets.painted_grid import PaintedGrid, Read


class QuoteGrid(PaintedGrid):
    """A table of fixed columns for values that change many times a second.

    ``set_rows`` gives the rows, ``apply`` new values of some of them: one refresh, visible rows only; ``touch`` does
    so without making values that nobody sees. The first
    ``frozen`` columns stay while the rest moves sideways; ``pinned`` rows stay at the bottom.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        frozen: int = 1,
        centred: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(columns, frozen=frozen, centred=centred, id=id, classes=classes)
        self._natural: list[Row] = []
        self._left = ("", 0.0)
        self._landed: str | None = None
        self.needle = ""
        self.applies = 0

    # ------------------------------------------------------------ content

    def set_columns(self, columns: Sequence[Column], rows: Sequence[Row], pinned: Sequence[Row] = ()) -> None:
        """Change the columns, and with them every row."""
        self._columns = tuple(columns)
        self._offset = 0
        self.sort_column = None
        self._rows.clear()
        self._measure()
        self.set_rows(rows, pinned)

    def set_rows(self, rows: Sequence[Row], pinned: Sequence[Row] = ()) -> None:
        """Show these rows. The cursor stays on its row where that still exists."""
        self._natural = list(rows)
        self._owed.clear()
        before, live = self._rows, {}
        for row in (*rows, *pinned):
            old = before.get(row.key)
            fresh = LiveRow(row, len(self._columns))
            if old is not None:
                fresh.trends = old.trends
            live[row.key] = fresh
        self._rows = live
        self._pinned = [row.key for row in pinned]
        self._rearrange()

    def apply(self, changes: Mapping[str, Sequence[Any]]) -> int:
        """Take new values of rows by key; cells are formatted only when their row is next painted.

        Returns how many visible rows became dirty; they are refreshed in one call.
        """
        return self.touch(changes, changes.__getitem__, hidden=True)

    def touch(self, keys: Iterable[str], read: Read, *, hidden: bool = False) -> int:
        """As ``apply`` for rows whose values ``read`` makes: of visible rows now, of others once they are looked at.

        With ``hidden`` the values of all of them are taken now.
        """
        self.applies += 1
        dirty: list[Region] = []
        lit: dict[str, set[int]] = {}
        # one look at the geometry for all rows: asking Textual for it costs more than the row does
        line_of, room, edges = self._liner(), self._room, self._laid.edges
        for key in keys:
            if (live := self._rows.get(key)) is None:
                continue
            y = line_of(key)
            if y is None and not hidden:
                self._owed[key] = read
                continue
            self._owed.pop(key, None)
            if (last := live.take(read(key), self._columns)) < 0:
                continue
            self._strips.pop(key, None)
            if y is not None:
                if live.flashing:
                    lit[key], live.flashing = live.flashing, set()
                # the compositor sends a row from its left edge up to where it is dirty, so the rest stays unsent
                dirty.append(Region(0, y, edges.get(last, room), 1))
        if self.flashing and 0 < len(lit) <= MOST:
            self._flash(lit)
        if dirty:
            self.refresh(*dirty)
        return len(dirty)

    def shade(self, key: str, kind: str, shades: Mapping[str, str] | None = None) -> None:
        """Put a row on another ground."""
        live = self._rows.get(key)
        if live is None:
            return
        live.row.kind = kind
        if shades is not None:
            live.row.shades = shades
        self._repaint(key)

    def narrow(self, needle: str) -> None:
        """Show only rows whose text contains ``needle``; empty shows all, with the cursor back where it was.

        A row that was kept, or that the trader has moved to, keeps the cursor.
        """
        if needle == self.needle:
            return
        if not self.needle:
            self._left = (self.cursor_key or "", self.scroll_y)
        here, self.needle = self.cursor_key, needle
        self._rearrange()
        if needle:
            self._landed = self.cursor_key
            return
        key, top = self._left
        if here in (None, self._landed) and key in self._place:
            self._cursor = self._place[key]
            self.scroll_to(y=top, animate=False, force=True)
            self._announce()
        self.call_after_refresh(self._scroll_into_view)

    def keep(self) -> None:
        """The row that finding has led to is the one that was looked for."""
        self._landed = ""

    def sort_by(self, column: int | None, reverse: bool = False) -> None:
        """Order the rows of each group by a column as it is now; values that move later do not move rows."""
        self.sort_column, self.sort_reverse = column, reverse
        self._rearrange()

    def dim(self, dimmed: bool) -> None:
        """Show every figure in the quiet colour: none of them is of this moment."""
        if dimmed != self._dimmed:
            self._dimmed = dimmed
            self._forget()

    def cycle_sort(self) -> str | None:
        """Sort by the next shown column, after the last by none; returns its title, empty for the natural order."""
        at = self._laid.shown.index(self.sort_column) if self.sort_column in self._laid.shown else -1
        if at + 1 >= len(self._laid.shown):
            self.sort_by(None)
            return ""
        column = self._laid.shown[at + 1]
        sample = next((live.values[column] for live in self._rows.values() if live.values[column]), None)
        self.sort_by(column, reverse=isinstance(sample, int | float))
        return self._columns[column].title

    def _rearrange(self) -> None:
        key = self.cursor_key
        for row in self._natural:
            row.values = self._live(row.key).values
        shown = arrange(self._natural, self.needle, self.sort_column, self.sort_reverse)
        self._order = [row.key for row in shown]
        self._place = {row_key: index for index, row_key in enumerate(self._order)}
        self._cursor = self._place.get(key or "", min(self._cursor, max(len(self._order) - 1, 0)))
        self.virtual_size = Size(self._room, len(self._order) + 1 + len(self._pinned))
        self._forget()

    # ------------------------------------------------------------ reading

    @property
    def columns_shown(self) -> list[str]:
        """Titles of the columns that fit."""
        return [self._columns[index].title for index in self._laid.shown]

    def row_text(self, key: str) -> str:
        """What a row says, for tests: its shown cells joined by one space."""
        live = self._live(key)
        shown = (live.format(i, self._columns[i], self._laid.widths[i])[0].strip() for i in self._laid.shown)
        return " ".join(text for text in shown if text)
