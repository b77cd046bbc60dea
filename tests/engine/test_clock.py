from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.clock import WallClock
from tests.engine.facts import START


class Machine:
    """A machine whose time of day somebody sets."""

    def __init__(self) -> None:
        self.passed, self.set_by = 0.0, 0.0
        self.clock = WallClock(lambda: START + timedelta(seconds=self.passed + self.set_by), lambda: self.passed)

    def after(self, seconds: float, set_by: float = 0.0) -> float:
        """Our seconds since the start, a while later."""
        self.passed += seconds
        self.set_by += set_by
        return (self.clock.now() - START).total_seconds()


def test_a_clock_nobody_sets_is_the_walls() -> None:
    machine = Machine()
    assert [machine.after(1.0) for _ in range(3)] == [1.0, 2.0, 3.0]
    assert machine.clock.stepped() == 0.0


def test_a_clock_set_forward_is_followed_at_once_and_told() -> None:
    machine = Machine()
    assert machine.after(1.0, set_by=600.0) == 601.0
    assert machine.clock.stepped() == pytest.approx(600.0)


def test_a_clock_set_back_never_takes_our_time_back_and_is_caught_up_with_slowly() -> None:
    machine = Machine()
    assert machine.after(100.0) == 100.0
    assert machine.after(10.0, set_by=-30.0) == pytest.approx(109.5)
    assert machine.clock.stepped() == pytest.approx(-30.0)
    last = 0.0
    for _ in range(1000):
        last = machine.after(1.0)
    assert last == pytest.approx(machine.passed - 30.0)
    assert machine.clock.stepped() == pytest.approx(-30.0)


def test_small_corrections_of_a_time_service_are_no_steps() -> None:
    machine = Machine()
    for _ in range(100):
        machine.after(10.0, set_by=0.2)
        machine.after(10.0, set_by=-0.3)
    assert machine.clock.stepped() == 0.0


@given(st.lists(st.tuples(st.floats(0.0, 5_000.0), st.floats(-5_000.0, 5_000.0)), max_size=30))
def test_our_time_never_goes_back(moves: list[tuple[float, float]]) -> None:
    machine = Machine()
    seen = [machine.after(passed, set_by) for passed, set_by in moves]
    assert all(earlier <= later for earlier, later in pairwise(seen))
