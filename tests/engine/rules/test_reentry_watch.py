"""Whether an armed re-entry is taken now."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.leg_rules import LegStop, Reentry, ReentryMode
from optconsole.engine.model.orders import Side
from optconsole.engine.model.run_state import ArmedEntry, Counters
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.leg_levels import Fill, open_levels
from optconsole.engine.rules.reentries import Denial, NoReentry, next_entry, taken
from optconsole.engine.rules.reentry_watch import ChooseNow, EnterNow, chosen, due
from tests.engine.rules.leg_cases import after, minute_closed, of_index, opened, points, seen, through
from tests.engine.rules.test_reentries import CALL, COST, a_strategy, armed, left, sold

NOW = after(601)


def start(rule: Reentry, counters: Counters | None = None, **facts: Any) -> tuple[ArmedEntry, Strategy]:
    target = facts.get("code") is ExitCode.LEG_TGT
    strategy = a_strategy(sold(None if target else rule, rule if target else None))
    return armed(next_entry(strategy, left(**facts), counters or Counters())), strategy


def follow(waiting: ArmedEntry, strategy: Strategy, *prices: float) -> object:
    """What the last of these prices brings, one second apart."""
    outcome: object = None
    for second, price in enumerate(prices):
        outcome = due(waiting, strategy, Counters(), seen(price, at=after(601 + second)))
        if isinstance(outcome, ArmedEntry):
            waiting = outcome
    return outcome


def test_re_cost_sold_98_stopped_118_sells_the_same_contract_again_at_98() -> None:
    waiting, strategy = start(COST)
    assert follow(waiting, strategy, 117, 98.05) is None
    entered = follow(waiting, strategy, 117, 98.05, 98)
    assert isinstance(entered, EnterNow)
    assert (entered.contract, entered.legs, entered.side) == (CALL, ("a",), Side.SELL)


def test_re_cost_the_new_stop_is_measured_from_the_new_fill() -> None:
    leg = sold(COST, stop=LegStop(move=points(20)))
    trailed = through(opened(leg, 98), leg, 60)
    again = open_levels(leg, Fill(side=leg.side, entry=97_50, at=NOW, tick=5, lot=65))
    assert trailed.leg.best == 60_00
    assert (again.leg.stop, again.leg.best, again.since) == (117_50, 97_50, NOW)


def test_re_cost_ignores_the_third_touch() -> None:
    strategy, counters, entries = a_strategy(sold(COST)), Counters(), 0
    for _ in range(3):
        waiting = next_entry(strategy, left(), counters)
        if isinstance(waiting, ArmedEntry) and isinstance(follow(waiting, strategy, 110, 98), EnterNow):
            counters, entries = taken(counters, waiting), entries + 1
    assert entries == 2


def test_re_cost_of_a_bought_leg_comes_back_from_below() -> None:
    waiting, strategy = start(COST, side=Side.BUY, price=78_00)
    assert follow(waiting, strategy, 80, 97.95) is None
    assert isinstance(follow(waiting, strategy, 80, 98), EnterNow)


def test_re_cost_must_first_have_been_away_from_cost() -> None:
    waiting, strategy = start(COST, code=ExitCode.COST_SL, price=98_00)
    assert follow(waiting, strategy, 98, 97, 96) is None
    assert isinstance(follow(waiting, strategy, 97, 98.05, 98), EnterNow)


def test_re_cost_after_a_target_comes_back_from_the_side_of_the_gain() -> None:
    waiting, strategy = start(COST, code=ExitCode.LEG_TGT, price=60_00)
    assert follow(waiting, strategy, 61, 97.95) is None
    assert isinstance(follow(waiting, strategy, 61, 98), EnterNow)


def test_re_cost_reversed_buys_at_cost() -> None:
    waiting, strategy = start(Reentry(mode=ReentryMode.COST, reverse=True))
    entered = follow(waiting, strategy, 110, 98)
    assert isinstance(entered, EnterNow)
    assert entered.side is Side.BUY


def test_re_cost_is_blind_without_a_price() -> None:
    waiting, strategy = start(COST)
    assert isinstance(due(waiting, strategy, Counters(), seen(None, at=NOW)), Blind)


def test_re_cost_with_a_wait_moves_on_from_the_touch() -> None:
    """Back at 97 with a wait for 10 points more: entered at 87."""
    waiting, strategy = start(Reentry(mode=ReentryMode.COST, wait=points(-10)))
    touched = follow(waiting, strategy, 97)
    assert isinstance(touched, ArmedEntry)
    assert (touched.touched, touched.reference) == (True, 97_00)
    assert follow(touched, strategy, 87.05, 105) is None
    assert isinstance(follow(touched, strategy, 105, 87), EnterNow)


@pytest.mark.parametrize(("side", "close", "enters"), [("SELL", 98, True), ("SELL", 98.05, False), ("BUY", 98, True)])
def test_a_minute_close_at_cost_or_better_enters(side: str, close: float, enters: bool) -> None:
    waiting, strategy = start(Reentry(mode=ReentryMode.CLOSE), side=Side(side))
    outcome = due(waiting, strategy, Counters(), minute_closed(close, 11))
    assert isinstance(outcome, EnterNow) is enters


def test_a_bought_leg_waits_for_a_close_not_below_cost() -> None:
    waiting, strategy = start(Reentry(mode=ReentryMode.CLOSE), side=Side.BUY)
    assert due(waiting, strategy, Counters(), minute_closed(97.95, 11)) is None


def test_prices_inside_the_minute_do_not_count_for_its_close() -> None:
    waiting, strategy = start(Reentry(mode=ReentryMode.CLOSE))
    assert due(waiting, strategy, Counters(), seen(50, at=NOW)) is None


def test_a_minute_that_ended_before_the_exit_or_long_ago_does_not_count() -> None:
    waiting, strategy = start(Reentry(mode=ReentryMode.CLOSE))
    assert due(waiting, strategy, Counters(), minute_closed(50, 10, now=601)) is None
    assert due(waiting, strategy, Counters(), minute_closed(50, 11, now=660 + 121)) is None


def test_execute_enters_once_its_delay_is_over() -> None:
    waiting, strategy = start(Reentry(mode=ReentryMode.EXECUTE, delay=30))
    assert due(waiting, strategy, Counters(), seen(None, at=after(629.999))) is None
    entered = due(waiting, strategy, Counters(), seen(None, at=after(630)))
    assert isinstance(entered, EnterNow)
    assert entered.contract is None


def test_nothing_is_entered_while_an_exit_is_unsettled() -> None:
    waiting, strategy = start(Reentry(mode=ReentryMode.EXECUTE))
    assert due(waiting, strategy, Counters(), seen(90, at=NOW), settled=False) is None
    waiting, strategy = start(COST, price=None)
    moved = due(waiting, strategy, Counters(), seen(110, at=NOW), settled=False)
    assert isinstance(moved, ArmedEntry)
    assert moved.away, "that the price went away is remembered meanwhile"


def test_momentum_chooses_anew_takes_the_first_price_and_waits_for_the_move() -> None:
    waiting, strategy = start(Reentry(mode=ReentryMode.MOMENTUM, wait=points(15)))
    assert due(waiting, strategy, Counters(), seen(None, at=NOW)) == ChooseNow("a")
    waiting = chosen(waiting, "NIFTY 24NOV26 24600 CE", 5, 65)
    assert isinstance(due(waiting, strategy, Counters(), seen(None, at=NOW)), Blind)
    assert follow(waiting, strategy, 200, 214.95) is None
    entered = follow(waiting, strategy, 200, 215)
    assert isinstance(entered, EnterNow)
    assert entered.contract == "NIFTY 24NOV26 24600 CE"


def test_momentum_may_wait_for_the_underlying() -> None:
    waiting, strategy = start(Reentry(mode=ReentryMode.MOMENTUM, wait=of_index(-50)))
    waiting = chosen(waiting, CALL, 5, 65)
    first = due(waiting, strategy, Counters(), seen(100, 24_500, at=NOW))
    assert isinstance(first, ArmedEntry)
    assert due(first, strategy, Counters(), seen(1, 24_450.05, at=NOW)) is None
    assert isinstance(due(first, strategy, Counters(), seen(None, 24_450, at=NOW)), EnterNow)


@pytest.mark.parametrize(("mode", "applies"), [(ReentryMode.EXECUTE, False), (ReentryMode.MOMENTUM, True)])
def test_a_run_anew_skips_combined_momentum_unless_it_is_a_momentum_re_entry(mode: ReentryMode, applies: bool) -> None:
    waiting, strategy = start(Reentry(mode=mode, square_off_all=True))
    entered = due(waiting, strategy, Counters(), seen(None, at=NOW))
    assert isinstance(entered, EnterNow)
    assert (entered.everything, entered.apply_momentum) == (True, applies)


def test_lazy_legs_are_entered_as_defined() -> None:
    waiting, strategy = start(Reentry(mode=ReentryMode.LAZY, arms=("lazy", "wing")))
    entered = due(waiting, strategy, Counters(), seen(None, at=NOW))
    assert isinstance(entered, EnterNow)
    assert (entered.legs, entered.contract) == (("lazy", "wing"), None)


def test_an_armed_re_entry_ends_at_its_last_moment() -> None:
    waiting, strategy = start(COST)
    waiting = msgspec.structs.replace(waiting, ends=NOW)
    over = due(waiting, strategy, Counters(), seen(90, at=NOW))
    assert isinstance(over, NoReentry)
    assert over.code is Denial.TOO_LATE


def test_of_two_armed_legs_the_shared_maximum_lets_one_in() -> None:
    waiting, strategy = start(COST)
    strategy = msgspec.structs.replace(strategy, reentry_shared_max=1)
    over = due(waiting, strategy, Counters(after_stop={"b": 1}), seen(90, at=NOW))
    assert isinstance(over, NoReentry)
    assert over.code is Denial.SHARED_USED_UP


def test_a_leg_barred_while_it_waits_is_let_go() -> None:
    waiting, strategy = start(COST)
    over = due(waiting, strategy, Counters().bar("a", NOW.date()), seen(90, at=NOW))
    assert isinstance(over, NoReentry)
    assert over.code is Denial.MANUAL


@given(
    st.sampled_from(list(Side)),
    st.booleans(),
    st.lists(st.integers(80_00, 116_00), max_size=15),
)
def test_a_re_cost_enters_only_after_the_price_crossed_to_cost(side: Side, target: bool, prices: list[int]) -> None:
    code = ExitCode.LEG_TGT if target else ExitCode.LEG_SL
    waiting, strategy = start(COST, code=code, side=side, price=98_00)
    been_far = False
    for second, price in enumerate(prices):
        outcome = due(waiting, strategy, Counters(), seen(price / 100, at=after(601 + second)))
        beyond = (price - 98_00) * (side.sign if target else -side.sign)
        assert isinstance(outcome, EnterNow) is (been_far and beyond <= 0)
        if isinstance(outcome, EnterNow):
            return
        been_far = been_far or beyond > 0
        waiting = outcome if isinstance(outcome, ArmedEntry) else waiting
