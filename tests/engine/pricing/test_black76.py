"""Greeks at a known volatility: limits, what is no option, and the same from few and from many."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optconsole.engine.pricing import scalar
from optconsole.engine.pricing.black76 import BLOCK, GREEKS_KNEE, greeks

MANY = GREEKS_KNEE + 1


def both_ways(*case: float) -> list[scalar.Greeks]:
    arrays = greeks(*(np.full(MANY, value) for value in case))
    columns = (arrays.price, arrays.delta, arrays.gamma, arrays.vega, arrays.theta, arrays.rho)
    return [scalar.greeks(*case[:5], bool(case[5])), scalar.Greeks(*(float(column[-1]) for column in columns))]


@pytest.mark.parametrize(("strike", "is_call", "price", "delta"), [(90, 1, 10, 1), (110, 1, 0, 0), (110, 0, 10, -1)])
@pytest.mark.parametrize(("years", "vol"), [(0.0, 0.2), (1.0, 0.0)])
def test_without_time_or_volatility_only_intrinsic_value_is_left(
    strike: float, is_call: int, price: float, delta: float, years: float, vol: float
) -> None:
    for at in both_ways(100.0, strike, years, 0.0, vol, is_call):
        assert (at.price, at.delta) == (price, delta)
        assert all(math.isnan(value) for value in (at.gamma, at.vega, at.theta))


def test_with_endless_volatility_a_call_is_worth_the_forward() -> None:
    for at in both_ways(100.0, 130.0, 1.0, 0.0, 1e9, 1):
        assert at.price == pytest.approx(100.0, rel=1e-13)
        assert at.delta == pytest.approx(1.0, rel=1e-13)


@pytest.mark.parametrize(
    "case",
    [
        (0.0, 100.0, 1.0, 0.0, 0.2),
        (-1.0, 100.0, 1.0, 0.0, 0.2),
        (100.0, math.nan, 1.0, 0.0, 0.2),
        (100.0, math.inf, 1.0, 0.0, 0.2),
        (100.0, 100.0, -1.0, 0.0, 0.2),
        (100.0, 100.0, 1.0, math.inf, 0.2),
        (100.0, 100.0, 1.0, 1e4, 0.2),
        (100.0, 100.0, 1.0, 0.0, -0.2),
        (100.0, 100.0, 1.0, 0.0, math.nan),
    ],
)
def test_what_is_no_option_is_unknown_not_zero(case: tuple[float, ...]) -> None:
    for at in both_ways(*case, 1):
        assert all(math.isnan(value) for value in at)


def test_one_bad_row_leaves_the_others_alone() -> None:
    forward = np.full(MANY, 100.0)
    forward[3] = math.nan
    price = greeks(forward, 100.0, 0.1, 0.05, 0.2, True).price
    assert np.isnan(price).nonzero()[0].tolist() == [3]
    assert np.delete(price, 3) == pytest.approx(scalar.greeks(100.0, 100.0, 0.1, 0.05, 0.2, True).price)


def test_blocks_join_without_a_seam() -> None:
    strikes = np.linspace(80.0, 125.0, BLOCK + 7)
    whole = greeks(100.0, strikes, 0.1, 0.05, 0.2, True)
    tail = greeks(100.0, strikes[-MANY:], 0.1, 0.05, 0.2, True)
    assert whole.delta[-MANY:] == pytest.approx(tail.delta, rel=1e-13)
    assert (np.diff(whole.price) < 0).all()
