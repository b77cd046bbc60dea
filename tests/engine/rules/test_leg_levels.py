"""Where a leg's stop and target stand first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import Breakout, Edge, LegStop, Measure, StopKind, Trail, TrailKind, Unit
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Leg
from optconsole.engine.rules.leg_levels import Span, initial_stop, initial_target, needs_index, open_levels
from tests.engine.rules.leg_cases import a_fill, a_leg, of_index, opened, percent, points

BUY, SELL = Side.BUY, Side.SELL


def test_lx1_sold_at_100_with_25_percent_stops_at_125() -> None:
    assert opened(a_leg(SELL, stop=percent(25)), 100).leg.stop == 125_00


def test_lx1_bought_at_100_with_25_percent_stops_at_75() -> None:
    assert opened(a_leg(BUY, stop=percent(25)), 100).leg.stop == 75_00


def test_a_first_stop_acts_under_leg_sl() -> None:
    assert opened(a_leg(SELL, stop=points(20)), 98).leg.code is ExitCode.LEG_SL


@pytest.mark.parametrize(("side", "stop"), [(SELL, 118_00), (BUY, 78_00)])
def test_points_stand_against_the_side(side: Side, stop: int) -> None:
    assert opened(a_leg(side, stop=points(20)), 98).leg.stop == stop


def test_rupees_a_lot_are_shared_by_the_units_of_a_lot() -> None:
    leg = a_leg(SELL, stop=Measure(1_300_00, Unit.RUPEES_A_LOT))
    assert opened(leg, 100, lot=65).leg.stop == 120_00


@pytest.mark.parametrize(("side", "stop"), [(SELL, 112_50), (BUY, 87_55)])
def test_a_stop_is_rounded_to_the_protective_side(side: Side, stop: int) -> None:
    """12.5 % of 100.03 is 12.50375: 112.53 and 87.53 would be off tick."""
    assert opened(a_leg(side, stop=percent(12.5)), 100.03).leg.stop == stop


@pytest.mark.parametrize("side", [SELL, BUY])
def test_a_distance_below_one_tick_leaves_one_tick(side: Side) -> None:
    stop = opened(a_leg(side, stop=percent(0.01)), 100).leg.stop
    assert stop is not None
    assert (stop - 100_00) * side.sign == -5


@pytest.mark.parametrize(
    ("side", "right", "stop", "target"),
    [
        (SELL, Right.CALL, 24_600_00, 24_300_00),
        (SELL, Right.PUT, 24_400_00, 24_700_00),
        (BUY, Right.CALL, 24_400_00, 24_700_00),
        (BUY, Right.PUT, 24_600_00, 24_300_00),
        (SELL, None, 24_600_00, 24_300_00),
        (BUY, None, 24_400_00, 24_700_00),
    ],
)
def test_underlying_levels_stand_against_and_for_right_and_side(
    side: Side, right: Right | None, stop: int, target: int
) -> None:
    levels = opened(a_leg(side, right, of_index(100), target=of_index(200)), 100, 24_500)
    assert levels.index is not None
    assert (levels.index.stop, levels.index.target) == (stop, target)
    assert (levels.leg.stop, levels.leg.target) == (None, None)


def test_underlying_percent_is_of_the_underlying_at_the_fill() -> None:
    leg = a_leg(SELL, Right.CALL, Measure(100, Unit.UNDERLYING_PERCENT))
    levels = opened(leg, 100, 24_500)
    assert levels.index is not None
    assert levels.index.stop == 24_745_00


def test_an_underlying_unknown_at_the_fill_is_told_and_sets_nothing() -> None:
    levels = opened(a_leg(SELL, stop=of_index(100)), 100)
    assert levels.index is None
    assert len(levels.missing) == 1
    assert "underlying was unknown" in levels.missing[0]


@pytest.mark.parametrize(
    ("side", "edge", "stop"), [(BUY, Edge.HIGH, 90_00), (SELL, Edge.LOW, 112_40), (BUY, Edge.LOW, 112_40)]
)
def test_a_range_stop_of_the_option_is_the_opposite_edge(side: Side, edge: Edge, stop: int) -> None:
    leg = a_leg(side, breakout=Breakout(edge, of_option=True))
    leg = _with(leg, LegStop(kind=StopKind.RANGE))
    assert opened(leg, 100, range=Span(112_40, 90_00)).leg.stop == stop


def test_a_range_stop_of_the_underlying_stands_on_the_underlying() -> None:
    leg = _with(a_leg(BUY, Right.CALL, breakout=Breakout(Edge.HIGH)), LegStop(kind=StopKind.RANGE))
    levels = opened(leg, 100, 24_510, range=Span(24_500_00, 24_400_00))
    assert levels.index is not None
    assert (levels.index.stop, levels.leg.stop) == (24_400_00, None)


@pytest.mark.parametrize(("kind", "stop"), [(StopKind.DAY_HIGH, 140_00), (StopKind.DAY_LOW, 80_00)])
def test_yesterdays_high_and_low_of_the_option(kind: StopKind, stop: int) -> None:
    levels = opened(_with(a_leg(SELL), LegStop(kind=kind)), 100, day=Span(140_00, 80_00))
    assert levels.leg.stop == stop


def test_yesterdays_high_of_the_underlying() -> None:
    leg = _with(a_leg(SELL), LegStop(kind=StopKind.DAY_HIGH, of_underlying=True))
    levels = opened(leg, 100, 24_500, index_day=Span(24_630_00, 24_300_00))
    assert levels.index is not None
    assert levels.index.stop == 24_630_00


@pytest.mark.parametrize(
    ("stop", "word"),
    [(LegStop(kind=StopKind.DAY_HIGH), "previous day of the contract"), (LegStop(kind=StopKind.RANGE), "range")],
)
def test_an_unknown_span_is_told_and_sets_no_stop(stop: LegStop, word: str) -> None:
    levels = opened(_with(a_leg(SELL), stop), 100, 24_500)
    assert levels.leg.stop is None
    assert word in levels.missing[0]


@pytest.mark.parametrize(("side", "target"), [(SELL, 60_00), (BUY, 140_00)])
def test_a_target_mirrors_the_stop(side: Side, target: int) -> None:
    assert opened(a_leg(side, target=percent(40)), 100).leg.target == target


def test_a_buyers_target_may_be_a_thousand_percent() -> None:
    assert opened(a_leg(BUY, target=percent(1000)), 100).leg.target == 1_100_00


def test_a_sellers_target_is_capped_by_the_premium() -> None:
    assert opened(a_leg(SELL, target=percent(150)), 100).leg.target == 5


def test_a_leg_without_rules_has_no_levels() -> None:
    leg, fill = a_leg(SELL), a_fill(SELL, 100)
    assert initial_stop(leg, fill) is None
    assert initial_target(leg, fill) is None
    assert open_levels(leg, fill).missing == ()


def test_a_reversed_leg_is_measured_by_the_side_it_was_filled_on() -> None:
    levels = open_levels(a_leg(SELL, stop=points(20)), a_fill(BUY, 100))
    assert (levels.leg.sign, levels.leg.stop) == (1, 80_00)


def test_any_rule_of_the_underlying_asks_for_its_price() -> None:
    trail = Trail(kind=TrailKind.STEP, move=points(5), every=of_index(50))
    assert needs_index(a_leg(SELL, stop=points(20), trail=trail))
    assert not needs_index(a_leg(SELL, stop=points(20), target=percent(10)))


@given(
    entry=st.integers(1_00, 5_000_00),
    share=st.integers(1, 20_000),
    factor=st.integers(2, 50),
    side=st.sampled_from(list(Side)),
)
def test_scaling_prices_scales_percent_levels(entry: int, share: int, factor: int, side: Side) -> None:
    leg = a_leg(side, stop=Measure(share, Unit.PERCENT), target=Measure(share, Unit.PERCENT))
    small = opened(leg, entry / 100, tick=5).leg
    large = opened(leg, entry * factor / 100, tick=5 * factor).leg
    assert small.stop is not None
    assert small.target is not None
    assert (large.stop, large.target) == (small.stop * factor, small.target * factor)


def _with(leg: Leg, stop: LegStop) -> Leg:
    return Leg(id=leg.id, side=leg.side, right=leg.right, breakout=leg.breakout, stop=stop)
