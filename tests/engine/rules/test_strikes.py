"""Every way to choose a strike, SK-1 to SK-16: what it chooses, what it passes over, what it says when it cannot."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.strikes import (
    AnyStrike,
    CheapStrike,
    DeltaStrike,
    ExactStrike,
    Gauge,
    Liquidity,
    MatchStrike,
    OffsetStrike,
    Pick,
    PremiumStrike,
    PriceKind,
    RelativeStrike,
    StepStrike,
    StrikeUnit,
    VolatilityStrike,
)
from optconsole.engine.rules.strike_liquidity import Verdict
from optconsole.engine.rules.strike_rows import Candidate, Slate
from optconsole.engine.rules.strikes import Choice, NoStrike, choose, told

CALL, PUT = Right.CALL, Right.PUT


def row(strike: int, ltp: int | None = None, **known: int) -> Candidate:
    return Candidate(strike=strike * 100, contract=f"NIFTY {strike}", ltp=ltp, **known)


def slate(
    right: Right = CALL, rows: tuple[Candidate, ...] | None = None, reference: int = 24_500_00, **more: object
) -> Slate:
    ladder = rows if rows is not None else tuple(row(strike) for strike in range(24_000, 25_050, 50))
    return msgspec.structs.replace(Slate(right=right, rows=ladder, reference=reference), **more)


def chosen(rule: AnyStrike, on: Slate) -> int:
    answer = choose(rule, on)
    assert isinstance(answer, Choice), answer
    return answer.strike // 100


def refused(rule: AnyStrike, on: Slate) -> NoStrike:
    answer = choose(rule, on)
    assert isinstance(answer, NoStrike), answer
    return answer


FOUR = slate(rows=(row(24_500, 120_00), row(24_550, 104_00), row(24_600, 96_00), row(24_650, 88_00)))


# The golden examples of premiums, straddle widths and parts of a straddle


@pytest.mark.parametrize(("pick", "strike"), [(Pick.CLOSEST, 24_600), (Pick.AT_LEAST, 24_550), (Pick.AT_MOST, 24_600)])
def test_golden_premium_100_of_120_104_96_88(pick: Pick, strike: int) -> None:
    """SK-5/6/7: closest is a tie of 104 and 96 and goes further out of the money; >= gives 104, <= gives 96."""
    assert chosen(PremiumStrike(100_00, pick), FOUR) == strike


@pytest.mark.parametrize(("right", "multiple", "strike"), [(CALL, 50, 24_650), (PUT, -50, 24_350)])
def test_golden_straddle_width_half_of_300_from_24500(right: Right, multiple: int, strike: int) -> None:
    """SK-9."""
    on = slate(right, straddle=300_00)
    answer = choose(OffsetStrike(multiple, StrikeUnit.STRADDLE), on)
    assert isinstance(answer, Choice)
    assert (answer.target, answer.strike) == (strike * 100, strike * 100)


def test_golden_half_of_a_straddle_of_222_and_273_is_247_50() -> None:
    """SK-10."""
    rows = (row(24_400, 270_00), row(24_450, 247_45), row(24_500, 222_00))
    on = slate(rows=rows, straddle=222_00 + 273_00)
    answer = choose(PremiumStrike(5_000, of_straddle=True), on)
    assert isinstance(answer, Choice)
    assert (answer.target, answer.strike) == (247_50, 24_450_00)
    assert chosen(PremiumStrike(5_000, Pick.AT_LEAST, of_straddle=True), on) == 24_400


# By place: SK-1 to SK-4, SK-12, SK-13, SK-15


@pytest.mark.parametrize(
    ("right", "steps", "strike"), [(CALL, 2, 24_600), (CALL, -2, 24_400), (PUT, 2, 24_400), (PUT, -2, 24_600)]
)
def test_steps_go_out_of_the_money_for_the_right(right: Right, steps: int, strike: int) -> None:
    assert chosen(StepStrike(steps), slate(right)) == strike


def test_steps_walk_the_listed_strikes_and_not_a_gap() -> None:
    uneven = tuple(row(strike) for strike in (24_000, 24_450, 24_500, 24_600, 25_000, 26_000))
    assert chosen(StepStrike(2), slate(rows=uneven)) == 25_000


def test_steps_beyond_the_list_choose_nothing_rather_than_its_end() -> None:
    answer = refused(StepStrike(20), slate())
    assert answer.code == "OFF_THE_LIST"
    assert "20 strikes above 24500" in answer.text
    assert len(answer.looked) == 7


@pytest.mark.parametrize(
    ("rule", "right", "strike"),
    [
        (OffsetStrike(130_00), CALL, 24_650),
        (OffsetStrike(130_00), PUT, 24_650),
        (OffsetStrike(130_00, otm=True), PUT, 24_350),
        (OffsetStrike(-130_00, otm=True), CALL, 24_350),
        (OffsetStrike(100, StrikeUnit.PERCENT), CALL, 24_750),
        (OffsetStrike(-100, StrikeUnit.PERCENT), CALL, 24_250),
        (OffsetStrike(100, StrikeUnit.PERCENT, otm=True), PUT, 24_250),
        (OffsetStrike(3, StrikeUnit.STRIKES), PUT, 24_650),
        (OffsetStrike(3, StrikeUnit.STRIKES, otm=True), PUT, 24_350),
    ],
)
def test_offsets_have_one_direction_unless_out_of_the_money_is_asked_for(
    rule: AnyStrike, right: Right, strike: int
) -> None:
    assert chosen(rule, slate(right)) == strike


def test_an_offset_starts_at_atm_or_at_the_reference_itself() -> None:
    on = slate(reference=24_522_00)
    assert chosen(OffsetStrike(10_00), on) == 24_500
    assert chosen(OffsetStrike(10_00, from_spot=True), on) == 24_550


def test_a_percent_is_always_of_the_reference() -> None:
    """0.25 % above 24,524 is 24,585; above ATM it would be 24,561."""
    assert chosen(OffsetStrike(25, StrikeUnit.PERCENT), slate(reference=24_524_00)) == 24_600


def test_a_target_between_two_strikes_takes_the_lower() -> None:
    assert chosen(OffsetStrike(25_00), slate()) == 24_500


def test_an_offset_off_the_list_is_refused() -> None:
    assert refused(OffsetStrike(700_00), slate()).code == "OFF_THE_LIST"


def test_an_exact_strike_is_that_one_or_none() -> None:
    assert chosen(ExactStrike(24_350_00), slate()) == 24_350
    answer = refused(ExactStrike(24_375_00), slate())
    assert (answer.code, answer.wait) == ("NOT_LISTED", False)
    assert "nearest listed one is 24350" in answer.text


@pytest.mark.parametrize(
    ("rule", "right", "strike"),
    [
        (RelativeStrike("s", 4), CALL, 24_800),
        (RelativeStrike("s", 4), PUT, 24_400),
        (RelativeStrike("s", 4, otm=False), PUT, 24_800),
        (RelativeStrike("s", 200_00, StrikeUnit.POINTS), PUT, 24_400),
        (RelativeStrike("s", 100, StrikeUnit.PERCENT), CALL, 24_850),
        (RelativeStrike("s", 50, StrikeUnit.STRADDLE), CALL, 24_750),
    ],
)
def test_a_strike_is_measured_from_the_one_another_leg_got(rule: AnyStrike, right: Right, strike: int) -> None:
    assert chosen(rule, slate(right, other_strike=24_600_00, straddle=300_00)) == strike


def test_a_strike_relative_to_a_leg_without_one_is_refused() -> None:
    answer = refused(RelativeStrike("sell-ce", 4), slate())
    assert (answer.code, "sell-ce" in answer.text) == ("NO_OTHER_LEG", True)


def test_volatility_measures_the_distance_by_true_range() -> None:
    rule = VolatilityStrike(150, Gauge.ATR)
    assert chosen(rule, slate(atr=200_00)) == 24_800
    assert chosen(rule, slate(PUT, atr=200_00)) == 24_200


def test_volatility_measures_the_distance_by_the_move_that_vix_expects() -> None:
    """24,500 at 15 % a year for 7.3 days: 24,500 x 0.15 x sqrt(0.02) = 519.7 points."""
    wide = tuple(row(strike) for strike in range(23_000, 26_050, 50))
    answer = choose(VolatilityStrike(100), slate(PUT, wide, vix=15_00, days=7.3))
    assert isinstance(answer, Choice)
    assert (answer.target, answer.strike) == (24_500_00 - 51_972, 24_000_00)


@pytest.mark.parametrize("gauge", list(Gauge))
def test_volatility_waits_while_its_gauge_is_unknown(gauge: Gauge) -> None:
    answer = refused(VolatilityStrike(100, gauge), slate())
    assert (answer.code, answer.wait) == ("NO_GAUGE", True)


# By premium and delta: SK-5 to SK-8, SK-10, SK-11, SK-14, SK-16


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


# What a strike must offer


def test_a_strike_that_does_not_trade_enough_is_passed_over_for_the_next_best() -> None:
    rows = (row(24_500, 120_00, oi=5_000), row(24_550, 104_00, oi=5_000), row(24_600, 96_00, oi=10), row(24_650, 88_00))
    answer = choose(PremiumStrike(100_00), slate(rows=rows, liquidity=Liquidity(min_oi=1_000)))
    assert isinstance(answer, Choice)
    assert answer.strike == 24_550_00
    assert [look.verdict for look in answer.looked] == [
        Verdict.FARTHER,
        Verdict.CHOSEN,
        Verdict.LOW_OI,
        Verdict.FARTHER,
    ]


def test_next_tries_stay_on_the_side_of_the_bound() -> None:
    rows = (row(24_500, 120_00, oi=5_000), row(24_550, 104_00, oi=1), row(24_600, 96_00, oi=5_000))
    assert chosen(PremiumStrike(100_00, Pick.AT_LEAST), slate(rows=rows, liquidity=Liquidity(min_oi=9))) == 24_500


@pytest.mark.parametrize(("tries", "strike"), [(0, None), (2, None), (3, 24_450)])
def test_only_so_many_next_strikes_are_tried(tries: int, strike: int | None) -> None:
    rows = (row(24_450, oi=5_000), row(24_500), row(24_550), row(24_600))
    answer = choose(StepStrike(1), slate(rows=rows, liquidity=Liquidity(min_oi=1_000, tries=tries)))
    assert (answer.strike // 100 if isinstance(answer, Choice) else None) == strike
    if tries == 2:
        assert isinstance(answer, NoStrike)
        # of two as near, first the one further out of the money
        assert answer.text == "No strike offers what is asked for: 24550 low-oi, 24600 low-oi, 24500 low-oi."


def test_an_exact_strike_has_no_next_one() -> None:
    rows = (row(24_450, oi=5_000), row(24_500), row(24_550, oi=5_000))
    assert refused(ExactStrike(24_500_00), slate(rows=rows, liquidity=Liquidity(min_oi=1_000))).code == "ILLIQUID"


@pytest.mark.parametrize(
    ("known", "asked", "verdict"),
    [
        ({"bid": 99_00, "ask": 101_00}, Liquidity(max_spread=199, tries=0), Verdict.WIDE_SPREAD),
        ({"ask": 101_00}, Liquidity(max_spread=199, tries=0), Verdict.NO_SPREAD),
        ({"volume": 9}, Liquidity(min_volume=10, tries=0), Verdict.LOW_VOLUME),
        ({}, Liquidity(min_oi=1, tries=0), Verdict.LOW_OI),
        ({}, Liquidity(min_premium=100_05, tries=0), Verdict.LOW_PREMIUM),
    ],
)
def test_each_thing_asked_for_is_looked_at(known: dict[str, int], asked: Liquidity, verdict: Verdict) -> None:
    answer = refused(StepStrike(), slate(rows=(row(24_450), row(24_500, 100_00, **known)), liquidity=asked))
    assert [look.verdict for look in answer.looked if look.row.strike == 24_500_00] == [verdict]


def test_a_spread_of_exactly_the_limit_will_do() -> None:
    rows = (row(24_450), row(24_500, 100_00, bid=99_00, ask=101_00))
    assert chosen(StepStrike(), slate(rows=rows, liquidity=Liquidity(max_spread=200, tries=0))) == 24_500


# What is told and kept


def test_a_choice_keeps_its_inputs_and_tells_them() -> None:
    answer = choose(PremiumStrike(100_00), FOUR)
    assert isinstance(answer, Choice)
    assert (answer.reference, answer.atm, answer.listed, answer.premium) == (24_500_00, 24_500_00, 4, 96_00)
    assert told(answer) == (
        "NIFTY 24600 at 96.00, aimed at premium 100.00; ATM 24500 by the reference 24500.00, 4 strikes listed."
    )


@pytest.mark.parametrize("rule", [PremiumStrike(100_00), StepStrike(9), DeltaStrike(300)])
def test_a_decision_survives_being_stored(rule: AnyStrike) -> None:
    answer = choose(rule, FOUR)
    assert msgspec.json.decode(msgspec.json.encode(answer), type=type(answer)) == answer


def test_without_a_reference_nothing_is_chosen_and_later_quotes_may_help() -> None:
    answer = refused(StepStrike(), slate(reference=0))
    assert (answer.code, answer.wait, answer.looked) == ("NO_REFERENCE", True, ())


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


@given(st.integers(-8, 8), st.sampled_from(list(Right)))
def test_steps_of_calls_and_puts_mirror_each_other(steps: int, right: Right) -> None:
    other = PUT if right is CALL else CALL
    assert chosen(StepStrike(steps), slate(right)) == chosen(StepStrike(-steps), slate(other))
