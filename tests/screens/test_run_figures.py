"""What a run has made and does next: figures of the baskets, the day and the positions, without a terminal."""

from __future__ import annotations

from datetime import time, timedelta

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.commands import RunAction
from optconsole.engine.model.leg_rules import Reentry, ReentryMode
from optconsole.engine.model.overall_rules import Again, Overall, OverallReentry
from optconsole.engine.model.run_state import Counters
from optconsole.engine.model.runs import LegStage, Run, RunStatus, RunWatch
from optconsole.engine.model.triggers import Entry, Range
from optconsole.screens.formats import FULL
from optconsole.screens.run_figures import (
    Next,
    asks_person,
    cycles_left,
    next_of,
    next_of_leg,
    parts_by_source,
    reentries_left,
    run_gain,
)
from optconsole.screens.run_words import run_text
from optconsole.screens.steering import may
from optconsole.screens.today_rows import busiest, day_slots, head_line
from tests.screens.running import CE, PE, at, basket, run_of, running_link
from tests.screens.stage import LOT, NOON

STRADDLE, STRANGLE, EXPIRY = basket().strategies
replace = msgspec.structs.replace


def moved(run: Run, status: RunStatus, **changes: object) -> Run:
    return replace(run, status=status, **changes)


# ---------------------------------------------------------------- money


def test_a_run_s_profit_is_that_of_its_own_parts_and_unknown_while_one_has_no_price() -> None:
    state = running_link().state
    run, parts = state.runs["R1"], parts_by_source(state)
    marks = {CE: 14_000, PE: 14_000}
    assert run_gain(run, parts, marks.get) == 2 * LOT * (500 - 20)
    assert run_gain(run, parts, {CE: 14_000}.get) is None
    assert run_gain(state.runs["R2"], parts, {}.get) == 0


def test_charges_and_earlier_days_count_where_the_rules_say_so() -> None:
    state = running_link().state
    run, parts = replace(state.runs["R1"], earlier=(10_000, 700)), parts_by_source(state)
    marks = {CE: 14_500, PE: 13_980}
    assert run_gain(run, parts, marks.get) == 10_000
    net = replace(run, strategy=replace(run.strategy, overall=Overall(net=True)))
    assert run_gain(net, parts, marks.get) == 10_000 - 700 - 2 * 1_804


# ---------------------------------------------------------------- what comes


@pytest.mark.parametrize(
    ("status", "changes", "what", "when"),
    [
        (RunStatus.SCHEDULED, {}, "enters", "09:20"),
        (RunStatus.SCHEDULED, {"code": "ASK"}, "asks you", "15:00"),
        (RunStatus.WAITING, {}, "waits until", "15:00"),
        (RunStatus.ENTERING, {}, "is entering", None),
        (RunStatus.ACTIVE, {}, "leaves", "15:15"),
        (RunStatus.HALTED, {}, "leaves", "15:15"),
        (RunStatus.CLOSED, {}, "", None),
    ],
)
def test_what_a_run_does_next_follows_from_where_it_is(
    status: RunStatus, changes: dict[str, object], what: str, when: str | None
) -> None:
    run = moved(run_of(STRADDLE, 1), status, **changes)
    assert next_of(run) == Next(what, None if when is None else at(when))


def test_a_run_asks_a_person_only_while_the_word_is_missing() -> None:
    waiting = moved(run_of(STRANGLE, 1), RunStatus.WAITING)
    assert asks_person(waiting)
    assert next_of(waiting).what == "asks you"
    assert not asks_person(replace(waiting, watch=RunWatch(fired=("approval",))))


def test_a_leg_s_own_exit_time_comes_before_that_of_the_run() -> None:
    leg = replace(STRADDLE.legs[0], exit_at=time(11, 0))
    run = moved(run_of(replace(STRADDLE, legs=(leg, STRADDLE.legs[1])), 1), RunStatus.ACTIVE)
    run = replace(run, legs={**run.legs, "ce": replace(run.legs["ce"], stage=LegStage.OPEN)})
    assert next_of(run) == Next("ce leaves", at("11:00"))
    assert next_of_leg(run, run.legs["ce"]) == Next("leaves", at("11:00"))


