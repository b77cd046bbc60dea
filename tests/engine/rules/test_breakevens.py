"""Where a run breaks even at expiry."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.instruments import Right
from optconsole.engine.rules.breakevens import PaidLeg, break_even_band, payoff
from tests.engine.rules.leg_cases import paise


def option(sign: int, right: Right, strike: float, entry: float, quantity: int = 65) -> PaidLeg:
    return PaidLeg(sign=sign, quantity=quantity, entry=paise(entry), right=right, strike=paise(strike))


STRADDLE = (option(-1, Right.CALL, 24_500, 100), option(-1, Right.PUT, 24_500, 110))


def test_a_short_straddle_breaks_even_at_its_premium_either_side() -> None:
    assert break_even_band(STRADDLE, paise(24_510)) == (paise(24_290), paise(24_710))


def test_money_already_realised_moves_the_break_evens() -> None:
    assert break_even_band(STRADDLE, paise(24_500), paise(-650)) == (paise(24_300), paise(24_700))


def test_a_bull_spread_has_one() -> None:
    legs = (option(1, Right.CALL, 24_500, 100), option(-1, Right.CALL, 24_700, 40))
    assert break_even_band(legs, paise(24_500)) == (None, paise(24_560))
    assert break_even_band(legs, paise(24_600)) == (paise(24_560), None)


def test_a_future_breaks_even_at_its_price() -> None:
    assert break_even_band((PaidLeg(sign=1, quantity=65, entry=paise(24_500)),), paise(24_600)) == (paise(24_500), None)


def test_a_ratio_breaks_even_beyond_its_last_strike() -> None:
    legs = (option(1, Right.CALL, 24_500, 100), option(-1, Right.CALL, 24_700, 40, quantity=130))
    assert break_even_band(legs, paise(24_700))[1] == paise(24_880)


def test_a_put_dearer_than_its_strike_never_breaks_even() -> None:
    assert break_even_band((option(1, Right.PUT, 24_500, 25_000),), paise(24_500)) == (None, None)


@given(
    st.lists(
        st.builds(
            lambda sign, right, strike, entry: PaidLeg(
                sign=sign, quantity=65, entry=entry, right=right, strike=strike * 50_00
            ),
            st.sampled_from([1, -1]),
            st.sampled_from(list(Right)),
            st.integers(480, 520),
            st.integers(1, 500_00),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(23_000_00, 27_000_00),
)
def test_between_the_break_evens_the_payoff_keeps_its_sign(legs: list[PaidLeg], index: int) -> None:
    low, high = break_even_band(legs, index)
    here = payoff(legs, index)
    for edge in (low, high):
        if edge is not None and here != 0:
            assert payoff(legs, edge) * here >= 0
