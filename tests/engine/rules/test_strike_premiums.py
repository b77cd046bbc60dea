"""Strikes chosen by premium and delta: SK-5 to SK-8, SK-10, SK-11, SK-14 and SK-16."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.strikes import (
    CheapStrike,
    DeltaStrike,
    Liquidity,
    MatchStrike,
    Pick,
    PremiumStrike,
    PriceKind,
)
from optconsole.engine.rules.strike_liquidity import Verdict
from optconsole.engine.rules.strikes import Choice, choose
from tests.engine.rules.slates import FOUR, PUT, chosen, refused, row, slate


@pytest.mark.parametrize(("pick", "strike"), [(Pick.CLOSEST, 24_600), (Pick.AT_LEAST, 24_550), (Pick.AT_MOST, 24_600)])
def test_golden_premium_100_of_120_104_96_88(pick: Pick, strike: int) -> None:
    """SK-5/6/7: closest is a tie of 104 and 96 and goes further out of the money; >= gives 104, <= gives 96."""
    assert chosen(PremiumStrike(100_00, pick), FOUR) == strike


def test_golden_half_of_a_straddle_of_222_and_273_is_247_50() -> None:
    """SK-10."""
    rows = (row(24_400, 270_00), row(24_450, 247_45), row(24_500, 222_00))
    on = slate(rows=rows, straddle=222_00 + 273_00)
    answer = choose(PremiumStrike(5_000, of_straddle=True), on)
    assert isinstance(answer, Choice)
    assert (answer.target, answer.strike) == (247_50, 24_450_00)
    assert chosen(PremiumStrike(5_000, Pick.AT_LEAST, of_straddle=True), on) == 24_400


def test_no_premium_at_or_above_says_what_there_is() -> None:
    answer = refused(PremiumStrike(130_00, Pick.AT_LEAST), FOUR)
    assert answer.code == "NO_PREMIUM"
    assert answer.text == (
        "No premium is at or above 130.00; the cheapest seen is 88.00 at 24650, the dearest 120.00 at 24500."
    )
    assert {look.verdict for look in answer.looked} == {Verdict.UNFIT}


def test_no_premium_at_or_below_says_what_there_is() -> None:
    answer = refused(PremiumStrike(80_00, Pick.AT_MOST), FOUR)
    assert (answer.code, "the cheapest seen is 88.00 at 24650" in answer.text) == ("NO_PREMIUM", True)


def test_a_premium_range_takes_the_closest_to_its_middle() -> None:
    assert chosen(PremiumStrike(90_00, Pick.WITHIN, upper=125_00), FOUR) == 24_550
    assert chosen(PremiumStrike(86_00, Pick.WITHIN, upper=90_00), FOUR) == 24_650


@pytest.mark.parametrize(
    ("fallback", "strike"), [(Pick.CLOSEST, 24_550), (Pick.AT_LEAST, 24_500), (Pick.AT_MOST, 24_550)]
)
def test_an_empty_premium_range_falls_back_by_its_middle(fallback: Pick, strike: int) -> None:
    assert chosen(PremiumStrike(106_00, Pick.WITHIN, upper=115_00, fallback=fallback), FOUR) == strike


def test_an_empty_premium_range_without_fallback_is_refused() -> None:
    answer = refused(PremiumStrike(106_00, Pick.WITHIN, upper=115_00), FOUR)
    assert (answer.code, "from 106.00 to 115.00" in answer.text) == ("NO_PREMIUM", True)


def test_a_part_of_the_straddle_is_not_rounded_before_it_is_compared() -> None:
    """33 % of 100.01 is 33.0033: 33.00 is below it."""
    on = slate(rows=(row(24_500, 33_05), row(24_550, 33_00)), straddle=100_01)
    assert chosen(PremiumStrike(3_300, Pick.AT_LEAST, of_straddle=True), on) == 24_500


def test_a_part_of_the_straddle_waits_for_its_price() -> None:
    answer = refused(PremiumStrike(5_000, of_straddle=True), FOUR)
    assert (answer.code, answer.wait) == ("NO_STRADDLE", True)


def test_a_strike_without_a_price_is_never_taken_for_a_cheap_one() -> None:
    on = slate(rows=(row(24_500, 120_00), row(24_550), row(24_600, 96_00)))
    answer = choose(PremiumStrike(0, Pick.CLOSEST), on)
    assert isinstance(answer, Choice)
    assert answer.strike == 24_600_00
    assert {look.row.strike: look.verdict for look in answer.looked}[24_550_00] is Verdict.NO_PRICE


def test_premiums_are_of_the_price_that_is_asked_for() -> None:
    rows = (row(24_500, 100_00, minute=140_00), row(24_550, 60_00, minute=99_00))
    assert chosen(PremiumStrike(100_00), slate(rows=rows)) == 24_500
    assert chosen(PremiumStrike(100_00), slate(rows=rows, price=PriceKind.MINUTE)) == 24_550
    assert refused(PremiumStrike(100_00), slate(rows=rows, price=PriceKind.MID)).code == "NO_PRICES"


def test_a_put_tie_goes_to_the_lower_strike() -> None:
    on = slate(PUT, rows=(row(24_400, 96_00), row(24_450, 104_00), row(24_500, 120_00)))
    assert chosen(PremiumStrike(100_00), on) == 24_400


DELTAS = slate(
    PUT,
    rows=(
        row(24_300, delta=-180),
        row(24_350, delta=-250),
        row(24_400, delta=-330),
        row(24_450),
        row(24_500, delta=-480),
    ),
)


def test_delta_is_compared_without_its_sign() -> None:
    assert chosen(DeltaStrike(300), DELTAS) == 24_400
    assert chosen(DeltaStrike(200, 300), DELTAS) == 24_350


def test_a_delta_tie_goes_further_out_of_the_money() -> None:
    assert chosen(DeltaStrike(290), DELTAS) == 24_350


def test_delta_without_one_in_the_range_or_any_at_all_is_refused() -> None:
    answer = refused(DeltaStrike(500, 600), DELTAS)
    assert (answer.code, "from 0.180 to 0.480" in answer.text) == ("NO_DELTA", True)
    assert refused(DeltaStrike(300), FOUR).code == "NO_DELTAS"


HEDGES = slate(
    rows=(
        row(24_450, 4_00, oi=900_000, volume=9),
        row(24_500, 9_00, oi=900_000, volume=9),
        row(24_550, 6_00, oi=900_000, volume=9),
        row(24_600, 4_50, oi=900_000, volume=9),
        row(24_650, 3_00, oi=200, volume=9),
        row(24_700, 2_00, volume=9),
    )
)


def test_the_cheap_hedge_is_the_furthest_out_within_the_budget() -> None:
    assert chosen(CheapStrike(5_00), HEDGES) == 24_700


def test_the_cheap_hedge_trades_enough_and_unknown_interest_is_not_enough() -> None:
    answer = choose(CheapStrike(5_00, min_oi=1_000), HEDGES)
    assert isinstance(answer, Choice)
    assert answer.strike == 24_600_00
    verdicts = {look.row.strike // 100: look.verdict for look in answer.looked}
    assert (verdicts[24_650], verdicts[24_700]) == (Verdict.LOW_OI, Verdict.LOW_OI)


def test_the_cheap_hedge_is_never_in_the_money() -> None:
    """A stale price of 4.00 in the money is no hedge, whatever it says."""
    on = slate(rows=(row(24_450, 4_00), row(24_500, 9_00), row(24_550, 6_00)))
    answer = refused(CheapStrike(5_00), on)
    assert answer.code == "NO_HEDGE"
    assert "costs 5.00 or less" in answer.text
    assert "the cheapest seen is 4.00 at 24450" in answer.text


def test_balance_takes_the_premium_closest_to_the_other_leg() -> None:
    answer = choose(MatchStrike("ce"), msgspec.structs.replace(FOUR, other_premium=101_00))
    assert isinstance(answer, Choice)
    assert answer.strike == 24_550_00


def test_balance_waits_until_the_two_are_close_enough() -> None:
    on = msgspec.structs.replace(FOUR, other_premium=101_00)
    assert chosen(MatchStrike("ce", within=3_00), on) == 24_550
    answer = refused(MatchStrike("ce", within=2_95), on)
    assert (answer.code, answer.wait) == ("UNBALANCED", True)
    assert refused(MatchStrike("ce"), FOUR).code == "NO_OTHER_LEG"


def test_balance_is_not_given_up_for_a_strike_that_trades_more() -> None:
    rows = (row(24_500, 120_00, oi=9_000), row(24_550, 104_00), row(24_600, 96_00, oi=9_000))
    on = slate(rows=rows, other_premium=102_00, liquidity=Liquidity(min_oi=1_000))
    assert chosen(MatchStrike("ce"), on) == 24_600
    assert refused(MatchStrike("ce", within=3_00), on).code == "ILLIQUID"


prices = st.lists(st.none() | st.integers(1, 400_00), min_size=1, max_size=60)


@given(prices, st.integers(0, 450_00), st.sampled_from(list(Right)))
def test_laws_of_premiums(ltps: list[int | None], amount: int, right: Right) -> None:
    rows = tuple(row(24_500 + 50 * place, ltp) for place, ltp in enumerate(ltps))
    on = slate(right, rows)
    known = [ltp for ltp in ltps if ltp is not None]
    answers = {pick: choose(PremiumStrike(amount, pick), on) for pick in (Pick.CLOSEST, Pick.AT_LEAST, Pick.AT_MOST)}
    got = {pick: each.premium if isinstance(each, Choice) else None for pick, each in answers.items()}
    assert got[Pick.AT_LEAST] == min((each for each in known if each >= amount), default=None)
    assert got[Pick.AT_MOST] == max((each for each in known if each <= amount), default=None)
    best = min((abs(each - amount) for each in known), default=None)
    assert (got[Pick.CLOSEST] is None) == (best is None)
    if got[Pick.CLOSEST] is not None:
        assert abs(got[Pick.CLOSEST] - amount) == best
