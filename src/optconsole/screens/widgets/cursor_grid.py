"""The moving half of a grid: rows by place, the cursor among them, and what of them the viewport shows."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.scroll_view import ScrollView

from optconsole.screens.keymap import bindings


class CursorGrid(ScrollView, can_focus=True):
    """One head line, rows that scroll, pinned rows below. Subclasses paint them and say where zones are."""

    BINDINGS = bindings("grid")
    DEFAULT_CSS = """
    CursorGrid {
        height: 1fr;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
    }
    """

    @dataclass
    class CursorMoved(Message):
        """The cursor stands on another row or zone."""

        grid: CursorGrid
        key: str
        zone: str

        @property
        def control(self) -> CursorGrid:
            return self.grid

    @dataclass
    class RowActivated(Message):
        """Enter, or a click on the row under the cursor."""

        grid: CursorGrid
        key: str
        zone: str

        @property
        def control(self) -> CursorGrid:
            return self.grid

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._order: list[str] = []
        self._place: dict[str, int] = {}
        self._pinned: list[str] = []
        self._cursor = 0
        self._zone = ""

    # ------------------------------------------------------------ to be filled by the grid

    def _repaint(self, key: str) -> None:
        """Paint a row anew where it is visible."""

    def _zone_at(self, x: int) -> str:
        """The zone at a cell of a row; empty where there is none."""
        return ""

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

    def visible_keys(self) -> list[str]:
        """Rows inside the viewport."""
        top = self.scroll_offset.y
        return self._order[top : top + self._body_height()]

    def _body_height(self) -> int:
        return max(self.size.height - 1 - len(self._pinned), 0)

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

    def on_focus(self) -> None:
        self._repaint_cursor()

    def on_blur(self) -> None:
        self._repaint_cursor()

    def _repaint_cursor(self) -> None:
        if (key := self.cursor_key) is not None:
            self._repaint(key)

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
