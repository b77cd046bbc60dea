"""Whether a leg is left now: reached levels, their confirmation, their order, and what nobody can see."""

from __future__ import annotations

from datetime import time, timedelta

import msgspec
import pytest

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import LegStop, LockStep, SpikeGuard, StopKind, Watch, WatchKind
from optconsole.engine.model.leg_state import Arming, Place
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Leg
from optconsole.engine.rules.leg_exits import Blind, ExitNow, Verdict, decide, exit_due, move_to_cost
from tests.engine.rules.leg_cases import (
    FILLED,
    a_leg,
    after,
    minute_closed,
    of_index,
    opened,
    percent,
    points,
    seen,
    through,
)

BUY, SELL = Side.BUY, Side.SELL


def out(verdict: Verdict) -> ExitNow:
    assert isinstance(verdict, ExitNow)
    return verdict


@pytest.mark.parametrize(("side", "stop", "before"), [(SELL, 125, 124.95), (BUY, 75, 75.05)])
def test_a_stop_is_reached_at_its_level_and_not_before(side: Side, stop: float, before: float) -> None:
    leg = a_leg(side, stop=percent(25))
    levels = opened(leg, 100)
    assert decide(levels, leg, seen(before)) is None
    assert out(decide(levels, leg, seen(stop))).code is ExitCode.LEG_SL


@pytest.mark.parametrize(("side", "target", "before"), [(SELL, 60, 60.05), (BUY, 140, 139.95)])
def test_a_target_is_reached_at_its_level_and_not_before(side: Side, target: float, before: float) -> None:
    leg = a_leg(side, target=percent(40))
    levels = opened(leg, 100)
    assert decide(levels, leg, seen(before)) is None
    assert out(decide(levels, leg, seen(target))).code is ExitCode.LEG_TGT


def test_a_gap_through_the_stop_leaves_at_once_and_says_how_far() -> None:
    leg = a_leg(SELL, stop=points(20))
    exit_ = out(decide(opened(leg, 100), leg, seen(163)))
    assert (exit_.price, exit_.level) == (163_00, 120_00)
    assert exit_.why == "The price 163.00 reached the stop 120.00, 43.00 beyond it."


def test_a_stop_passed_by_one_tick_is_no_gap() -> None:
    leg = a_leg(SELL, stop=points(20))
    assert out(decide(opened(leg, 100), leg, seen(120.05))).why == "The price 120.05 reached the stop 120.00."


def test_the_stop_comes_before_the_target_on_one_tick() -> None:
    """The index says stop, the premium says target."""
    leg = a_leg(SELL, Right.CALL, of_index(100), target=points(20))
    assert out(decide(opened(leg, 100, 24_500), leg, seen(70, 24_600))).code is ExitCode.LEG_SL


def test_the_stop_as_it_stood_comes_before_the_trail_of_the_same_tick() -> None:
    leg = a_leg(SELL, stop=points(20), locks=(LockStep(points(10), points(30)),))
    levels = opened(leg, 100)
    assert decide(levels, leg, seen(88)) is None
    assert out(decide(through(levels, leg, 88), leg, seen(88))).code is ExitCode.LEG_TSL


def test_an_underlying_stop_leaves_by_the_underlying() -> None:
    leg = a_leg(SELL, Right.PUT, of_index(100))
    levels = opened(leg, 100, 24_500)
    assert decide(levels, leg, seen(500, 24_400.05)) is None
    exit_ = out(decide(levels, leg, seen(None, 24_399)))
    assert (exit_.place, exit_.price) == (Place.UNDERLYING, 24_399_00)


def test_an_unknown_underlying_neither_triggers_nor_is_safe() -> None:
    leg = a_leg(SELL, stop=of_index(100))
    verdict = decide(opened(leg, 100, 24_500), leg, seen(90))
    assert isinstance(verdict, Blind)
    assert "underlying" in verdict.why


def test_an_unknown_premium_is_told_as_blind() -> None:
    leg = a_leg(SELL, stop=points(20))
    verdict = decide(opened(leg, 100), leg, seen(None, 24_500))
    assert isinstance(verdict, Blind)
    assert "contract" in verdict.why


def test_a_leg_that_watches_nothing_is_not_blind() -> None:
    leg = a_leg(SELL)
    assert decide(opened(leg, 100), leg, seen(None)) is None


