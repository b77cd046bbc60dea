"""A key held down, pressed by impatience or pasted means what it means once.

Faults P02 (double orders), P04 (the kill switch).
"""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator

import pytest

from optconsole.engine.clock import fresh_id
from optconsole.engine.commands import Flatten
from optconsole.engine.model.orders import OrderStatus
from tests.e2e.process import EngineProcess
from tests.e2e.terminal import Terminal, fresh_home
from tests.e2e.trading import buy, facts, held, look, near_call, orders, submit, until

pytestmark = pytest.mark.slow
ENTERS = "\r" * 50
KILLS = "\x18" * 40


@pytest.fixture
def console(running: EngineProcess) -> Iterator[Terminal]:
    terminal = Terminal("attach", "--home", str(running.home))
    terminal.shows("Positions")
    terminal.until(lambda screen: "feed" in screen, "the figures")
    yield terminal
    terminal.close()


@pytest.fixture
def bought(running: EngineProcess) -> Iterator[int]:
    """One lot held; how many orders there are so far."""
    home = running.home
    buy(home, near_call(home), "--market")
    until(lambda: len(held(home)) == 1, "one position")
    yield len(orders(home))
    submit(home, Flatten(id=fresh_id(), actor="test"))
    until(lambda: not held(home), "flat again")


def test_fifty_enters_typed_before_the_checks_show_order_nothing_and_after_them_once(
    running: EngineProcess, console: Terminal
) -> None:
    before = len(orders(running.home))
    console.press("2")
    console.shows("straddle")
    console.press("b" + ENTERS)
    console.shows("every check passes")
    console.pump(0.5)
    early = len(orders(running.home)) - before
    assert early == 0
    console.press(ENTERS)
    console.shows("BOUGHT 1L")
    console.pump(0.5)
    assert len(orders(running.home)) == before + 1
    submit(running.home, Flatten(id=fresh_id(), actor="test"))
    until(lambda: not held(running.home), "flat")


OPENINGS = {
    "leader": (("X", "Close what?"), ("p", "Close positions in"), ("a", "")),
    "line": ((":", "Say what to do"), ("flatten", "Asks, then"), ("\r", "")),
}


@pytest.mark.parametrize("way", list(OPENINGS))
def test_fifty_enters_on_a_closing_question_close_once(
    running: EngineProcess, console: Terminal, bought: int, way: str
) -> None:
    home = running.home
    console.shows("1 open")
    # the question opens late: what was typed before it could be read does not answer it
    for keys, shown in OPENINGS[way]:
        console.press(keys if shown else keys + ENTERS)
        console.shows(shown or "1 open")
    console.pump(1.0)
    assert len(orders(home)) == bought
    for _ in range(4):
        console.press("\x1b")
        console.pump(0.25)
    for keys, shown in OPENINGS[way]:
        console.press(keys)
        console.shows(shown or "Close everything: 1 lot")
    console.pump(0.6)
    console.press(ENTERS)
    until(lambda: not held(home), "closed")
    console.pump(0.3)
    assert len(orders(home)) == bought + 1


def test_a_kill_pressed_forty_times_kills_once(running: EngineProcess) -> None:
    home = running.home
    contract = near_call(home)
    resting = buy(home, contract, "--limit", "0.05")["id"]
    buy(home, contract, "--market")
    before = len(orders(home))
    console = Terminal("attach", "--home", str(home))
    try:
        console.shows("1 open")
        # while the engine is stopped, all presses wait in its socket
        running.process.send_signal(signal.SIGSTOP)
        console.press(KILLS)
        console.pump(0.5)
        running.process.send_signal(signal.SIGCONT)
        console.shows("KILLED")
        console.press(KILLS)
        until(lambda: not held(home), "flat")
        console.press(KILLS)
        console.pump(0.5)
        state = look(home).state
        assert state.killed
        assert state.orders[resting].status is OrderStatus.CANCELLED
        assert len(orders(home)) == before + 1, "one closing order for one position"
        assert len(facts(home, "KillEngaged")) == 1
        console.press("q")
        assert console.ended() == 0
    finally:
        running.process.send_signal(signal.SIGCONT)
        console.close()


def test_a_kill_over_a_dead_store_is_said_and_breaks_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = fresh_home(tmp_path_factory.mktemp("dead"))
    engine = EngineProcess(home, "--seed", "7", "--from", "10:00")
    console = Terminal("attach", "--home", str(home))
    try:
        contract = near_call(home)
        resting = buy(home, contract, "--limit", "0.05")["id"]
        console.shows("feed")
        # no file may grow: every commit fails from here on, as on a full disk
        resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (1, 1))
        console.press(KILLS)
        console.pump(2.0)
        console.press(KILLS)
        console.press("3")
        console.shows(resting)
        assert engine.process.poll() is None
        assert look(home).state.orders[resting].id == resting
        console.press("\x03")
        assert console.ended() == 0
    finally:
        console.close()
        engine.kill()
    # whatever was said, the next start tells one story: killed with the order gone, or neither
    again = EngineProcess(home, "--seed", "7")
    try:
        state = look(home).state
        assert len(facts(home, "KillEngaged")) == int(state.killed) <= 1
        assert state.orders[resting].status.final is state.killed
    finally:
        assert again.stop() == 0
