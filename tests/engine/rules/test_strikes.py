"""What a strike must offer, what is tried next, and what a decision keeps and tells."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine.model.strikes import (
    AnyStrike,
    DeltaStrike,
    ExactStrike,
    Liquidity,
    Pick,
    PremiumStrike,
    StepStrike,
)
from optconsole.engine.rules.strike_liquidity import Verdict
from optconsole.engine.rules.strikes import Choice, NoStrike, choose, told
from tests.engine.rules.slates import FOUR, chosen, refused, row, slate


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
