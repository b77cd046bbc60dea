"""The streaming table: finished strips kept per row, changes repaint only the visible rows they touch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip

from optconsole.screens.theming import look_of
from optconsole.screens.widgets.arrangement import arrange
from optconsole.screens.widgets.cells import fit, segments
from optconsole.screens.widgets.columns import Column, LiveRow, Row
from optconsole.screens.widgets.cursor_grid import CursorGrid
from optconsole.screens.widgets.flashes import MOST, STEP, Flashes
from optconsole.screens.widgets.grid_layout import GridLayout, lay_out, offset_limit

Read = Callable[[str], Sequence[Any]]
"""Makes the present values of a row by its key."""


class QuoteGrid(CursorGrid):
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
        super().__init__(id=id, classes=classes)
        self._columns = tuple(columns)
        self._frozen = frozen
        self._centred = centred
        self._natural: list[Row] = []
        self._rows: dict[str, LiveRow] = {}
        self._strips: dict[str, Strip] = {}
        self._owed: dict[str, Read] = {}
        self._flashes = Flashes()
        self._flash_timer = False
        self._laid = GridLayout()
        self._top = self._body = self._below = self._full = 0
        self._offset = 0
        self._left = ("", 0.0)
        self._landed: str | None = None
        self.flashing = False
        self._dimmed = False
        self.needle = ""
        self.sort_column: int | None = None
        self.sort_reverse = False
        self.rows_rendered = 0
        """Rows built since the start; with ``cells_formatted`` and ``applies`` what the count tests look at."""
        self.cells_formatted = 0
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

    def _live(self, key: str) -> LiveRow:
        """A row with the values it is owed."""
        live = self._rows[key]
        if (read := self._owed.pop(key, None)) is not None and live.take(read(key), self._columns) >= 0:
            live.flashing = set()
            self._strips.pop(key, None)
        return live

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

    @property
    def _room(self) -> int:
        """Cells of a row: without the scrollbar, which a dirty row must not send again."""
        return self.scrollable_content_region.width

    def _liner(self) -> Callable[[str], int | None]:
        """Gives the line of the viewport that shows a row, or None, as the grid stands now."""
        place, top, body = self._place, self.scroll_offset.y, self._body_height()
        pinned = {key: line for line, key in enumerate(self._pinned, self._pinned_top())}

        def line_of(key: str) -> int | None:
            if (index := place.get(key)) is None:
                return pinned.get(key)
            return index - top + 1 if 0 <= index - top < body else None

        return line_of

    # ------------------------------------------------------------ columns

    def action_sideways(self, step: int) -> None:
        zones = list(dict.fromkeys(column.zone for column in self._columns if column.zone))
        if zones:
            index = zones.index(self._zone) if self._zone in zones else 0
            self.select_zone(zones[min(max(index + step, 0), len(zones) - 1)])
            return
        offset = min(max(self._offset + step, 0), offset_limit(self._columns, self._room, self._frozen))
        if offset != self._offset:
            self._offset = offset
            self._measure()

    def _zone_at(self, x: int) -> str:
        column = self._laid.column_at(x)
        return self._columns[column].zone if column is not None else ""

    # ------------------------------------------------------------ painting

    def on_mount(self) -> None:
        if not self._zone:
            self._zone = next((column.zone for column in self._columns if column.zone), "")
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._forget())
        self._measure()

    def on_resize(self) -> None:
        self._measure()
        self._scroll_into_view()

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """A bar that has only just appeared knows nothing of the scrolling before it."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y
        self.call_after_refresh(self._measure)

    def _measure(self) -> None:
        """Which columns fit, how wide each is, and where the first begins."""
        before, layout = self._laid, lay_out(self._columns, self._room, self._frozen, self._offset, self._centred)
        if layout.widths != before.widths or layout.shown != before.shown:
            for live in self._rows.values():
                live.forget()
        self._laid = layout
        self._full = self.outer_size.width
        self.virtual_size = Size(self._room, len(self._order) + 1 + len(self._pinned))
        self._forget()

    def _forget(self) -> None:
        self._strips.clear()
        self.refresh()

    def _repaint(self, key: str) -> None:
        self._strips.pop(key, None)
        if (y := self._liner()(key)) is not None:
            self.refresh(Region(0, y, self._room, 1))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Finished strips as they are: a grid has no border, padding or opacity for Textual to add to each line."""
        # as in ``touch``: the geometry is the same for all lines of one paint
        self._top, self._body, self._below = self.scroll_offset.y, self._body_height(), self._pinned_top()
        strips = [self.render_line(y) for y in crop.line_range]
        background = self.background_colors[1]
        for each in self.get_line_filters():
            strips = [strip.apply_filter(each, background) for strip in strips]
        if crop.column_span == (0, self._full):
            return strips
        return [strip.crop_extend(*crop.column_span, None) for strip in strips]

    def render_line(self, y: int) -> Strip:
        if y == 0:
            return self._head()
        line = y - 1
        if line < self._body and (index := line + self._top) < len(self._order):
            return self._strip(self._order[index])
        pinned = y - self._below
        if 0 <= pinned < len(self._pinned):
            return self._strip(self._pinned[pinned])
        return Strip.blank(self._full, look_of(self.app).style())

    def _head(self) -> Strip:
        strip = self._strips.get("\0head")
        if strip is None:
            style = look_of(self.app).style("head")
            parts: list[tuple[str, Style]] = [(" " * self._laid.margin, style)]
            for index in self._laid.shown:
                column = self._columns[index]
                title = column.title
                if index == self.sort_column:
                    title += "↓" if self.sort_reverse else "↑"
                parts.append((fit(title, self._laid.widths[index], column.align) + " ", style))
            strip = self._strips["\0head"] = self._finish(parts, style)
        return strip

    def _strip(self, key: str) -> Strip:
        strip = self._strips.get(key) if key not in self._owed else None
        if strip is None:
            strip = self._strips[key] = self._build(key)
            self.rows_rendered += 1
        return strip

    def _build(self, key: str) -> Strip:
        look = look_of(self.app)
        live = self._live(key)
        row = live.row
        here = key == self.cursor_key and key not in self._pinned
        ground = ("cursor" if self.has_focus else "cursor-row") if here else row.kind
        blank = look.style("", ground if not (here and self._zone) else "cursor-row")
        flashing, widths = self._flashes.of(key), self._laid.widths
        parts: list[tuple[str, Style]] = [(" " * self._laid.margin, blank)]
        for index in self._laid.shown:
            column = self._columns[index]
            found = live.cells[index]
            if found is None:
                found = live.format(index, column, widths[index])
                self.cells_formatted += 1
            text, role = found
            if self._dimmed:
                role = "dim"
            own = ground
            if here and self._zone and column.zone != self._zone:
                own = "cursor-row"
            elif not here and column.zone in row.shades:
                own = row.shades[column.zone]
            if index in flashing:
                parts += [(text, look.style(role, "flash")), (" ", look.style("", own))]
            else:
                # the gap takes its cell's style: a style of its own would cost thirty bytes to show nothing
                parts.append((text + " ", look.style(role, own)))
        return self._finish(parts, blank)

    def _finish(self, parts: list[tuple[str, Style]], blank: Style) -> Strip:
        """A strip of the whole width; where there is a scrollbar it covers the strip's end."""
        width, used = self._full, self._laid.used
        if used < width:
            parts.append((" " * (width - used), blank))
        strip = Strip(segments(parts), max(used, width))
        return strip if used <= width else strip.crop(0, width)

    # ------------------------------------------------------------ flashes

    def _flash(self, lit: Mapping[str, set[int]]) -> None:
        self._flashes.add(lit)
        if not self._flash_timer:
            self._flash_timer = True
            self.set_timer(STEP, self._fade)

    def _fade(self) -> None:
        for key in self._flashes.fade():
            if key in self._rows:
                self._repaint(key)
        self._flash_timer = bool(self._flashes)
        if self._flash_timer:
            self.set_timer(STEP, self._fade)
