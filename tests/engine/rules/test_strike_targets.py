"""Strikes chosen by where they lie: SK-1 to SK-4, SK-9, SK-12, SK-13 and SK-15."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.strikes import (
    AnyStrike,
    ExactStrike,
    Gauge,
    OffsetStrike,
    RelativeStrike,
    StepStrike,
    StrikeUnit,
    VolatilityStrike,
)
from optconsole.engine.rules.strikes import Choice, choose
from tests.engine.rules.slates import CALL, PUT, chosen, refused, row, slate


@pytest.mark.parametrize(("right", "multiple", "strike"), [(CALL, 50, 24_650), (PUT, -50, 24_350)])
def test_golden_straddle_width_half_of_300_from_24500(right: Right, multiple: int, strike: int) -> None:
    """SK-9."""
    on = slate(right, straddle=300_00)
    answer = choose(OffsetStrike(multiple, StrikeUnit.STRADDLE), on)
    assert isinstance(answer, Choice)
    assert (answer.target, answer.strike) == (strike * 100, strike * 100)


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


@given(st.integers(-8, 8), st.sampled_from(list(Right)))
def test_steps_of_calls_and_puts_mirror_each_other(steps: int, right: Right) -> None:
    other = PUT if right is CALL else CALL
    assert chosen(StepStrike(steps), slate(right)) == chosen(StepStrike(-steps), slate(other))
