"""What no-arbitrage says of every option, on inputs nobody chose."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.pricing import bsm, scalar
from optconsole.engine.pricing.black76 import GREEKS_KNEE, greeks
from optconsole.engine.pricing.implied import implied_vols
from optconsole.engine.pricing.reasons import BLUR_LIMIT, Reason


class Option(NamedTuple):
    forward: float
    strike: float
    years: float
    rate: float
    vol: float

    def priced(self, is_call: bool) -> scalar.Greeks:
        return scalar.greeks(*self, is_call)


def spread(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(math.log(low), math.log(high)).map(math.exp)


options = st.builds(
    lambda forward, ratio, years, rate, vol: Option(forward, forward * ratio, years, rate, vol),
    spread(1.0, 1e6),
    spread(0.4, 2.5),
    spread(2e-6, 3.0),
    st.floats(-0.02, 0.15),
    spread(0.01, 3.0),
)
chains = st.lists(st.tuples(options, st.booleans()), min_size=GREEKS_KNEE + 1, max_size=GREEKS_KNEE + 40)


@settings(deadline=None)
@given(options)
def test_a_call_less_a_put_is_the_discounted_forward_less_strike(option: Option) -> None:
    call, put = option.priced(True), option.priced(False)
    discount = math.exp(-option.rate * option.years)
    scale = option.forward + option.strike
    assert call.price - put.price == pytest.approx(discount * (option.forward - option.strike), abs=4e-16 * scale * 4)
    assert call.delta - put.delta == pytest.approx(discount, rel=4e-16 * 4)
    assert (call.gamma, call.vega) == (put.gamma, put.vega)


@settings(deadline=None)
@given(options, st.booleans())
def test_volatility_comes_back_from_its_own_price(option: Option, is_call: bool) -> None:
    price = option.priced(is_call).price
    vol, reason = scalar.implied_vol(price, *option[:4], is_call)
    if reason is Reason.SOLVED:
        vega = option.priced(is_call).vega
        blur = math.ulp(price) / (vega * option.vol)
        assert abs(vol / option.vol - 1) <= 2e-14 + 8 * blur
    else:
        assert math.isnan(vol)
        assert price == 0.0 or is_blurred(option, is_call, price)


def is_blurred(option: Option, is_call: bool, price: float) -> bool:
    """Whether the flag is deserved: in the money (or at the bound) and nearly without time value."""
    vega = option.priced(is_call).vega
    return price < 1e-300 or 4 * math.ulp(price) >= BLUR_LIMIT * vega * option.vol


@settings(deadline=None)
@given(options, st.floats(1.0001, 1.5), st.booleans())
def test_more_volatility_never_costs_less(option: Option, factor: float, is_call: bool) -> None:
    more = option._replace(vol=option.vol * factor)
    assert more.priced(is_call).price >= option.priced(is_call).price * (1 - 1e-14)


@settings(deadline=None)
@given(options)
def test_delta_stays_inside_its_bounds(option: Option) -> None:
    discount = math.exp(-option.rate * option.years)
    assert 0.0 <= option.priced(True).delta <= discount
    assert -discount <= option.priced(False).delta <= 0.0


@settings(deadline=None)
@given(options, st.booleans())
def test_price_lies_between_intrinsic_and_bound(option: Option, is_call: bool) -> None:
    discount = math.exp(-option.rate * option.years)
    excess = option.forward - option.strike if is_call else option.strike - option.forward
    bound = option.forward if is_call else option.strike
    price = option.priced(is_call).price
    assert discount * max(excess, 0.0) * (1 - 1e-15) <= price <= discount * bound * (1 + 1e-14)


@settings(deadline=None)
@given(options, st.booleans(), st.floats(-0.05, 0.15))
def test_spot_model_is_the_forward_model_on_its_forward(option: Option, is_call: bool, dividend: float) -> None:
    spot = option.forward * math.exp((dividend - option.rate) * option.years)
    at = bsm.greeks(spot, option.strike, option.years, option.rate, dividend, option.vol, is_call)
    sensitivity = 1e-14 * option.forward
    assert at.price == pytest.approx(option.priced(is_call).price, rel=1e-9, abs=sensitivity)


@settings(deadline=None)
@given(chains)
def test_arrays_and_single_options_agree(chain: list[tuple[Option, bool]]) -> None:
    columns = np.array([(*option, is_call) for option, is_call in chain]).T
    forward, strike, years, rate, vol, is_call = columns
    together = greeks(forward, strike, years, rate, vol, is_call)
    singly = [option.priced(is_call) for option, is_call in chain]
    scale = 1e-13 * forward
    assert np.all(np.abs(together.price - [one.price for one in singly]) <= scale)
    assert np.allclose(together.delta, [one.delta for one in singly], rtol=1e-11, atol=1e-14)
    assert np.allclose(together.vega, [one.vega for one in singly], rtol=1e-11, atol=1e-300)

    price = np.array([one.price for one in singly])
    found = implied_vols(price, forward, strike, years, rate, is_call)
    for at, (option, call) in enumerate(chain):
        alone, reason = scalar.implied_vol(float(price[at]), *option[:4], call)
        if reason is Reason.SOLVED and found.reason[at] == Reason.SOLVED:
            assert found.vol[at] == pytest.approx(alone, rel=1e-5)
        else:
            # On the very edge of the blur limit the two may round apart; both then know of the blur.
            flags = {Reason(found.reason[at]), reason} - {Reason.SOLVED}
            assert flags <= {Reason.NO_INFORMATION, Reason.PRICE_AT_INTRINSIC, Reason.PRICE_ABOVE_BOUND}
            assert price[at] == 0.0 or is_blurred(option, call, float(price[at]))


@settings(deadline=None)
@given(chains, st.floats(0.3, 3.0), st.sampled_from([1, 2]))
def test_a_warm_start_changes_nothing_but_the_time_it_takes(
    chain: list[tuple[Option, bool]], away: float, steps: int
) -> None:
    columns = np.array([(*option, is_call) for option, is_call in chain]).T
    forward, strike, years, rate, vol, is_call = columns
    price = greeks(forward, strike, years, rate, vol, is_call).price
    cold = implied_vols(price, forward, strike, years, rate, is_call)
    warm = implied_vols(price, forward, strike, years, rate, is_call, start=vol * away, steps=steps)
    both = (cold.reason == Reason.SOLVED) & (warm.reason == Reason.SOLVED)
    assert np.allclose(warm.vol[both], cold.vol[both], rtol=5e-6 if steps == 1 else 1e-12, atol=0)
    # One step moves the answer a little, and with it which side of the blur limit an edge case falls on.
    assert np.count_nonzero(cold.reason != warm.reason) <= 1
