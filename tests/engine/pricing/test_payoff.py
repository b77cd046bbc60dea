"""Payoffs: exact at expiry, on one carry rate before it."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.model.instruments import Right
from optconsole.engine.pricing.payoff import (
    PayoffLeg,
    carry_rate,
    first_expiry,
    forward_at,
    kinks,
    leg_vol,
    payoff,
    tail,
    value,
    zeros,
)
from tests.engine.pricing.payoff_cases import CALL, MONTH, PUT, SPOT, WEEK, condor, fair, future, option, seen

LEGS = st.lists(
    st.builds(
        option,
        st.integers(-3, 3).filter(bool),
        st.sampled_from(list(Right)),
        st.integers(470, 510).map(lambda step: step * 50),
        st.floats(0.05, 600.0),
    ),
    min_size=1,
    max_size=4,
)
SPOTS = st.integers(20_000_00, 30_000_00)


def at(spot: float) -> np.ndarray:
    return np.array([float(spot)])


def test_every_strike_is_a_kink_and_a_closed_leg_is_none() -> None:
    legs = [*condor(), PayoffLeg(qty=0, entry=1, years=WEEK, right=CALL, strike=1)]
    assert kinks(legs) == [0, 23_900_00, 24_200_00, 24_800_00, 25_100_00]


@given(LEGS, SPOTS)
def test_at_expiry_each_leg_is_worth_its_intrinsic_value_less_what_was_paid(legs: list[PayoffLeg], spot: int) -> None:
    by_hand = sum(
        leg.qty * (max(spot - leg.strike, 0) if leg.right is CALL else max(leg.strike - spot, 0)) - leg.qty * leg.entry
        for leg in legs
    )
    assert payoff(legs, spot) == by_hand
    assert value(legs, at(spot), 0.07, ahead=WEEK)[0] == pytest.approx(by_hand, abs=1e-3)


@given(LEGS)
def test_a_break_even_makes_nothing_and_the_sign_keeps_between_two(legs: list[PayoffLeg]) -> None:
    roots = zeros(legs)
    assert all(payoff(legs, root) == 0 for root in roots)
    edges = [Fraction(0), *roots, (roots or [Fraction(0)])[-1] + 40_000_00]
    for low, high in itertools.pairwise(edges):
        inside = [payoff(legs, low + (high - low) * share / 7) for share in range(1, 7)]
        assert all(made >= 0 for made in inside) or all(made <= 0 for made in inside)


@given(st.floats(-0.2, 0.2), st.floats(0.01, 1.5), st.floats(0.0, 0.3), SPOTS, st.integers(400, 600))
def test_a_call_less_its_put_is_the_forward_less_the_strike(
    carry: float, vol: float, years: float, spot: int, step: int
) -> None:
    strike = step * 50
    pair = [option(1, CALL, strike, 0, years, vol), option(-1, PUT, strike, 0, years, vol)]
    wanted = 65 * (spot - strike * 100 * math.exp(-carry * years))
    assert value(pair, at(spot), carry)[0] == pytest.approx(wanted, abs=1.0)


@given(st.floats(-0.3, 0.3), SPOTS)
def test_the_forward_runs_into_the_spot_at_expiry(carry: float, spot: int) -> None:
    assert forward_at(spot, carry, 0.0) == spot
    before = [abs(forward_at(spot, carry, years) - spot) for years in (0.2, 0.1, 0.01, 0.0)]
    assert before == sorted(before, reverse=True)
    bought = future(1, 24_500)
    assert value([bought], at(spot), carry, ahead=WEEK)[0] == 65 * (spot - 24_500_00)


def test_a_basis_moves_no_break_even_of_expiry() -> None:
    plain, dear = seen(condor()), seen(condor(), basis=80_00)
    assert plain.break_evens == dear.break_evens
    assert dear.carry > 0.1


@given(st.floats(-0.5, 0.5), st.lists(st.floats(0.01, 2.0), min_size=4, max_size=4), st.floats(0.0, WEEK))
def test_no_condor_ever_loses_more_than_its_wing(carry: float, vols: list[float], ahead: float) -> None:
    strikes = ((1, PUT, 23_900), (-1, PUT, 24_200), (-1, CALL, 24_800), (1, CALL, 25_100))
    legs = [option(*strike, 50.0, vol=vol) for strike, vol in zip(strikes, vols, strict=True)]
    assert tail(legs) == 0
    far = value(legs, np.array([1.0, 1e8, 1e9, 1e10]), carry, ahead)
    assert far[-1] == pytest.approx(far[-2], abs=70.0)  # the last digits of prices of 1e10 paise
    assert (far > -65 * 301_00 * math.exp(0.5)).all()
    made = seen(legs)
    assert not made.endless_loss
    assert not made.endless_profit
    assert made.max_loss == 65 * 300_00


@given(st.floats(-0.3, 0.3), st.floats(0.05, 1.0), st.floats(0.05, 1.0), st.floats(0.0, WEEK))
def test_a_calendar_is_flat_far_out_whatever_the_carry(carry: float, near: float, far: float, ahead: float) -> None:
    legs = [option(-1, CALL, 24_500, 100, WEEK, near), option(1, CALL, 24_500, 200, MONTH, far)]
    assert tail(legs) == 0
    high = value(legs, np.array([1e8, 1e9]), carry, ahead)
    assert high[1] == pytest.approx(high[0], abs=70.0)


def test_the_carry_rate_is_the_one_that_all_forwards_follow() -> None:
    forwards = [(WEEK, forward_at(SPOT, 0.065, WEEK)), (MONTH, forward_at(SPOT, 0.065, MONTH))]
    assert carry_rate(SPOT, forwards) == pytest.approx(0.065)
    assert carry_rate(SPOT, []) == 0.0
    assert carry_rate(SPOT, [(0.0, 25_000_00.0)]) == 0.0


def test_a_stale_spot_minutes_before_expiry_makes_no_wild_carry() -> None:
    assert carry_rate(SPOT, [(10 / 525_600, SPOT * 1.002)]) == 1.0


@settings(max_examples=50)
@given(st.floats(0.05, 1.0), st.integers(470, 510), st.sampled_from(list(Right)), st.floats(-0.1, 0.1))
def test_a_leg_at_the_volatility_of_its_price_is_worth_that_price(
    vol: float, step: int, right: Right, carry: float
) -> None:
    leg = fair(1, right, step * 50, MONTH, vol, carry)
    implied = leg_vol(leg, leg.entry, SPOT, carry)
    if implied is not None:
        again = option(1, right, step * 50, 0, MONTH, implied)
        assert value([again], at(SPOT), carry)[0] == pytest.approx(65 * leg.entry, abs=1.0)


def test_an_option_without_volatility_has_no_value_before_its_expiry_and_one_at_it() -> None:
    dark = PayoffLeg(qty=65, entry=100_00, years=WEEK, right=CALL, strike=24_400_00)
    assert np.isnan(value([dark], at(SPOT), 0.0)[0])
    assert value([dark], at(SPOT), 0.0, ahead=WEEK)[0] == 0


def test_the_first_expiry_is_that_of_what_is_open() -> None:
    closed = PayoffLeg(qty=0, entry=1, years=WEEK / 2, right=CALL, strike=1)
    assert first_expiry([closed, fair(-1, CALL, 24_500), fair(1, CALL, 24_500, MONTH)]) == WEEK
    assert first_expiry([closed]) == 0.0
