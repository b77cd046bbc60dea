"""A terminal that reads nothing more costs the console its picture, and the engine nothing.

Fault H02; invariant I-20. OPTCONSOLE_STALL_SECONDS makes the stall longer; 60 is the reference.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from optconsole.engine.model.orders import OrderStatus
from tests.e2e.process import EngineProcess, run_json
from tests.e2e.terminal import Terminal, fresh_home
from tests.e2e.trading import buy, look, near_call, orders, stops_around, until

pytestmark = pytest.mark.slow
STALL = float(os.environ.get("OPTCONSOLE_STALL_SECONDS", "3"))
MOST_LAG = 1_000.0
"""Milliseconds of loop lag that a stalled console must not reach. Far above the promise, far below a stall."""


@pytest.fixture(params=["attached", "alone"])
def console(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Terminal]]:
    """A console on an engine of another process, and one with the engine in its own."""
    home = fresh_home(tmp_path)
    market = ("--seed", "7", "--from", "10:00")
    engine = EngineProcess(home, *market) if request.param == "attached" else None
    words = ("attach", "--home", str(home)) if engine else ("--home", str(home), *market)
    terminal = Terminal(*words, columns=200, rows=50)
    try:
        terminal.shows("No open positions")
        yield home, terminal
    finally:
        terminal.close()
        if engine is not None:
            assert engine.stop() == 0


def test_the_engine_trades_on_while_a_terminal_reads_nothing(console: tuple[Path, Terminal]) -> None:
    home, terminal = console
    contract = near_call(home)
    resting = buy(home, contract, "--limit", "0.05")["id"]
    terminal.clogged()
    before = look(home).vitals

    # a stop triggers because quotes go on, and fills because orders do
    stops = stops_around(home, contract)
    until(lambda: filled(home, stops), "a stop fills during the stall")
    deadline = time.monotonic() + STALL
    while time.monotonic() < deadline:
        status = run_json(home, "status")
        assert status["ready"] is True
        assert status["vitals"]["loop_lag"] < MOST_LAG
        assert status["vitals"]["inbox"] < 100
    after = look(home).vitals
    assert after.quotes_per_second > 0
    assert (after.now - before.now).total_seconds() > STALL / 2
    assert look(home).state.orders[resting].status is OrderStatus.OPEN

    # read on: the picture is of now, and the console still trades
    terminal.press("3")
    terminal.until(lambda screen: all(f"{each} " in screen for each in (resting, *stops)), "the orders of the stall")
    before_keys = len(orders(home))
    terminal.press("C")
    # the question itself: the word alone stands among the keys at the foot of the screen
    terminal.until(lambda screen: re.search(r"Cancel \d+ orders? in ", screen) is not None, "the question")
    terminal.press("y")
    until(lambda: look(home).state.orders[resting].status is OrderStatus.CANCELLED, "the cancellation")
    assert len(orders(home)) == before_keys


def filled(home: Path, ids: list[str]) -> bool:
    found = look(home).state.orders
    return any(found[each].status is OrderStatus.FILLED for each in ids)


@pytest.mark.parametrize("console", ["alone"], indirect=True)
def test_a_console_whose_terminal_is_stalled_still_ends_when_told_to(console: tuple[Path, Terminal]) -> None:
    home, terminal = console
    terminal.clogged()
    terminal.signal(signal.SIGTERM)
    until(terminal.gone, "the stalled console ends", 30)
    assert (home / "engine.sock").exists() is (terminal.words[0] == "attach")
