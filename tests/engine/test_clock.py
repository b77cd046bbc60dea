from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.clock import WallClock
from optconsole.engine.model.timeline import millis
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


@given(
    st.lists(st.tuples(st.floats(0.0, 20.0), st.floats(-5_000.0, 5_000.0)), max_size=30),
    st.lists(st.floats(0.0, 60.0), min_size=1, max_size=20),
)
def test_durations_are_the_machines_whatever_is_done_to_the_time_of_day(
    moves: list[tuple[float, float]], after: list[float]
) -> None:
    machine = Machine()
    for passed, set_by in moves:
        machine.after(passed, set_by)
    moment, began = machine.clock.now(), machine.passed
    for passed in after:
        machine.after(passed)
        machine.set_by += 900.0
        assert machine.clock.since(moment).total_seconds() == pytest.approx(machine.passed - began, abs=2.0)


def test_what_an_earlier_life_with_a_clock_ahead_wrote_ages_from_the_start() -> None:
    machine = Machine()
    ahead = START + timedelta(hours=1)
    machine.clock.not_before(ahead)
    machine.after(30.0)
    assert machine.clock.since(ahead) == timedelta(seconds=30)
    assert ahead < machine.clock.now() < ahead + timedelta(seconds=31)


def test_a_fact_of_another_day_is_no_ground_to_run_ahead() -> None:
    machine = Machine()
    machine.clock.not_before(START + timedelta(days=400))
    assert machine.after(30.0) == 30.0
    assert machine.clock.since(START + timedelta(days=400)) == timedelta(seconds=30)


def test_the_exchanges_stamps_bound_the_time_of_day_from_below() -> None:
    machine = Machine()
    assert machine.clock.bounds() == (START, START)
    machine.clock.heard(millis(START))
    machine.clock.heard(millis(START) - 60_000)
    machine.after(10.0, set_by=-3_600.0)
    now = START + timedelta(seconds=10)
    assert machine.clock.bounds() == (now - timedelta(hours=1), now)
    machine.after(0.0, set_by=7_200.0)
    assert machine.clock.bounds() == (now, now + timedelta(hours=1))
