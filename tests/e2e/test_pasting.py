"""Whatever is pasted, and wherever: no order, no kill, no crash, and the console answers the next key."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.process import EngineProcess
from tests.e2e.terminal import Terminal
from tests.e2e.trading import look, orders

pytestmark = pytest.mark.slow
BIG = int(os.environ.get("OPTCONSOLE_PASTE_BYTES", "1000000"))
BEGIN, END = b"\x1b[200~", b"\x1b[201~"
PLACES = {"chain": b"", "line": b":", "find": b"/", "ticket": b"b", "palette": b"\x10"}
ORDER_LIKE = b"b\r\r2\rsell 2 NIFTY 24500 CE mkt\r\n:kill\r:flatten\r\ry\r\x18\x18X\rpa\r"
PASTES = {
    "lines": b"one\ntwo\r\nthree\r",
    "orders": ORDER_LIKE,
    "escapes": b"\x1b" + ORDER_LIKE + b"\x1b[A\x1bOP\x1b]52;c;eA==\x07" + ORDER_LIKE + b"\x1b",
    "no text": bytes(range(128, 256)) + b"\xff\xfe\x00\x9b2J",
}


@pytest.fixture
def console(running: EngineProcess) -> Iterator[Terminal]:
    terminal = Terminal("attach", "--home", str(running.home), "--screen", "chain")
    terminal.shows("straddle")
    yield terminal
    terminal.close()


def unharmed(running: EngineProcess, console: Terminal) -> None:
    """Back to the chain by Esc, and on with the next key."""
    for _ in range(4):
        console.press("\x1b")
        console.pump(0.25)
    console.press("8")
    console.shows("Verify")
    console.press("2")
    console.shows("straddle")
    state = look(running.home).state
    assert not state.orders
    assert not state.killed


def test_no_bracketed_paste_acts_in_any_input(running: EngineProcess, console: Terminal) -> None:
    for opening in PLACES.values():
        for pasted in PASTES.values():
            console.press(opening)
            console.pump(0.2)
            console.press(BEGIN + pasted + END)
            console.pump(0.2)
            console.press(b"\x1b")
            console.pump(0.2)
        unharmed(running, console)
    assert orders(running.home) == []


@pytest.mark.parametrize("place", ["chain", "line", "ticket"])
def test_a_megabyte_pasted_at_once_is_dropped_where_it_cannot_be_used(
    running: EngineProcess, console: Terminal, place: str
) -> None:
    console.press(PLACES[place])
    console.pump(0.3)
    console.press(BEGIN + (ORDER_LIKE * (BIG // len(ORDER_LIKE))) + END)
    unharmed(running, console)


def test_bytes_that_are_no_text_and_order_like_keys_typed_in_one_burst_send_nothing(
    running: EngineProcess, console: Terminal
) -> None:
    for opening in PLACES.values():
        console.press(opening)
        console.pump(0.3)
        console.press(PASTES["no text"] + b"sell 2 NIFTY 24500 CE mkt\r\r\r")
        unharmed(running, console)
    assert orders(running.home) == []
