"""Which re-entry an exit arms, or why none."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest

from optconsole.engine.model.exit_codes import LEG_STOPS, ExitCode
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import EntryWait, Reentry, ReentryMode
from optconsole.engine.model.orders import Side
from optconsole.engine.model.run_state import ArmedEntry, Counters
from optconsole.engine.model.strategies import Leg, Schedule, Strategy
from optconsole.engine.rules.reentries import Denial, LegExit, NoReentry, next_entry, taken
from tests.engine.rules.leg_cases import FILLED, after, points

CALL = "NIFTY 24NOV26 24500 CE"


def a_strategy(leg: Leg, *others: Leg, **words: Any) -> Strategy:
    schedule = Schedule(entry_at=time(9, 20), exit_at=time(15, 15), **words.pop("schedule", {}))
    return Strategy(name="s", underlying="NIFTY", legs=(leg, *others), schedule=schedule, **words)


def sold(on_stop: Reentry | None = None, on_target: Reentry | None = None, **words: Any) -> Leg:
    return Leg(id="a", side=Side.SELL, right=Right.CALL, on_stop=on_stop, on_target=on_target, **words)


def left(code: ExitCode = ExitCode.LEG_SL, **facts: Any) -> LegExit:
    """Sold at 98, bought back at 118, ten minutes after the fill."""
    base: dict[str, Any] = {
        "leg": "a",
        "code": code,
        "at": after(600),
        "since": FILLED,
        "side": Side.SELL,
        "contract": CALL,
        "entry": 98_00,
        "price": 118_00,
        "tick": 5,
        "lot": 65,
    }
    return LegExit(**(base | facts))


def armed(found: ArmedEntry | NoReentry) -> ArmedEntry:
    assert isinstance(found, ArmedEntry), found
    return found


def denial(found: object) -> Denial:
    assert isinstance(found, NoReentry)
    return found.code


COST = Reentry(mode=ReentryMode.COST, times=2)


@pytest.mark.parametrize(
    ("mode", "contract"),
    [
        (ReentryMode.EXECUTE, None),
        (ReentryMode.MOMENTUM, None),
        (ReentryMode.COST, CALL),
        (ReentryMode.CLOSE, CALL),
    ],
)
def test_cost_and_close_keep_the_contract_and_the_others_choose_anew(mode: ReentryMode, contract: str | None) -> None:
    found = armed(next_entry(a_strategy(sold(Reentry(mode=mode))), left(), Counters()))
    assert (found.contract, found.legs, found.side) == (contract, ("a",), Side.SELL)


@pytest.mark.parametrize("code", sorted(LEG_STOPS))
def test_every_kind_of_leg_stop_is_a_stop(code: ExitCode) -> None:
    assert not armed(next_entry(a_strategy(sold(COST)), left(code), Counters())).target


def test_a_target_has_a_rule_and_a_counter_of_its_own() -> None:
    strategy = a_strategy(sold(COST, Reentry(mode=ReentryMode.EXECUTE)))
    found = armed(next_entry(strategy, left(ExitCode.LEG_TGT), Counters(after_stop={"a": 2})))
    assert (found.mode, found.target) == (ReentryMode.EXECUTE, True)
    spent = Counters(after_target={"a": 1})
    assert denial(next_entry(strategy, left(ExitCode.LEG_TGT), spent)) is Denial.USED_UP
    assert armed(next_entry(strategy, left(), spent)).mode is ReentryMode.COST


def test_re_cost_of_two_is_armed_twice_and_not_a_third_time() -> None:
    strategy, counters = a_strategy(sold(COST)), Counters()
    for _ in range(2):
        counters = taken(counters, armed(next_entry(strategy, left(), counters)))
    assert denial(next_entry(strategy, left(), counters)) is Denial.USED_UP


def test_a_shared_maximum_counts_all_legs_together() -> None:
    other = Leg(id="b", side=Side.SELL, right=Right.PUT, on_stop=COST)
    strategy = a_strategy(sold(COST), other, reentry_shared_max=1)
    assert denial(next_entry(strategy, left(), Counters(after_target={"b": 1}))) is Denial.SHARED_USED_UP


@pytest.mark.parametrize("code", [ExitCode.TIME, ExitCode.OVR_SL, ExitCode.KILL, ExitCode.EXTERNAL, ExitCode.EXPIRY])
def test_nothing_follows_an_exit_that_was_neither_stop_nor_target(code: ExitCode) -> None:
    assert denial(next_entry(a_strategy(sold(COST, COST)), left(code), Counters())) is Denial.NOT_THIS_EXIT


def test_a_leg_without_a_rule_stays_out() -> None:
    assert denial(next_entry(a_strategy(sold()), left(), Counters())) is Denial.NO_RULE
    assert denial(next_entry(a_strategy(sold(COST)), left(leg="gone"), Counters())) is Denial.NO_RULE


def test_nothing_is_armed_while_the_outcome_of_the_exit_is_unknown() -> None:
    assert denial(next_entry(a_strategy(sold(COST)), left(settled=False), Counters())) is Denial.EXIT_UNKNOWN


def test_a_leg_squared_off_by_hand_never_comes_back_that_day() -> None:
    strategy = a_strategy(sold(COST))
    assert denial(next_entry(strategy, left(ExitCode.MANUAL), Counters())) is Denial.MANUAL
    barred = Counters().bar("a", FILLED.date())
    assert denial(next_entry(strategy, left(), barred)) is Denial.MANUAL
    tomorrow = left(at=FILLED + timedelta(days=1))
    assert armed(next_entry(strategy, tomorrow, barred)).leg == "a"


def test_a_delay_is_counted_from_the_exit() -> None:
    rule = Reentry(mode=ReentryMode.EXECUTE, delay=90)
    assert armed(next_entry(a_strategy(sold(rule)), left(), Counters())).due == after(690)


def test_a_window_that_has_not_opened_is_waited_for() -> None:
    rule = Reentry(mode=ReentryMode.EXECUTE, not_before=time(10, 0), not_after=time(11, 0))
    found = armed(next_entry(a_strategy(sold(rule)), left(), Counters()))
    assert (found.due, found.ends) == (FILLED.replace(hour=10, minute=0), FILLED.replace(hour=11, minute=0))


@pytest.mark.parametrize(
    "words",
    [
        {"leg": {"on_stop": Reentry(mode=ReentryMode.COST, not_after=time(9, 30))}},
        {"leg": {"on_stop": COST, "exit_at": time(9, 30)}},
        {"leg": {"on_stop": COST}, "schedule": {"no_reentry_after": time(9, 30)}},
        {"leg": {"on_stop": Reentry(mode=ReentryMode.COST, delay=60, not_after=time(9, 31))}},
    ],
)
def test_an_exit_after_the_last_moment_arms_nothing(words: dict[str, Any]) -> None:
    """The exit is at 09:30:00, and every window is half open."""
    strategy = a_strategy(sold(**words["leg"]), schedule=words.get("schedule", {}))
    assert denial(next_entry(strategy, left(), Counters())) is Denial.TOO_LATE


def test_nothing_is_armed_once_the_run_is_over() -> None:
    assert denial(next_entry(a_strategy(sold(COST)), left(), Counters(), ends=after(600))) is Denial.TOO_LATE
    assert armed(next_entry(a_strategy(sold(COST)), left(), Counters(), ends=after(601))).ends == after(601)


def test_reverse_turns_the_side_that_was_traded() -> None:
    strategy = a_strategy(sold(Reentry(mode=ReentryMode.COST, reverse=True, times=5)))
    assert armed(next_entry(strategy, left(), Counters())).side is Side.BUY
    assert armed(next_entry(strategy, left(side=Side.BUY), Counters())).side is Side.SELL


def test_a_lazy_re_entry_arms_the_legs_it_names() -> None:
    """A call stopped arms a cheaper one, which was defined beforehand and brings its own momentum."""
    lazy = Leg(id="lazy", side=Side.SELL, right=Right.CALL, lazy=True, wait=EntryWait(move=points(-20)))
    rule = Reentry(mode=ReentryMode.LAZY, arms=("lazy",))
    found = armed(next_entry(a_strategy(sold(rule), lazy), left(), Counters()))
    assert (found.legs, found.contract, found.wait) == (("lazy",), None, None)


def test_square_off_all_runs_everything_anew() -> None:
    rule = Reentry(mode=ReentryMode.EXECUTE, square_off_all=True)
    found = armed(next_entry(a_strategy(sold(rule)), left(), Counters()))
    assert (found.everything, found.legs) == (True, ())


def test_momentum_takes_its_own_move_or_else_that_of_the_leg() -> None:
    own = Reentry(mode=ReentryMode.MOMENTUM, wait=points(5))
    assert armed(next_entry(a_strategy(sold(own)), left(), Counters())).wait == points(5)
    legs = sold(Reentry(mode=ReentryMode.MOMENTUM), wait=EntryWait(move=points(7)))
    assert armed(next_entry(a_strategy(legs), left(), Counters())).wait == points(7)
    plain = sold(Reentry(mode=ReentryMode.EXECUTE), wait=EntryWait(move=points(7)))
    assert armed(next_entry(a_strategy(plain), left(), Counters())).wait is None, "at once means without a wait"