def test_re_entries_left_count_down_and_share_where_they_are_shared() -> None:
    both = replace(STRADDLE.legs[0], on_target=Reentry(mode=ReentryMode.EXECUTE, times=3))
    strategy = replace(STRADDLE, legs=(both, STRADDLE.legs[1]))
    run = replace(run_of(strategy, 1), watch=RunWatch(counters=Counters(after_stop={"ce": 1}, after_target={"ce": 3})))
    assert reentries_left(run, run.legs["ce"]) == 1
    assert reentries_left(run, run.legs["pe"]) is None
    shared = replace(run, strategy=replace(strategy, reentry_shared_max=4))
    assert reentries_left(shared, shared.legs["ce"]) == 0


def test_cycles_left_are_those_of_the_whole_run() -> None:
    run = run_of(STRADDLE, 1)
    assert cycles_left(run) is None
    overall = Overall(on_stop=OverallReentry(how=Again.RUN, times=2))
    again = replace(run, strategy=replace(STRADDLE, overall=overall))
    assert cycles_left(again) == 2
    assert cycles_left(replace(again, watch=RunWatch(counters=Counters(cycles_after_stop=2)))) == 0


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        (RunStatus.SCHEDULED, {RunAction.NOW, RunAction.SKIP, RunAction.EXIT, RunAction.HALT}),
        (RunStatus.ACTIVE, {RunAction.EXIT, RunAction.HALT}),
        (RunStatus.HALTED, {RunAction.EXIT, RunAction.HALT, RunAction.RESUME}),
        (RunStatus.EXITING, set()),
        (RunStatus.CLOSED, set()),
    ],
)
def test_only_what_the_engine_would_do_is_offered(status: RunStatus, offered: set[RunAction]) -> None:
    run = moved(run_of(STRADDLE, 1), status)
    assert {action for action in RunAction if may(run, action)} == offered


# ---------------------------------------------------------------- the day


def test_the_day_tells_what_is_over_and_what_comes_in_order() -> None:
    slots = day_slots(running_link().state.runs.values(), at("15:30"))
    assert [(slot.key, slot.over) for slot in slots] == [
        ("R3/skip", True),
        ("R1/enter", True),
        ("R2/enter", False),
        ("R1/leave", False),
        ("R2/leave", False),
        ("close", False),
    ]
    assert slots[0].why == "Today is no expiry day of NIFTY."
    assert next(slot.orders for slot in slots if slot.key == "R1/leave") == 2


def test_a_range_that_is_watched_stands_in_the_day() -> None:
    strategy = replace(STRADDLE, entry=Entry(range=Range(start=time(9, 15), end=time(9, 45))))
    slots = day_slots([run_of(strategy, 1)])
    assert ("R1/range", at("09:45")) in [(slot.key, slot.at) for slot in slots]


def test_orders_due_in_one_second_beyond_the_rate_are_forecast_to_wait() -> None:
    slots = day_slots([run_of(STRADDLE, number) for number in range(1, 9)])
    found = busiest(slots, 10)
    assert found is not None
    assert found == (at("09:20"), 16, 0.6)
    told = "".join(part.text for side in head_line(slots, 10, NOON.replace(hour=9, minute=0), FULL) for part in side)
    assert "16 orders at 09:20:00, the last waits 0.6 s at 10 a second" in told
    assert busiest([], 10) is None


# ---------------------------------------------------------------- words


def test_facts_of_runs_are_told_in_plain_words() -> None:
    link = running_link()
    told = [found[0] for fact in link.journal if (found := run_text(fact.event, link.state, FULL)) is not None]
    assert told[0] == "Basket index income saved as version 1, 3 strategies"
    assert "short straddle (R1) is planned for 09:20:00 on PAPER1" in told
    assert "expiry call (R3) does not run today: Today is no expiry day of NIFTY." in told
    assert told[-1] == "short straddle entered, lag 76 ms"
    assert "short straddle ce filled at 145.00, stop 181.25" in told
    halted = ev.RunMoved(run_id="R1", status=RunStatus.HALTED, code="HALTED", text="Halted by hand.")
    assert run_text(halted, link.state, FULL) == ("short straddle halted: Halted by hand.", "bad")
    assert run_text(ev.EngineStopped(reason="x"), link.state, FULL) is None


def test_a_run_that_began_yesterday_shows_its_day() -> None:
    from optconsole.screens.basket_rows import moment, until

    assert moment(at("15:15") + timedelta(days=1), NOON) == "24 Nov 15:15"
    assert moment(at("15:15") + timedelta(seconds=5), NOON) == "15:15:05"
    assert until(90_000, FULL) == "−1d"