def test_a_stop_that_could_not_be_set_is_told_until_it_is() -> None:
    leg = Leg(id="a", side=SELL, right=Right.CALL, stop=LegStop(kind=StopKind.DAY_HIGH), target=points(20))
    levels = opened(leg, 100)
    verdict = decide(levels, leg, seen(90))
    assert isinstance(verdict, Blind)
    assert "previous day" in verdict.why
    assert out(decide(levels, leg, seen(80))).code is ExitCode.LEG_TGT


def test_a_known_stop_acts_while_the_other_price_is_unknown() -> None:
    leg = a_leg(SELL, stop=of_index(100), target=points(20))
    assert out(decide(opened(leg, 100, 24_500), leg, seen(None, 24_700))).code is ExitCode.LEG_SL


def test_mid_ignores_the_last_trade() -> None:
    leg = a_leg(SELL, stop=points(20), watch=Watch(kind=WatchKind.MID))
    levels = opened(leg, 100)
    assert decide(levels, leg, seen(150, bid=99, ask=101)) is None
    assert out(decide(levels, leg, seen(90, bid=119, ask=121))).price == 120_00
    assert isinstance(decide(levels, leg, seen(150, ask=101)), Blind)


def test_minute_close_waits_for_the_close() -> None:
    leg = a_leg(SELL, stop=points(20), watch=Watch(kind=WatchKind.MINUTE_CLOSE))
    levels = opened(leg, 100)
    assert decide(levels, leg, seen(150)) is None
    assert decide(levels, leg, minute_closed(119.95, 1)) is None
    assert out(decide(levels, leg, minute_closed(120, 2))).code is ExitCode.LEG_SL


def test_a_minute_that_ended_before_the_fill_is_not_looked_at() -> None:
    leg = a_leg(SELL, stop=points(20), watch=Watch(kind=WatchKind.MINUTE_CLOSE))
    assert decide(opened(leg, 100), leg, minute_closed(150, 0, now=5)) is None


def test_a_close_that_does_not_come_makes_blind() -> None:
    leg = a_leg(SELL, stop=points(20), watch=Watch(kind=WatchKind.MINUTE_CLOSE))
    levels = opened(leg, 100)
    assert isinstance(decide(levels, leg, seen(101, at=after(121))), Blind)
    assert isinstance(decide(levels, leg, minute_closed(119, 1, now=60 + 121)), Blind)


def test_a_leg_held_overnight_waits_for_the_first_minute_of_the_session() -> None:
    leg = a_leg(SELL, stop=points(20), watch=Watch(kind=WatchKind.MINUTE_CLOSE))
    levels, opens = opened(leg, 100), FILLED.replace(hour=9, minute=15) + timedelta(days=1)
    early = msgspec.structs.replace(minute_closed(105, 300), at=opens + timedelta(seconds=30), opens=opens)
    assert decide(levels, leg, early) is None
    assert isinstance(decide(levels, leg, msgspec.structs.replace(early, at=opens + timedelta(seconds=121))), Blind)


def test_twice_asks_for_two_different_quotes() -> None:
    leg = a_leg(SELL, stop=points(20), watch=Watch(twice=True))
    levels = opened(leg, 100)
    first = decide(levels, leg, seen(121, stamp=1))
    assert isinstance(first, Arming)
    again = decide(levels, leg, seen(121, stamp=1, at=after(9)), first)
    assert again == first, "the same quote told again is one quote"
    assert out(decide(levels, leg, seen(121, stamp=2), first)).code is ExitCode.LEG_SL


def test_twice_starts_anew_once_the_price_came_back() -> None:
    leg = a_leg(SELL, stop=points(20), watch=Watch(twice=True))
    levels = opened(leg, 100)
    first = decide(levels, leg, seen(121, stamp=1))
    assert isinstance(first, Arming)
    assert decide(levels, leg, seen(119, stamp=2), first) is None
    assert isinstance(decide(levels, leg, seen(121, stamp=3)), Arming)


def test_a_stop_seen_once_does_not_confirm_a_target() -> None:
    leg = a_leg(SELL, stop=points(20), target=points(20), watch=Watch(twice=True))
    levels = opened(leg, 100)
    first = decide(levels, leg, seen(121, stamp=1))
    assert isinstance(first, Arming)
    second = decide(levels, leg, seen(79, stamp=2), first)
    assert isinstance(second, Arming)
    assert second.target


