"""Textual's driver for a terminal that stalls, goes away, or pastes what it should not."""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder
from contextlib import suppress
from queue import Empty
from typing import Final

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from optconsole.screens.pasting import PasteGate

FRAMES_AHEAD: Final = 8
"""Writes that may wait for the terminal; beyond that no frame is made until it has read them."""
GOODBYE_SECONDS: Final = 2.0
"""How long the last words wait for a terminal that takes nothing, before the console ends without them."""
_READ: Final = 4096
_LOOK_EVERY: Final = 0.1


class ConsoleDriver(LinuxDriver):
    """Never makes the engine's loop wait for a terminal, nor lets a paste press a key."""

    @property
    def behind(self) -> bool:
        """Whether the terminal has yet to read what was written, so that another frame would only wait too."""
        return self._writer_thread is not None and self._writer_thread._queue.qsize() > FRAMES_AHEAD

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is not None:
            # a full queue would block the loop, and with it an engine in this process; `behind` bounds it instead
            self._writer_thread._queue.maxsize = 0

    def stop_application_mode(self) -> None:
        # frames that were not read have nobody to show them to; what gives the terminal back comes after them
        if self._writer_thread is not None:
            with suppress(Empty):
                while True:
                    self._writer_thread._queue.get_nowait()
        super().stop_application_mode()

    def close(self) -> None:
        """Wait for the last words, though not for ever: a stalled terminal must not keep a dead console alive.

        The engine has been let go of before; what is left is a thread that no signal wakes from its write.
        """
        writer = self._writer_thread
        if writer is None:
            return
        writer._queue.put(None)
        writer.join(GOODBYE_SECONDS)
        if writer.is_alive():
            os._exit(self._app.return_code or 0)

    def run_input_thread(self) -> None:
        """Read keys until the console ends or the terminal is gone; bytes that are no text become marks."""
        parser, gate = XTermParser(self._debug), PasteGate()
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_LOOK_EVERY):
                    try:
                        data = os.read(self.fileno, _READ)
                    except OSError:
                        return
                    if not data:
                        # the terminal has hung up; to read on would spin
                        return
                    if text := gate.clean(decode(data)):
                        for event in parser.feed(text):
                            self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
