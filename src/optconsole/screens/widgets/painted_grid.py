"""How a streaming table is painted: finished strips kept per row, only the visible rows that changed made anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip

from optconsole.screens.theming import look_of
from optconsole.screens.widgets.cells import fit, segments
from optconsole.screens.widgets.columns import Column, LiveRow
from optconsole.screens.widgets.cursor_grid import CursorGrid
from optconsole.screens.widgets.flashes import STEP, Flashes
from optconsole.screens.widgets.grid_layout import GridLayout, lay_out, offset_limit

Read = Callable[[str], Sequence[Any]]
"""Makes the present values of a row by its key."""


class PaintedGrid(CursorGrid):
    """Columns that fit, rows as strips, flashes that fade; whoever knows the rows fills ``_rows`` and ``_order``."""

    def __init__(
        self, columns: Sequence[Column], *, frozen: int, centred: bool, id: str | None, classes: str | None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._columns = tuple(columns)
        self._frozen = frozen
        self._centred = centred
        self._rows: dict[str, LiveRow] = {}
        self._strips: dict[str, Strip] = {}
        self._owed: dict[str, Read] = {}
        self._flashes = Flashes()
        self._flash_timer = False
        self._laid = GridLayout()
        self._top = self._body = self._below = self._full = 0
        self._offset = 0
        self.flashing = False
        self._dimmed = False
        self.sort_column: int | None = None
        self.sort_reverse = False
        self.rows_rendered = 0
        """Rows built since the start; with ``cells_formatted`` and ``applies`` what the count tests look at."""
        self.cells_formatted = 0

    def _live(self, key: str) -> LiveRow:
        """A row with the values it is owed."""
        live = self._rows[key]
        if (read := self._owed.pop(key, None)) is not None and live.take(read(key), self._columns) >= 0:
            live.flashing = set()
            self._strips.pop(key, None)
        return live

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
