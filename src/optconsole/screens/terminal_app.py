"""An app that knows its terminal: what it can show, how far behind it is, whether it is still there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Final

from rich.console import RenderableType
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.events import Event, Resize
from textual.events import Key as KeyPress
from textual.filter import ANSIToTruecolor, LineFilter, Monochrome, NoColor
from textual.screen import Screen

from optconsole.screens.cramped import cover, ignored
from optconsole.screens.driver import ConsoleDriver
from optconsole.screens.keymap import Keymap
from optconsole.screens.plain import AsciiFilter
from optconsole.screens.presses import Presses
from optconsole.screens.terminal import HUNG_UP, terminal_gone

HANG_UP_LIMIT: Final = 5.0


class TerminalApp(App[int]):
    """What the console does about its terminal; ``let_go`` is called before it ends with a terminal that is gone."""

    def __init__(self, keymap: Keymap, *, ascii: bool) -> None:
        super().__init__(driver_class=ConsoleDriver)
        self._keys = keymap
        self.presses = Presses()
        self.in_ascii = ascii
        self._unpainted = False
        self._hanging_up = False
        self._ascii = AsciiFilter()
        self._colourless = NoColor()

    async def let_go(self) -> None:
        """Let go of what must not outlive the console."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Without translating ANSI colours, as a theme is all truecolor or all ANSI; with ASCII where asked for.

        Where no colour is wanted it is taken out, as greys made of the terminal's own colours would be black on black.
        """
        filters = [
            self._colourless if isinstance(each, Monochrome) else each
            for each in super().get_line_filters()
            if not isinstance(each, ANSIToTruecolor)
        ]
        return [*filters, self._ascii] if self.in_ascii else filters

    async def check_terminal(self) -> None:
        if terminal_gone():
            await self.hang_up()
        elif self._unpainted and not self._terminal_behind():
            self._unpainted = False
            self.refresh()

    def _terminal_behind(self) -> bool:
        return isinstance(self._driver, ConsoleDriver) and self._driver.behind

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """A frame that the terminal cannot take is not sent; once it reads again, all of it is painted anew."""
        if self._terminal_behind():
            self._unpainted = True
        else:
            super()._display(screen, renderable)

    async def hang_up(self) -> None:
        """Stop our own engine and end at once: the driver would wait for ever to write its goodbye to nobody."""
        if self._hanging_up:
            # the signal and the look at the terminal tell the same; the second must not end what the first waits for
            return
        self._hanging_up = True
        try:
            async with asyncio.timeout(HANG_UP_LIMIT):
                await self.let_go()
        finally:
            os._exit(HUNG_UP)

    async def on_event(self, event: Event) -> None:
        if ignored(event, self.size, self._keys):
            return
        if isinstance(event, KeyPress):
            self.presses.add(event.key, event.time)
        await super().on_event(event)
        if isinstance(event, Resize) and self.is_running:
            for screen in tuple(self.screen_stack):
                await cover(screen, event.size)

    def pop_screen(self) -> AwaitComplete:
        """Take the top screen away, but never the last: Textual's palette leaves twice on the second of two Enters."""
        return super().pop_screen() if len(self.screen_stack) > 1 else AwaitComplete()
