"""An independent implementation agrees on ordinary options."""

from __future__ import annotations

import pytest

from optconsole.engine.pricing import bsm, scalar
from optconsole.engine.pricing.reasons import Reason

black = pytest.importorskip("vollib.black")
from vollib.black.greeks import analytical as black_greeks  # noqa: E402 -- after the skip
from vollib.black.implied_volatility import implied_volatility  # noqa: E402
from vollib.black_scholes_merton import black_scholes_merton  # noqa: E402
from vollib.black_scholes_merton.greeks import analytical as bsm_greeks  # noqa: E402

CELLS = [
    (24_000.0 * ratio, years, vol, is_call)
    for ratio in (0.95, 0.98, 1.0, 1.02, 1.05)
    for years in (3 / 365, 30 / 365, 0.5)
    for vol in (0.1, 0.2, 0.6)
    for is_call in (True, False)
]
FORWARD, RATE, DIVIDEND = 24_000.0, 0.065, 0.012


@pytest.mark.parametrize(("strike", "years", "vol", "is_call"), CELLS)
def test_black76_price_and_greeks(strike: float, years: float, vol: float, is_call: bool) -> None:
    flag = "c" if is_call else "p"
    ours = scalar.greeks(FORWARD, strike, years, RATE, vol, is_call)
    case = (flag, FORWARD, strike, years, RATE, vol)
    assert ours.price == pytest.approx(black.black(*case), rel=1e-9, abs=1e-9)
    assert ours.delta == pytest.approx(black_greeks.delta(*case), rel=1e-9, abs=1e-12)
    assert ours.gamma == pytest.approx(black_greeks.gamma(*case), rel=1e-9, abs=1e-15)
    assert ours.vega / 100 == pytest.approx(black_greeks.vega(*case), rel=1e-9, abs=1e-12)
    assert ours.theta / 365 == pytest.approx(black_greeks.theta(*case), rel=1e-8, abs=1e-9)
    assert ours.rho / 100 == pytest.approx(black_greeks.rho(*case), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("strike", "years", "vol", "is_call"), [cell for cell in CELLS if (cell[0] >= FORWARD) == cell[3] or cell[1] > 0.1]
)
def test_black76_implied_volatility(strike: float, years: float, vol: float, is_call: bool) -> None:
    price = scalar.greeks(FORWARD, strike, years, RATE, vol, is_call).price
    ours, reason = scalar.implied_vol(price, FORWARD, strike, years, RATE, is_call)
    assert reason is Reason.SOLVED
    assert ours == pytest.approx(
        implied_volatility(price, FORWARD, strike, RATE, years, "c" if is_call else "p"), rel=1e-8
    )


@pytest.mark.parametrize(("strike", "years", "vol", "is_call"), CELLS)
def test_spot_model_price_and_greeks(strike: float, years: float, vol: float, is_call: bool) -> None:
    case = ("c" if is_call else "p", FORWARD, strike, years, RATE, vol, DIVIDEND)
    ours = bsm.greeks(FORWARD, strike, years, RATE, DIVIDEND, vol, is_call)
    assert ours.price == pytest.approx(black_scholes_merton(*case), rel=1e-9, abs=1e-9)
    assert ours.delta == pytest.approx(bsm_greeks.delta(*case), rel=1e-9, abs=1e-12)
    assert ours.gamma == pytest.approx(bsm_greeks.gamma(*case), rel=1e-9, abs=1e-15)
    assert ours.vega / 100 == pytest.approx(bsm_greeks.vega(*case), rel=1e-9, abs=1e-12)
    assert ours.theta / 365 == pytest.approx(bsm_greeks.theta(*case), rel=1e-8, abs=1e-9)
    assert ours.rho / 100 == pytest.approx(bsm_greeks.rho(*case), rel=1e-8, abs=1e-9)