def test_blindness_keeps_what_waits_for_confirmation() -> None:
    leg = a_leg(SELL, stop=points(20), watch=Watch(twice=True))
    levels = opened(leg, 100)
    first = decide(levels, leg, seen(121, stamp=1))
    assert isinstance(first, Arming)
    dark = decide(levels, leg, seen(None), first)
    assert isinstance(dark, Blind)
    assert dark.arming == first


def test_lx12_a_print_that_the_book_denies_counts_only_after_the_hold() -> None:
    leg = a_leg(SELL, stop=points(20), spike=SpikeGuard(disagree=500, hold=1500))
    levels = opened(leg, 100)
    first = decide(levels, leg, seen(125, bid=100, ask=101, at=after(1)))
    assert isinstance(first, Arming)
    still = decide(levels, leg, seen(126, bid=100, ask=101, stamp=2, at=after(2.4)), first)
    assert still == first
    assert isinstance(decide(levels, leg, seen(126, bid=100, ask=101, at=after(2.5)), first), ExitNow)


@pytest.mark.parametrize(("bid", "ask"), [(118, 119.5), (None, None), (None, 122)])
def test_lx12_a_print_that_the_book_does_not_deny_counts_at_once(bid: float | None, ask: float | None) -> None:
    leg = a_leg(SELL, stop=points(20), spike=SpikeGuard(disagree=500))
    assert isinstance(decide(opened(leg, 100), leg, seen(125, bid=bid, ask=ask)), ExitNow)


def test_lx12_guards_a_bought_leg_against_a_print_below_the_bid() -> None:
    leg = a_leg(BUY, stop=points(20), spike=SpikeGuard(disagree=500))
    assert isinstance(decide(opened(leg, 100), leg, seen(70, bid=99, ask=100)), Arming)


def test_a_leg_is_out_by_its_own_time_even_unseen() -> None:
    leg = a_leg(SELL, stop=points(20), exit_at=time(11, 0))
    levels = opened(leg, 100)
    due = FILLED.replace(hour=11, minute=0)
    assert isinstance(decide(levels, leg, seen(None, at=due - timedelta(milliseconds=1))), Blind)
    assert out(decide(levels, leg, seen(None, at=due))).code is ExitCode.TIME


def test_the_stop_comes_before_the_time() -> None:
    leg = a_leg(SELL, stop=points(20), exit_at=time(11, 0))
    exit_ = decide(opened(leg, 100), leg, seen(130, at=FILLED.replace(hour=11, minute=0)))
    assert out(exit_).code is ExitCode.LEG_SL


def test_an_exit_time_before_the_fill_is_tomorrows() -> None:
    filled = FILLED.replace(hour=15, minute=20)
    assert exit_due(filled, time(9, 30)) == (filled + timedelta(days=1)).replace(hour=9, minute=30)
    assert exit_due(filled, time(15, 20)).date() == (filled + timedelta(days=1)).date()
    assert exit_due(filled, time(15, 20, 1)).date() == filled.date()


def test_lx7_a_price_already_past_cost_leaves_now_with_cost_sl() -> None:
    """Sold the put at 102 with a 20-point stop; the call is stopped while the put is at 103."""
    leg = a_leg(SELL, Right.PUT, points(20))
    levels, exit_ = move_to_cost(opened(leg, 102), leg, seen(103))
    assert levels.leg.stop == 102_00
    assert exit_ is not None
    assert exit_.code is ExitCode.COST_SL


def test_lx7_a_price_on_the_good_side_of_cost_stays_with_the_stop_at_cost() -> None:
    leg = a_leg(SELL, Right.PUT, points(20))
    levels, exit_ = move_to_cost(opened(leg, 102), leg, seen(101.95))
    assert exit_ is None
    assert out(decide(levels, leg, seen(102))).code is ExitCode.COST_SL


def test_lx7_a_price_at_cost_leaves_now() -> None:
    leg = a_leg(SELL, Right.PUT, points(20))
    assert move_to_cost(opened(leg, 102), leg, seen(102))[1] is not None


def test_lx7_does_not_wait_for_a_minute_or_a_second_quote() -> None:
    leg = a_leg(SELL, Right.PUT, points(20), watch=Watch(kind=WatchKind.MINUTE_CLOSE, twice=True))
    assert move_to_cost(opened(leg, 102), leg, seen(103))[1] is not None


def test_lx7_an_unknown_price_moves_the_stop_and_decides_nothing() -> None:
    leg = a_leg(SELL, Right.PUT, points(20))
    levels, exit_ = move_to_cost(opened(leg, 102), leg, seen(None))
    assert (levels.leg.stop, exit_) == (102_00, None)
