"""The whole picture: bounds, break-evens of several expiries, odds, bands."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.pricing import odds
from optconsole.engine.pricing.payoff import PayoffLeg, value
from optconsole.engine.pricing.picture import MarketLeg, picture
from tests.engine.pricing.payoff_cases import CALL, MONTH, PUT, SPOT, WEEK, condor, fair, future, option, seen
from tests.engine.pricing.test_payoff import LEGS, at


def test_a_short_straddle_earns_its_premium_and_loses_without_end_above() -> None:
    made = seen([option(-1, CALL, 24_500, 100), option(-1, PUT, 24_500, 110)])
    assert made.max_profit == 65 * 210_00
    assert made.break_evens == (24_290_00, 24_710_00)
    assert made.endless_loss
    assert made.max_loss is None
    assert made.reward_to_risk is None


def test_a_short_put_loses_its_strike_less_its_premium_and_no_more() -> None:
    made = seen([option(-1, PUT, 24_500, 110)])
    assert (made.max_loss, made.endless_loss) == (65 * (24_500_00 - 110_00), False)


def test_a_bull_spread_has_a_known_reward_for_a_known_risk() -> None:
    made = seen([option(1, CALL, 24_500, 100), option(-1, CALL, 24_700, 40)])
    assert (made.max_loss, made.max_profit) == (65 * 60_00, 65 * 140_00)
    assert made.break_evens == (24_560_00,)
    assert made.reward_to_risk == pytest.approx(140 / 60)


def test_a_closed_leg_is_no_part_of_the_curve_and_what_it_made_is() -> None:
    open_leg, closed = option(-1, PUT, 24_200, 40), option(0, CALL, 24_500, 500)
    assert seen([open_leg, closed]) == seen([open_leg])
    assert seen([open_leg], realised=650_00).break_evens[0] == seen([open_leg]).break_evens[0] - 10_00


def test_a_calendar_is_bounded_both_ways_and_breaks_even_on_both_sides() -> None:
    made = seen([fair(-1, CALL, 24_500), fair(1, CALL, 24_500, MONTH)], basis=10_00)
    assert not made.endless_loss
    assert not made.endless_profit
    low, high = made.break_evens
    assert low < SPOT < high
    assert made.max_loss is not None
    assert made.max_profit is not None
    cost = sum(leg.qty * leg.entry for leg in (fair(-1, CALL, 24_500), fair(1, CALL, 24_500, MONTH)))
    assert made.max_loss <= cost * 1.02
    assert 0 < made.max_profit < 65 * 400_00


def test_a_break_even_of_two_expiries_makes_nothing_there() -> None:
    legs = [fair(-2, CALL, 24_800), fair(1, CALL, 24_500, MONTH), fair(1, PUT, 24_000, MONTH)]
    made = seen(legs)
    assert made.endless_loss
    assert made.break_evens
    for root in made.break_evens:
        assert abs(value(legs, at(root), made.carry, WEEK)[0]) < 200  # a break-even is a whole paisa


def test_every_strike_break_even_and_the_spot_are_points_of_the_curve() -> None:
    made = seen(condor())
    places = {point.at for point in made.points}
    assert places >= {23_900_00, 24_200_00, 24_800_00, 25_100_00, SPOT, *made.break_evens}
    assert [point.at for point in made.points] == sorted(places)


def test_the_curve_of_now_starts_from_what_the_market_pays() -> None:
    made = seen(condor())
    (here,) = [point for point in made.points if point.at == SPOT]
    assert here.now == pytest.approx(0, abs=200)


def test_volatilities_come_from_prices_and_what_has_none_takes_the_others() -> None:
    sold = PayoffLeg(qty=-65, entry=100_00, years=WEEK, right=CALL, strike=24_500_00)
    price = fair(1, CALL, 24_500, vol=0.14).entry
    legs = [
        MarketLeg(name="near", leg=sold, price=price),
        MarketLeg(name="far", leg=msgspec.structs.replace(sold, strike=26_000_00), price=None),
    ]
    made = picture(legs, SPOT, [], None)
    assert made.vol == pytest.approx(0.14, abs=1e-4)
    assert len(made.missing) == 1
    assert "far" in made.missing[0]
    assert made.points[0].now is not None


def test_two_expiries_without_any_volatility_show_no_figures_but_say_why() -> None:
    dark = PayoffLeg(qty=-65, entry=100_00, years=WEEK, right=CALL, strike=24_500_00)
    later = msgspec.structs.replace(dark, qty=65, years=MONTH)
    made = picture([MarketLeg(name=f"{leg.years:.3f}", leg=leg, price=None) for leg in (dark, later)], SPOT, [], None)
    assert (made.points, made.max_loss, made.endless_loss, made.chance) == ((), None, False, None)
    assert len(made.missing) == 2


def test_nothing_open_has_no_picture() -> None:
    with pytest.raises(ValueError, match="open leg"):
        seen([option(0, CALL, 24_500, 1)])


def test_a_future_breaks_even_at_its_price_with_even_odds() -> None:
    made = seen([future(1, 24_500)])
    assert made.break_evens == (24_500_00,)
    assert made.endless_profit
    assert made.max_loss == 65 * 24_500_00
    assert made.chance is None  # a future implies no volatility


def test_one_deviation_holds_two_thirds_of_all_endings() -> None:
    for sigmas, share in ((0, 0.6827), (1, 0.9545)):
        band = odds.expected_moves(SPOT, 0.05, WEEK, 0.13)[sigmas]
        inside = odds.below(band.high, SPOT, 0.05, WEEK, 0.13) - odds.below(band.low, SPOT, 0.05, WEEK, 0.13)
        assert inside == pytest.approx(share, abs=1e-4)


def test_a_straddle_sold_at_its_fair_price_wins_a_little_more_often_than_not() -> None:
    made = seen([fair(-1, CALL, 24_500), fair(-1, PUT, 24_500)])
    assert made.chance == pytest.approx(0.575, abs=0.01)  # P(|Z| < sqrt(2/pi))


def test_on_the_last_minute_the_outcome_is_certain() -> None:
    legs = [option(-1, CALL, 24_600, 5, years=0.0)]
    assert odds.chance_of_profit([24_605_00.0], lambda at: 24_605_00 - at, SPOT, 0.0, 0.0, 0.12) == 1.0
    made = seen(legs)
    assert made.chance is None or made.chance == 1.0
    assert made.break_evens == (24_605_00,)


@settings(max_examples=60)
@given(LEGS, st.floats(0.06, 0.5))
def test_the_odds_of_a_strategy_and_of_its_opposite_make_one(legs: list[PayoffLeg], vol: float) -> None:
    legs = [msgspec.structs.replace(leg, vol=vol) for leg in legs]
    turned = [msgspec.structs.replace(leg, qty=-leg.qty) for leg in legs]
    one, other = seen(legs), seen(turned)
    assert one.chance is not None
    assert other.chance is not None
    flat = all(point.at_expiry == 0 for point in one.points)
    if not flat and not _rests_at_zero(one.points):
        assert one.chance + other.chance == pytest.approx(1.0, abs=1e-9)
    assert (one.endless_loss, one.endless_profit) == (other.endless_profit, other.endless_loss)


def _rests_at_zero(points: tuple[object, ...]) -> bool:
    """A stretch where the payoff is nothing belongs to neither."""
    made = [getattr(point, "at_expiry", 1) for point in points]
    return any(left == right == 0 for left, right in itertools.pairwise(made))


@settings(max_examples=60)
@given(LEGS)
def test_nowhere_on_the_curve_is_more_made_or_lost_than_told(legs: list[PayoffLeg]) -> None:
    made = seen(legs)
    for point in made.points:
        if made.max_profit is not None:
            assert point.at_expiry <= made.max_profit + 1
        if made.max_loss is not None:
            assert point.at_expiry >= -made.max_loss - 1


def test_the_volatility_of_all_is_said_by_the_options_near_the_money() -> None:
    legs = [fair(1, CALL, 24_500, vol=0.12), fair(1, CALL, 26_500, vol=0.25)]
    assert odds.blended_vol(legs, SPOT, 0.0) == pytest.approx(0.12, abs=0.03)
