"""The real program in a real terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.process import EngineProcess, run_json
from tests.e2e.terminal import Terminal, fresh_home

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return fresh_home(tmp_path)


@pytest.fixture
def engine(home: Path) -> Iterator[EngineProcess]:
    running = EngineProcess(home, "--seed", "7", "--from", "10:00")
    yield running
    if running.process.poll() is None:
        assert running.stop() == 0


def test_a_first_day_from_chain_to_fill_to_flat_and_back_again(home: Path) -> None:
    """Buy from the chain, see the fill and the position, quit, start again: the position is there."""
    console = Terminal("--home", str(home), "--seed", "7", "--from", "10:00")
    try:
        console.shows("No open positions")
        console.press("2")
        console.shows("straddle")
        console.press("b")
        console.shows("BUY  NIFTY")
        console.press("t")
        console.shows("MARKET")
        console.shows("every check passes")
        console.press("\r")
        console.until(lambda screen: "BOUGHT 1L" in screen and "PAPER  paper" not in screen, "the ticket closed")
        console.press("1")
        console.shows("1 open")
        console.press("q")
        assert console.ended() == 0
    finally:
        console.close()

    again = Terminal("--home", str(home), "--seed", "7")
    try:
        again.shows("1 open")
        again.press("8")
        again.shows("BOUGHT 1L")
        again.press("q")
        assert again.ended() == 0
    finally:
        again.close()


def test_fifty_enters_on_the_ticket_are_one_order(home: Path, engine: EngineProcess) -> None:
    console = Terminal("attach", "--home", str(home))
    try:
        console.shows("No open positions")
        console.press("2")
        console.shows("straddle")
        console.press("b")
        console.shows("every check passes")
        console.press("\r" * 50)
        console.shows("BOUGHT 1L")
        console.pump(1.0)
    finally:
        console.close()
    orders = run_json(home, "orders")["orders"]
    assert len(orders) == 1, orders


def test_pasted_text_presses_no_key(home: Path, engine: EngineProcess) -> None:
    console = Terminal("attach", "--home", str(home))
    try:
        console.shows("No open positions")
        console.press("2")
        console.shows("straddle")
        console.press("\x1b[200~b\rx\ry\r\x18\x18\x1b[201~")
        console.pump(1.5)
    finally:
        console.close()
    assert run_json(home, "orders")["orders"] == []
    assert run_json(home, "status")["killed"] is False


@pytest.mark.parametrize("end", ["hang up", "kill", "stop"])
def test_however_a_console_ends_the_engine_goes_on(home: Path, engine: EngineProcess, end: str) -> None:
    console, witness = Terminal("attach", "--home", str(home)), Terminal("attach", "--home", str(home))
    try:
        console.shows("No open positions")
        witness.shows("No open positions")
        if end == "hang up":
            console.hang_up()
        else:
            console.signal(signal.SIGKILL if end == "kill" else signal.SIGSTOP)
        run_json(home, "order", "place", "sell", at_the_money(home), "--lots", "1", "--market")
        witness.shows("1 open")
        assert engine.process.poll() is None
    finally:
        if end == "stop":
            console.signal(signal.SIGCONT)
        console.close()
        witness.close()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36), (200, 50)])
def test_the_frame_fits_the_terminal(home: Path, engine: EngineProcess, columns: int, rows: int) -> None:
    console = Terminal("attach", "--home", str(home), columns=columns, rows=rows)
    try:
        screen = console.shows("PAPER")
        assert "PAPER" in screen
        console.press("2")
        console.shows("Strike")
        console.resize(columns - 10, rows - 2)
        console.pump(0.5)
        console.shows("Strike")
    finally:
        console.close()


def test_a_terminal_too_small_is_told_so(home: Path, engine: EngineProcess) -> None:
    console = Terminal("attach", "--home", str(home), columns=40, rows=10)
    try:
        console.until(lambda screen: "small" in screen.lower() or "larger" in screen.lower(), "too small")
    finally:
        console.close()


def test_a_lost_terminal_ends_its_console(home: Path, engine: EngineProcess) -> None:
    console = Terminal("attach", "--home", str(home))
    console.shows("No open positions")
    console.hang_up()
    pid, status = os.waitpid(console.pid, 0)
    assert pid == console.pid
    assert not os.WIFSIGNALED(status) or os.WTERMSIG(status) == signal.SIGHUP


def at_the_money(home: Path) -> str:
    """A NIFTY call of the second expiry near the spot."""
    chain = run_json(home, "chain", "NIFTY")
    nearest = min(chain["strikes"], key=lambda row: abs(row["strike_paise"] - chain["spot_paise"]))
    return str(nearest["call"]["name"])
