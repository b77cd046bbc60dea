"""How the console treats the terminal it is given: its colours, and its state when the console ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal, fresh_home

pytestmark = pytest.mark.slow

SHOW_CURSOR = b"\x1b[?25h"
LEAVE_ALTERNATE_SCREEN = b"\x1b[?1049l"


def test_no_color_leaves_the_terminals_own_colours(tmp_path: Path) -> None:
    home = fresh_home(tmp_path)
    console = Terminal("--home", str(home), "--seed", "7", "--from", "10:00", NO_COLOR="1")
    try:
        console.shows("No open positions")
        console.press("2")
        console.shows("straddle")
        coloured = [colour for colour in (b"38;5;", b"48;5;", b"38;2;", b"48;2;") if colour in console.bytes]
        assert not coloured, coloured
        assert console.colours() == {"default"}
        console.press("q")
        assert console.ended() == 0
    finally:
        console.close()


@pytest.mark.parametrize("busy", [False, True], ids=["on the positions", "under a dialog on the chain"])
def test_a_terminated_console_stops_its_engine_and_gives_the_terminal_back(tmp_path: Path, busy: bool) -> None:
    home = fresh_home(tmp_path)
    console = Terminal("--home", str(home), "--seed", "7", "--from", "10:00")
    try:
        console.shows("No open positions")
        if busy:
            console.press("2")
            console.shows("straddle")
            console.press("b")
            console.shows("every check passes")
        console.signal(signal.SIGTERM)
        assert console.ended() in (0, 143)
        assert SHOW_CURSOR in console.bytes
        assert LEAVE_ALTERNATE_SCREEN in console.bytes
        assert not (home / "engine.sock").exists()
    finally:
        console.close()
