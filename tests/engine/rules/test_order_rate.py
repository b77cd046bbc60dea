"""How long the orders of a day take to leave: a forecast that the real queue keeps to."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.requests import A_MINUTE, A_SECOND, SECOND, Urgency
from optconsole.engine.rules.ability import QUEUE_LIMIT
from optconsole.engine.rules.order_rate import Budget, Wave, departures, forecast
from tests.engine.facts import START
from tests.engine.test_requests import Desk
from tests.engine.virtual import play
from tests.simulation.kernel import SimClock

BUDGET = Budget(
    entries=A_SECOND[Urgency.ENTRY],
    exits=A_SECOND[Urgency.EXIT],
    window=SECOND,
    entries_a_minute=A_MINUTE[Urgency.ENTRY],
    exits_a_minute=A_MINUTE[Urgency.EXIT],
    patience=QUEUE_LIMIT,
)


def wave(name: str, count: int, after: float = 0.0, exits: bool = False) -> Wave:
    return Wave(name=name, at=START + timedelta(seconds=after), count=count, exits=exits)


def test_six_entries_leave_at_once_and_the_seventh_after_the_window() -> None:
    first, second = departures([wave("a", 6), wave("b", 1)], BUDGET)
    assert (first.first, first.last) == (0.0, 0.0)
    assert second.last == pytest.approx(1.1)


def test_a_hundred_entries_of_one_second_take_as_long_as_the_budget_says() -> None:
    told = forecast([wave(f"s{number}", 1) for number in range(100)], BUDGET)
    assert told.requests == told.busiest == 100
    assert told.slowest == pytest.approx(16 * 1.1)
    assert told.delays[0].at == START
    assert told.delays[0].seconds == told.slowest
    assert len(told.late) == 100 - 3 * 6  # those of the third window leave 2.2 s late, those of the fourth 3.3


def test_exits_go_before_entries_that_wait() -> None:
    entries, exits = departures([wave("in", 12), wave("out", 4, 0.5, exits=True)], BUDGET)
    assert exits.last == pytest.approx(0.0)
    assert entries.last > 1.1


def test_a_quiet_day_says_nothing() -> None:
    told = forecast([wave("a", 4), wave("b", 4, 60)], BUDGET)
    assert (told.delays, told.staggered, told.late, told.slowest) == ((), (), (), 0.0)
    assert forecast([], BUDGET).requests == 0


def test_the_minute_has_a_budget_of_its_own() -> None:
    waves = [wave(f"s{number}", 6, number * 1.15) for number in range(51)]
    assert departures(waves, BUDGET)[49].last == pytest.approx(0.0)
    assert departures(waves, BUDGET)[50].last > 0.0


def test_a_later_time_is_proposed_to_what_would_wait_and_never_to_an_exit() -> None:
    waves = [wave("a", 6), wave("b", 6), wave("c", 6), wave("out", 30, exits=True)]
    told = forecast(waves[:3], BUDGET).staggered
    assert [(each.name, (each.instead - START).total_seconds()) for each in told] == [("b", 1), ("c", 2)]
    assert "out" not in {each.name for each in forecast(waves, BUDGET).staggered}


# Each wave has a phase of its own within the tenth of a second: windows are whole tenths, so that no exit comes at the
# very instant at which something else leaves, where either order is right.
WAVES = st.lists(
    st.tuples(st.integers(1, 14), st.integers(0, 60), st.booleans()),
    min_size=1,
    max_size=8,
).map(
    lambda rows: [
        wave("x", count, tenths / 10 + place * 0.0123, exits) for place, (count, tenths, exits) in enumerate(rows)
    ]
)


@settings(max_examples=40, deadline=None)
@given(WAVES)
def test_every_wave_leaves_when_the_real_queue_lets_it(waves: list[Wave]) -> None:
    waves = sorted(waves, key=lambda each: each.at)

    async def scene(clock: SimClock) -> list[tuple[float, str]]:
        desk, begun = Desk(clock), clock.monotonic()
        first = min(each.at for each in waves)
        for place, each in enumerate(waves):
            due = begun + (each.at - first).total_seconds()
            if due > clock.monotonic():
                await clock.sleep(due - clock.monotonic())
            for number in range(each.count):
                kind = Urgency.EXIT if each.exits else Urgency.ENTRY
                desk.put(f"{place}.{number}", kind, 1e12)  # none is ever too old to leave
        await clock.sleep(60.0)
        return [(moment - begun, name) for moment, name in desk.wire.left]

    last: dict[int, float] = {}
    for moment, name in play(scene):
        last[int(name.split(".")[0])] = moment
    first = min(each.at for each in waves)
    for place, leaving in enumerate(departures(waves, BUDGET)):
        due = (waves[place].at - first).total_seconds()
        assert due + leaving.last == pytest.approx(last[place], abs=0.02)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5)), min_size=1, max_size=20))
def test_staggered_entries_wait_less_than_a_second_for_their_turn_and_leave_no_later(
    sizes: list[tuple[int, int]],
) -> None:
    waves = sorted((wave(f"s{place}", count, at) for place, (count, at) in enumerate(sizes)), key=lambda each: each.at)
    instead = {each.name: each.instead for each in forecast(waves, BUDGET).staggered}
    moved = [Wave(name=each.name, at=instead.get(each.name, each.at), count=each.count) for each in waves]
    for before, after in zip(departures(waves, BUDGET), departures(moved, BUDGET), strict=True):
        assert after.first < 1.0 + 1e-6
        assert _left(after.wave.at, after.last) <= _left(before.wave.at, before.last) + timedelta(milliseconds=1)


def _left(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)
