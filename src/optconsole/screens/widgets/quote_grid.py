"""The streaming table: finished strips kept per row, changes repaint only the visible rows they touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from optconsole.screens.keymap import bindings
from optconsole.screens.theming import look_of
from optconsole.screens.widgets.arrangement import arrange
from optconsole.screens.widgets.cells import fit, segments
from optconsole.screens.widgets.columns import Column, LiveRow, Row
from optconsole.screens.widgets.flashes import MOST, STEP, Flashes
from optconsole.screens.widgets.grid_layout import GridLayout, lay_out, offset_limit


class QuoteGrid(ScrollView, can_focus=True):
    """A table of fixed columns for values that change many times a second.

    ``set_rows`` gives the rows, ``apply`` new values of some of them: one refresh, visible rows only. The first
    ``frozen`` columns stay while the rest moves sideways; ``pinned`` rows stay at the bottom.
    """

    BINDINGS = bindings("grid")
    DEFAULT_CSS = """
    QuoteGrid {
        height: 1fr;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
    }
    """

    @dataclass
    class CursorMoved(Message):
        """The cursor stands on another row or zone."""

        grid: QuoteGrid
        key: str
        zone: str

        @property
        def control(self) -> QuoteGrid:
            return self.grid

    @dataclass
    class RowActivated(Message):
        """Enter, or a click on the row under the cursor."""

        grid: QuoteGrid
        key: str
        zone: str

        @property
        def control(self) -> QuoteGrid:
            return self.grid

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
        self._order: list[str] = []
        self._place: dict[str, int] = {}
        self._pinned: list[str] = []
        self._strips: dict[str, Strip] = {}
        self._flashes = Flashes()
        self._flash_timer = False
        self._laid = GridLayout()
        self._offset = 0
        self._cursor = 0
        self._zone = ""
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
        self.applies += 1
        dirty: list[Region] = []
        lit: dict[str, set[int]] = {}
        for key, values in changes.items():
            live = self._rows.get(key)
            if live is None or (last := live.take(values, self._columns)) < 0:
                continue
            self._strips.pop(key, None)
            if (y := self._line_of(key)) is not None:
                if live.flashing:
                    lit[key] = live.flashing
                live.flashing = set()
                # the compositor sends a row from its left edge up to where it is dirty, so the rest stays unsent
                dirty.append(Region(0, y, self._laid.edges.get(last, self._room), 1))
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
        """Show only rows whose text contains ``needle``; empty shows all."""
        self.needle = needle
        self._rearrange()

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
            row.values = self._rows[row.key].values
        shown = arrange(self._natural, self.needle, self.sort_column, self.sort_reverse)
        self._order = [row.key for row in shown]
        self._place = {row_key: index for index, row_key in enumerate(self._order)}
        self._cursor = self._place.get(key or "", min(self._cursor, max(len(self._order) - 1, 0)))
        self.virtual_size = Size(self._room, len(self._order) + 1 + len(self._pinned))
        self._forget()

    # ------------------------------------------------------------ reading

    @property
    def cursor_key(self) -> str | None:
        """Key of the row under the cursor; None without rows."""
        return self._order[self._cursor] if self._cursor < len(self._order) else None

    @property
    def zone(self) -> str:
        """The zone under the cursor; empty where the columns have none."""
        return self._zone

    @property
    def keys(self) -> list[str]:
        """The rows shown, from the top."""
        return list(self._order)

    @property
    def columns_shown(self) -> list[str]:
        """Titles of the columns that fit."""
        return [self._columns[index].title for index in self._laid.shown]

    def visible_keys(self) -> list[str]:
        """Rows inside the viewport."""
        top = self.scroll_offset.y
        return self._order[top : top + self._body_height()]

    def row_text(self, key: str) -> str:
        """What a row says, for tests: its shown cells joined by one space."""
        live = self._rows[key]
        shown = (live.cell(i, self._columns[i], self._laid.widths[i])[0].strip() for i in self._laid.shown)
        return " ".join(text for text in shown if text)

    @property
    def _room(self) -> int:
        """Cells of a row: without the scrollbar, which a dirty row must not send again."""
        return self.scrollable_content_region.width

    def _body_height(self) -> int:
        return max(self.size.height - 1 - len(self._pinned), 0)

    def _line_of(self, key: str) -> int | None:
        """The line of the viewport that shows a row, or None."""
        if key in self._place:
            line = self._place[key] - self.scroll_offset.y
            return line + 1 if 0 <= line < self._body_height() else None
        if key in self._pinned:
            return self._pinned_top() + self._pinned.index(key)
        return None

    def _pinned_top(self) -> int:
        return 1 + min(self._body_height(), max(len(self._order) - self.scroll_offset.y, 0))

    # ------------------------------------------------------------ the cursor

    def move_to(self, key: str) -> None:
        """Put the cursor on a row and scroll it into view."""
        if key in self._place:
            self._go(self._place[key])

    def centre_on(self, key: str) -> None:
        """Put the cursor on a row and the row in the middle."""
        if key in self._place:
            self.scroll_to(y=max(self._place[key] - self._body_height() // 2, 0), animate=False, force=True)
            self._go(self._place[key])

    def select_zone(self, zone: str) -> None:
        """Select a zone of the columns."""
        if zone != self._zone:
            self._zone = zone
            self._announce()
            if (key := self.cursor_key) is not None:
                self._repaint(key)

    def action_cursor(self, step: int) -> None:
        self._go(self._cursor + step)

    def action_page(self, step: int) -> None:
        self._go(self._cursor + step * max(self._body_height() - 1, 1))

    def action_edge(self, step: int) -> None:
        self._go(0 if step < 0 else len(self._order) - 1)

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

    def action_activate(self) -> None:
        if (key := self.cursor_key) is not None:
            self.post_message(self.RowActivated(self, key, self._zone))

    def _go(self, target: int) -> None:
        target = min(max(target, 0), len(self._order) - 1)
        if target < 0:
            return
        old, self._cursor = self.cursor_key, target
        self._scroll_into_view()
        new = self.cursor_key
        if old != new:
            for key in (old, new):
                if key is not None:
                    self._repaint(key)
            self._announce()

    def _announce(self) -> None:
        if (key := self.cursor_key) is not None:
            self.post_message(self.CursorMoved(self, key, self._zone))

    def _scroll_into_view(self) -> None:
        top, height = self.scroll_offset.y, self._body_height()
        if height <= 0:
            return
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, force=True)

    def on_click(self, event: events.Click) -> None:
        index = self.scroll_offset.y + event.y - 1
        if event.y < 1 or index >= len(self._order) or event.y > self._body_height():
            return
        if zone := self._zone_at(event.x):
            self.select_zone(zone)
        if index == self._cursor:
            self.action_activate()
        else:
            self._go(index)

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

    def on_focus(self) -> None:
        self._repaint_cursor()

    def on_blur(self) -> None:
        self._repaint_cursor()

    def _measure(self) -> None:
        """Which columns fit, how wide each is, and where the first begins."""
        before, layout = self._laid, lay_out(self._columns, self._room, self._frozen, self._offset, self._centred)
        if layout.widths != before.widths or layout.shown != before.shown:
            for live in self._rows.values():
                live.forget()
        self._laid = layout
        self.virtual_size = Size(self._room, len(self._order) + 1 + len(self._pinned))
        self._forget()

    def _forget(self) -> None:
        self._strips.clear()
        self.refresh()

    def _repaint(self, key: str) -> None:
        self._strips.pop(key, None)
        if (y := self._line_of(key)) is not None:
            self.refresh(Region(0, y, self._room, 1))

    def _repaint_cursor(self) -> None:
        if (key := self.cursor_key) is not None:
            self._repaint(key)

    def render_line(self, y: int) -> Strip:
        if y == 0:
            return self._head()
        body = self._body_height()
        line = y - 1
        if line < body and (index := line + self.scroll_offset.y) < len(self._order):
            return self._strip(self._order[index])
        pinned = y - self._pinned_top()
        if 0 <= pinned < len(self._pinned):
            return self._strip(self._pinned[pinned])
        return Strip.blank(self._room, look_of(self.app).style())

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
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._build(key)
            self.rows_rendered += 1
        return strip

    def _build(self, key: str) -> Strip:
        look = look_of(self.app)
        live = self._rows[key]
        row = live.row
        here = key == self.cursor_key and key not in self._pinned
        ground = ("cursor" if self.has_focus else "cursor-row") if here else row.kind
        blank = look.style("", ground if not (here and self._zone) else "cursor-row")
        flashing = self._flashes.of(key)
        parts: list[tuple[str, Style]] = [(" " * self._laid.margin, blank)]
        for index in self._laid.shown:
            column = self._columns[index]
            text, role, formatted = live.cell(index, column, self._laid.widths[index])
            self.cells_formatted += formatted
            role = "dim" if self._dimmed else role
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
        width = self._room
        used = self._laid.used
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
