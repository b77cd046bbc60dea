"""A window dragged to every size there is: nothing is ordered, nothing breaks, and the last picture is right."""

from __future__ import annotations

import random

import pytest

from tests.e2e.process import EngineProcess
from tests.e2e.terminal import Terminal
from tests.e2e.trading import buy, near_call, orders

pytestmark = pytest.mark.slow
SIZES = ((1, 1), (80, 24), (500, 200), (0, 0), (1, 200), (500, 1), (60, 15), (59, 14), (120, 36))
STORM = 300


def body(terminal: Terminal) -> list[str]:
    """Tabs and the rows of orders: what neither the clock nor a price moves."""
    lines = terminal.screen.splitlines()
    return [lines[2], *(line for line in lines[3:20] if "filled" in line)]


def test_a_storm_of_sizes_orders_nothing_and_leaves_the_right_picture(running: EngineProcess) -> None:
    home, rng = running.home, random.Random(7)
    buy(home, near_call(home), "--market")
    console = Terminal("attach", "--home", str(home))
    witness = Terminal("attach", "--home", str(home), "--screen", "orders")
    try:
        console.shows("1 open")
        console.press("2")
        console.shows("straddle")
        console.press("b")
        console.shows("every check passes")
        for number in range(STORM):
            console.window(*rng.choice(SIZES))
            console.press("\r" if number == STORM // 2 else "")
            console.pump(0.002)
        # whether that one Enter met a picture that could be read decides whether it was an order; two it never was
        console.window(120, 36)
        console.pump(0.5)
        console.press("\x1b")
        console.pump(0.5)
        console.press("3")
        console.until(lambda screen: "History" in screen, "the orders")
        listed = orders(home)
        assert len(listed) <= 2
        witness.until(lambda screen: all(f"{row['id']} " in screen for row in listed), "every order")
        console.until(
            lambda _: witness.pump(0.05) or body(console) == body(witness), "the picture that a fresh console has"
        )
    finally:
        console.close()
        witness.close()
    assert running.process.poll() is None
