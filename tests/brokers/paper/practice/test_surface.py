from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.brokers.paper.practice.surface import (
    CARRY,
    cumulative,
    forward,
    level_volatility,
    option_value,
    smile,
)

AHEAD = 24_500.0
STRIKES = np.arange(20_000.0, 29_001.0, 50.0)


def priced(sign: float, days: float, volatility: float = 0.12, years: float | None = None) -> np.ndarray:
    full = np.full_like(STRIKES, 1.0)
    years = days / 252.0 if years is None else years
    return option_value(AHEAD * full, STRIKES, sign * full, years * full, volatility * full, days * full).value


@settings(deadline=None)
@given(st.floats(-37.0, 37.0))
def test_the_distribution_function_is_right_in_both_tails(x: float) -> None:
    exact = 0.5 * math.erfc(-x / math.sqrt(2.0))
    assert float(cumulative(np.array([x]))[0]) == pytest.approx(exact, rel=2e-7)


@settings(deadline=None)
@given(st.floats(0.0, 400.0), st.floats(0.05, 0.8))
def test_call_minus_put_is_the_discounted_forward_minus_strike(days: float, volatility: float) -> None:
    gap = priced(1.0, days, volatility) - priced(-1.0, days, volatility)
    assert gap == pytest.approx(math.exp(-CARRY * days / 252.0) * (AHEAD - STRIKES), abs=1e-6)


@settings(deadline=None)
@given(st.floats(0.02, 300.0), st.floats(0.06, 0.6))
def test_prices_leave_no_arbitrage_between_neighbouring_strikes(days: float, volatility: float) -> None:
    calls, puts = priced(1.0, days, volatility), priced(-1.0, days, volatility)
    assert (np.diff(calls) <= 0.005).all()
    assert (np.diff(puts) >= -0.005).all()


@settings(deadline=None)
@given(st.sampled_from([1.0, -1.0]), st.floats(0.06, 0.6))
def test_at_expiry_an_option_is_worth_its_intrinsic_value(sign: float, volatility: float) -> None:
    intrinsic = np.maximum(sign * (AHEAD - STRIKES), 0.0)
    assert priced(sign, 0.0, volatility) == pytest.approx(intrinsic, abs=0.2)


def test_puts_below_the_money_cost_more_than_calls_as_far_above() -> None:
    reach = np.array([-3.0, -1.0, 0.0, 1.0, 3.0])
    shape = smile(reach, np.full(5, 4.0))
    assert shape[0] > shape[4] > 1.0
    assert shape[1] > shape[2] > shape[3]
    assert shape[2] == 1.0


def test_wings_flatten_with_time() -> None:
    reach = np.full(3, -4.0)
    near, month, year = smile(reach, np.array([2.0, 22.0, 250.0]))
    assert near > month > year


def test_the_term_structure_rises_from_calm_and_falls_from_fear() -> None:
    days = np.array([1.0, 22.0, 250.0])
    ones = np.ones(3)
    calm, fear = level_volatility(11.0 * ones, ones, days), level_volatility(28.0 * ones, ones, days)
    assert (np.diff(calm) > 0.0).all()
    assert (np.diff(fear) < 0.0).all()


def test_the_forward_is_the_spot_grown_at_the_carry() -> None:
    assert float(forward(np.array([100.0]), np.array([1.0]))[0]) == pytest.approx(100.0 * math.exp(0.065))
