"""Lines of styled parts, left and right: headers, heads of screens, the newest fact, footers, empty states."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from optconsole.screens.theming import look_of
from optconsole.screens.widgets.cells import Part, lay, safe, segments

Line = tuple[Sequence[Part], Sequence[Part]]


class Ribbon(Widget):
    """A fixed number of one-row lines. ``show`` repaints only the lines whose content changed; nothing is markup."""

    DEFAULT_CSS = "Ribbon { height: 1; }"

    def __init__(self, lines: int = 1, *, id: str | None = None, classes: str | None = None, ground: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self.styles.height = lines
        self._lines: list[Line] = [((), ())] * lines
        self._strips: dict[int, Strip] = {}
        self._ground = ground
        self._dimmed = False
        self.painted = 0

    def show(self, *lines: Line) -> None:
        """Set the lines from the top on; a line that stays the same is not painted again."""
        regions = []
        for y, line in enumerate(lines):
            if line != self._lines[y]:
                self._lines[y] = line
                self._strips.pop(y, None)
                regions.append(Region(0, y, self.size.width, 1))
        if regions:
            self.refresh(*regions)

    def ground(self, role: str) -> None:
        """The role that the whole ribbon stands on."""
        if role != self._ground:
            self._ground = role
            self._forget()

    def dim(self, dimmed: bool) -> None:
        """Show everything in the quiet colour: what is said here is not of this moment."""
        if dimmed != self._dimmed:
            self._dimmed = dimmed
            self._forget()

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._forget())

    def on_resize(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._strips.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = Strip(self._build(y, width), width)
            self.painted += 1
        return strip

    def _build(self, y: int, width: int) -> list[Segment]:
        look = look_of(self.app)
        if y >= len(self._lines):
            return [Segment(" " * width, look.style("", self._ground))]
        left, between, right = lay(*self._lines[y], width)
        parts = (*left, Part(" " * between), *right)
        return segments(
            [(safe(part.text), look.style("dim" if self._dimmed else part.role, self._ground)) for part in parts]
        )

    @property
    def text(self) -> str:
        """What the lines say, for tests and screen readers."""
        return "\n".join("".join(safe(part.text) for part in (*left, *right)) for left, right in self._lines)
