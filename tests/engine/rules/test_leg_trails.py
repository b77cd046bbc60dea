"""How a leg's stop follows its gain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import LockStep, Measure, SpikeGuard, Trail, TrailKind, Unit, Watch, WatchKind
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Leg
from optconsole.engine.rules.leg_levels import open_levels
from optconsole.engine.rules.leg_trails import at_cost, on_price
from tests.engine.rules.leg_cases import (
    a_fill,
    a_leg,
    after,
    minute_closed,
    of_index,
    opened,
    paise,
    percent,
    points,
    seen,
    through,
)

BUY, SELL = Side.BUY, Side.SELL


def stepping(x: Measure, y: Measure, interval: int = 0) -> Trail:
    return Trail(kind=TrailKind.STEP, every=x, move=y, interval=interval)


def peak(distance: Measure, after_gain: Measure | None = None, interval: int = 0) -> Trail:
    return Trail(kind=TrailKind.PEAK, move=distance, after=after_gain, interval=interval)


def test_lx3_points_sold_at_100_low_79_moves_the_stop_to_120_and_low_69_to_115() -> None:
    leg = a_leg(SELL, stop=points(30), trail=stepping(points(10), points(5)))
    levels = through(opened(leg, 100), leg, 79)
    assert (levels.leg.stop, levels.leg.code) == (120_00, ExitCode.LEG_TSL)
    levels = through(levels, leg, 69)
    assert levels.leg.stop == 115_00
    assert through(levels, leg, 95, 110).leg.stop == 115_00


def test_lx3_points_bounces_to_95_with_the_stop_still_at_120() -> None:
    leg = a_leg(SELL, stop=points(30), trail=stepping(points(10), points(5)))
    assert through(opened(leg, 100), leg, 79, 95).leg.stop == 120_00


def test_lx3_percent_bought_at_200_high_223_makes_two_steps_to_180() -> None:
    leg = a_leg(BUY, stop=percent(20), trail=stepping(percent(5), percent(5)))
    levels = opened(leg, 200)
    assert levels.leg.stop == 160_00
    assert through(levels, leg, 223).leg.stop == 180_00


def test_a_gain_short_of_one_step_moves_nothing() -> None:
    leg = a_leg(SELL, stop=points(30), trail=stepping(points(10), points(5)))
    levels = through(opened(leg, 100), leg, 90.05)
    assert (levels.leg.stop, levels.leg.code) == (130_00, ExitCode.LEG_SL)


def test_steps_may_be_counted_on_the_underlying_and_move_the_premium_stop() -> None:
    leg = a_leg(SELL, Right.CALL, points(30), trail=stepping(of_index(50), points(5)))
    levels = on_price(opened(leg, 100, 24_500), leg, seen(80, 24_395))
    assert levels.leg.stop == 120_00


def test_a_stop_on_the_underlying_trails_the_underlying() -> None:
    leg = a_leg(SELL, Right.CALL, of_index(100), trail=stepping(of_index(50), of_index(25)))
    levels = on_price(opened(leg, 100, 24_500), leg, seen(None, 24_395))
    assert levels.index is not None
    assert levels.index.stop == 24_550_00


def test_lx4_peak_trail_follows_from_the_first_tick() -> None:
    leg = a_leg(BUY, trail=peak(points(10)))
    levels = opened(leg, 100)
    assert levels.leg.stop == 90_00
    levels = through(levels, leg, 104, 101)
    assert (levels.leg.stop, levels.leg.code) == (94_00, ExitCode.LEG_TSL)


def test_lx4_peak_trail_waits_for_its_activation_gain() -> None:
    leg = a_leg(BUY, stop=points(30), trail=peak(points(10), percent(20)))
    levels = through(opened(leg, 100), leg, 119.95)
    assert levels.leg.stop == 70_00
    assert through(levels, leg, 120).leg.stop == 110_00


def test_a_peak_trail_wider_than_the_stop_leaves_the_stop() -> None:
    leg = a_leg(BUY, stop=points(5), trail=peak(points(30)))
    levels = through(opened(leg, 100), leg, 110)
    assert (levels.leg.stop, levels.leg.code) == (95_00, ExitCode.LEG_SL)


def test_a_trailing_interval_sees_the_low_inside_it_only_once_it_has_ended() -> None:
    leg = a_leg(SELL, stop=points(30), trail=stepping(points(10), points(5), interval=60))
    levels = opened(leg, 100)
    for second, price in ((5, 95), (20, 79), (59, 97)):
        levels = on_price(levels, leg, seen(price, at=after(second)))
    assert levels.leg.stop == 130_00
    levels = on_price(levels, leg, seen(98, at=after(60)))
    assert levels.leg.stop == 120_00


def test_the_tick_on_the_boundary_belongs_to_the_next_interval() -> None:
    leg = a_leg(SELL, stop=points(30), trail=stepping(points(10), points(5), interval=60))
    levels = on_price(opened(leg, 100), leg, seen(79, at=after(60)))
    assert levels.leg.stop == 130_00
    assert on_price(levels, leg, seen(99, at=after(120))).leg.stop == 120_00


def test_an_interval_uses_every_price_inside_it_though_the_stop_waits_for_the_close() -> None:
    leg = a_leg(
        SELL,
        stop=points(30),
        watch=Watch(kind=WatchKind.MINUTE_CLOSE),
        trail=stepping(points(10), points(5), interval=60),
    )
    levels = on_price(opened(leg, 100), leg, seen(79, at=after(30)))
    assert on_price(levels, leg, minute_closed(99, 1)).leg.stop == 120_00


def test_a_trail_on_minute_closes_does_not_follow_prices_in_between() -> None:
    leg = a_leg(SELL, stop=points(30), watch=Watch(kind=WatchKind.MINUTE_CLOSE), trail=stepping(points(10), points(5)))
    levels = on_price(opened(leg, 100), leg, seen(70))
    assert levels.leg.stop == 130_00
    assert on_price(levels, leg, minute_closed(79, 1)).leg.stop == 120_00


def test_a_print_that_the_book_denies_does_not_pull_the_stop() -> None:
    leg = a_leg(BUY, trail=peak(points(10)), spike=SpikeGuard(disagree=200))
    levels = on_price(opened(leg, 100), leg, seen(150, bid=100, ask=101))
    assert levels.leg.best == 100_00
    assert on_price(levels, leg, seen(102, bid=100, ask=101)).leg.stop == 92_00


@pytest.mark.parametrize(("side", "gained", "short"), [(SELL, 90, 90.05), (BUY, 110, 109.95)])
def test_lx5_the_stop_goes_to_the_entry_once_the_gain_is_there(side: Side, gained: float, short: float) -> None:
    leg = a_leg(side, stop=points(30), breakeven=points(10))
    levels = through(opened(leg, 100), leg, short)
    assert levels.leg.code is ExitCode.LEG_SL
    levels = through(levels, leg, gained, 100)
    assert (levels.leg.stop, levels.leg.code) == (100_00, ExitCode.BE_SL)


def test_lx5_the_tighter_of_breakeven_and_trail_is_in_force() -> None:
    leg = a_leg(SELL, stop=points(30), breakeven=points(10), trail=stepping(points(10), points(20)))
    assert through(opened(leg, 100), leg, 90).leg.stop == 100_00
    levels = through(opened(leg, 100), leg, 80)
    assert (levels.leg.stop, levels.leg.code) == (90_00, ExitCode.LEG_TSL)


def test_lx6_the_highest_rung_reached_sets_the_stop() -> None:
    locks = (LockStep(points(10), points(0)), LockStep(points(20), points(8)), LockStep(points(40), points(25)))
    leg = a_leg(SELL, stop=points(30), locks=locks)
    assert through(opened(leg, 100), leg, 91).leg.stop == 130_00
    assert through(opened(leg, 100), leg, 90).leg.stop == 100_00
    assert through(opened(leg, 100), leg, 80).leg.stop == 92_00
    assert through(opened(leg, 100), leg, 55, 99).leg.stop == 75_00


def test_lx7_the_other_legs_stop_moves_from_122_to_its_own_average_of_102() -> None:
    leg = a_leg(SELL, Right.PUT, points(20))
    levels = opened(leg, 102)
    assert levels.leg.stop == 122_00
    moved = at_cost(levels, leg)
    assert (moved.leg.stop, moved.leg.code) == (102_00, ExitCode.COST_SL)


def test_lx7_a_stop_that_is_better_than_cost_is_left_alone() -> None:
    leg = a_leg(SELL, Right.PUT, points(20), locks=(LockStep(points(10), points(5)),))
    levels = through(opened(leg, 102), leg, 90)
    assert levels.leg.stop == 97_00
    assert at_cost(levels, leg) is levels


def test_lx7_a_leg_without_a_stop_gets_one_at_cost() -> None:
    leg = a_leg(BUY, Right.PUT)
    assert at_cost(opened(leg, 102), leg).leg.stop == 102_00


def test_an_unknown_price_changes_nothing() -> None:
    leg = a_leg(SELL, stop=points(30), trail=stepping(points(10), points(5)))
    levels = opened(leg, 100)
    assert on_price(levels, leg, seen(None)) is levels


RUPEES = st.integers(1, 4_000).map(lambda steps: steps / 20)
MEASURES = st.one_of(
    st.integers(5, 100_00).map(Measure),
    st.integers(1, 10_000).map(lambda bp: Measure(bp, Unit.PERCENT)),
    st.integers(100, 6_500_00).map(lambda sum_: Measure(sum_, Unit.RUPEES_A_LOT)),
)
TRAILS = st.one_of(
    st.none(),
    st.builds(stepping, MEASURES, MEASURES, st.sampled_from([0, 0, 60])),
    st.builds(peak, MEASURES, st.none() | MEASURES, st.sampled_from([0, 0, 60])),
)
LEGS = st.builds(
    lambda side, stop, trail, even, locks: a_leg(side, Right.CALL, stop, trail=trail, breakeven=even, locks=locks),
    st.sampled_from(list(Side)),
    st.none() | MEASURES,
    TRAILS,
    st.none() | MEASURES,
    st.lists(st.builds(LockStep, MEASURES, MEASURES), max_size=2).map(tuple),
)


def tightness(stop: int | None, side: Side) -> float:
    return float("-inf") if stop is None else stop * side.sign


@given(leg=LEGS, entry=RUPEES, prices=st.lists(st.tuples(RUPEES, st.booleans()), max_size=12))
def test_a_stop_never_loosens(leg: Leg, entry: float, prices: list[tuple[float, bool]]) -> None:
    levels = opened(leg, entry)
    for second, (price, shift) in enumerate(prices):
        later = on_price(levels, leg, seen(price, at=after(second * 25)))
        later = at_cost(later, leg) if shift else later
        assert tightness(later.leg.stop, leg.side) >= tightness(levels.leg.stop, leg.side)
        levels = later


@given(leg=LEGS, entry=RUPEES, prices=st.lists(RUPEES, max_size=6), order=st.randoms())
def test_the_order_of_prices_of_one_instant_is_irrelevant(
    leg: Leg, entry: float, prices: list[float], order: object
) -> None:
    shuffled = list(prices)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert through(opened(leg, entry), leg, *prices) == through(opened(leg, entry), leg, *shuffled)


@given(entry=RUPEES, moves=st.lists(st.integers(0, 40), max_size=10), trail=TRAILS, side=st.sampled_from(list(Side)))
def test_a_trail_with_ever_better_prices_only_ever_follows_them(
    entry: float, moves: list[int], trail: Trail | None, side: Side
) -> None:
    leg = a_leg(side, stop=points(10), trail=trail)
    levels = open_levels(leg, a_fill(side, entry + 50))
    price, stops = entry + 50, [levels.leg.stop or 0]
    for second, move in enumerate(moves):
        price = max(price + side.sign * move / 20, 0.05)
        levels = on_price(levels, leg, seen(price, at=after(second * 30)))
        stops.append(levels.leg.stop or 0)
        assert levels.leg.best == paise(price)
    assert stops == sorted(stops, reverse=side is SELL)


@given(entry=st.integers(20, 4_000), lows=st.lists(st.integers(1, 4_000), max_size=6), factor=st.integers(2, 20))
def test_scaling_all_prices_scales_a_percent_trail(entry: int, lows: list[int], factor: int) -> None:
    leg = a_leg(SELL, stop=percent(30), trail=stepping(percent(7), percent(3)), breakeven=percent(11))
    small = through(opened(leg, entry / 20), leg, *(low / 20 for low in lows)).leg.stop
    grown = opened(leg, entry * factor / 20, tick=5 * factor)
    large = through(grown, leg, *(low * factor / 20 for low in lows)).leg.stop
    assert small is not None
    assert large == small * factor
