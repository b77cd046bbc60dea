"""A lost terminal ends its console and nothing else: the engine, its orders and the next console go on.

Fault H01.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from optconsole.engine.model.orders import OrderStatus
from tests.e2e.process import EngineProcess
from tests.e2e.terminal import Terminal, fresh_home
from tests.e2e.trading import buy, facts, held, look, near_call, orders, until

pytestmark = pytest.mark.slow
MOST_CPU = 5.0
"""Seconds of CPU of a whole console's life, start included; one that spins on a dead terminal burns them at once."""


def lose(console: Terminal, how: str) -> None:
    """Take the terminal away, and see the console end by itself without having spun."""
    if how == "signal":
        console.signal(signal.SIGHUP)
    else:
        console.hang_up()
    pid, status, used = os.wait4(console.pid, 0)
    assert pid == console.pid
    assert os.WIFEXITED(status) or os.WTERMSIG(status) == signal.SIGHUP
    assert used.ru_utime + used.ru_stime < MOST_CPU


@pytest.mark.parametrize("how", ["signal", "closed"])
def test_a_lost_terminal_touches_no_order_and_the_next_console_sees_the_same_book(
    running: EngineProcess, how: str
) -> None:
    home = running.home
    contract = near_call(home)
    resting = buy(home, contract, "--limit", "0.05")["id"]
    buy(home, contract, "--market")
    book = (orders(home), held(home))
    console = Terminal("attach", "--home", str(home))
    console.shows("1 open")
    console.press("2")
    console.shows("straddle")
    console.press("b")
    console.shows("BUY  NIFTY")
    lose(console, how)

    assert running.process.poll() is None
    assert (orders(home), held(home)) == book
    second = Terminal("attach", "--home", str(home), "--screen", "orders")
    try:
        second.until(lambda screen: all(f"{row['id']} " in screen for row in book[0]), "every order")
        second.press("1")
        second.shows("1 open")
    finally:
        second.close()
    state = look(home).state
    assert state.orders[resting].status is OrderStatus.OPEN
    assert state.ready
    assert not state.killed


@pytest.mark.parametrize("how", ["signal", "closed"])
def test_a_console_with_its_own_engine_leaves_a_whole_book_to_the_next_start(tmp_path: Path, how: str) -> None:
    home = fresh_home(tmp_path)
    market = ("--seed", "7", "--from", "10:00")
    console = Terminal("--home", str(home), *market)
    console.shows("No open positions")
    contract = near_call(home)
    buy(home, contract, "--limit", "0.05")
    buy(home, contract, "--market")
    before, open_then = orders(home), held(home)
    lose(console, how)
    assert not (home / "engine.sock").exists()

    again = Terminal("--home", str(home), "--seed", "7")
    try:
        again.shows("1 open")
        assert held(home) == open_then
        assert {row["id"]: (row["status"], row["filled"]) for row in orders(home)} == {
            row["id"]: (row["status"], row["filled"]) for row in before
        }
        # it stopped in good order: the last life says so in the journal
        assert len(facts(home, "EngineStopped")) == 1
        again.press("q")
        until(lambda: "Leave with working orders?" in again.screen or again.pump(0.05), "the question")
        again.press("y")
        assert again.ended() == 0
    finally:
        again.close()
