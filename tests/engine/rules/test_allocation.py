"""Lots of each account: a multiplier keeps the legs in their ratio or is refused with those that would (BK-5)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.baskets import Allocation, Pace, Rounding
from optconsole.engine.model.errors import Refusal
from optconsole.engine.rules.allocation import Share, departures, multiplier_text, share, told, working_multipliers

CONDOR = {"a": 2, "b": 3, "c": 1, "d": 2}


def account(multiplier: int = 150, rounding: Rounding = Rounding.REFUSE, **more: object) -> Allocation:
    return Allocation(account="own", multiplier=multiplier, rounding=rounding, **more)


def refusal(legs: dict[str, int], allocation: Allocation) -> Refusal:
    with pytest.raises(Refusal) as refused:
        share(legs, allocation)
    return refused.value


def test_golden_2_3_1_2_times_one_and_a_half_is_refused_with_what_would_do() -> None:
    answer = refusal(CONDOR, account())
    assert (answer.code, answer.text) == (
        "RATIO_BROKEN",
        "2 : 3 : 1 : 2 ×1.5 makes 3 : 4.5 : 1.5 : 3, which are no whole lots;"
        " take ×1 or ×2, or give the lots of each leg.",
    )


@pytest.mark.parametrize(
    ("multiplier", "lots"), [(100, (2, 3, 1, 2)), (200, (4, 6, 2, 4)), (25000, (500, 750, 250, 500))]
)
def test_a_whole_multiplier_keeps_the_ratio(multiplier: int, lots: tuple[int, ...]) -> None:
    answer = share(CONDOR, account(multiplier, max_lots=750))
    assert (tuple(answer.lots.values()), answer.ratio_kept, answer.lost) == (lots, True, {})


def test_a_fraction_that_makes_whole_lots_will_do() -> None:
    assert share({"a": 2, "b": 4}, account(150)).lots == {"a": 3, "b": 6}
    assert share({"a": 4, "b": 8}, account(25)).lots == {"a": 1, "b": 2}


def test_a_multiplier_too_small_for_any_offers_the_smallest_that_works() -> None:
    assert working_multipliers((2, 3, 1, 2), 50) == (100,)
    assert working_multipliers((2, 4), 175) == (150, 200)
    assert working_multipliers((1,), 24_999) == (24_900, 25_000)


def test_going_down_tells_what_each_leg_loses() -> None:
    answer = share(CONDOR, account(rounding=Rounding.FLOOR))
    assert answer.lots == {"a": 3, "b": 4, "c": 1, "d": 3}
    assert (answer.lost, answer.ratio_kept) == ({"b": 50, "c": 50}, False)
    assert told(answer) == (
        "own ×1.5: a 3, b 4, c 1, d 3; b loses 0.50; c loses 0.50; the legs no longer stand as written."
    )


def test_the_largest_remainder_shares_the_lots_that_are_left() -> None:
    answer = share(CONDOR, account(rounding=Rounding.REMAINDER))
    assert answer.lots == {"a": 3, "b": 5, "c": 1, "d": 3}
    assert (answer.lost, sum(answer.lots.values())) == ({"b": -50, "c": 50}, 12)


def test_equal_legs_stay_equal_so_that_no_wing_is_naked() -> None:
    answer = share({"sell-ce": 1, "buy-ce": 1, "sell-pe": 1, "buy-pe": 1}, account(rounding=Rounding.REMAINDER))
    assert (set(answer.lots.values()), answer.ratio_kept) == ({1}, True)


def test_a_leg_that_would_get_no_lot_is_refused() -> None:
    answer = refusal(CONDOR, account(50, Rounding.FLOOR))
    assert (answer.code, "no lot for c" in answer.text) == ("NO_LOTS", True)


def test_lots_given_for_a_leg_replace_the_multiplier() -> None:
    answer = share(CONDOR, account(lots={"b": 4, "c": 2}))
    assert (answer.lots, answer.exact) == ({"a": 3, "b": 4, "c": 2, "d": 3}, {"a": 300, "d": 300})
    assert answer.ratio_kept
    assert share(CONDOR, account(lots={"a": 1, "b": 1, "c": 1, "d": 1})).lots == dict.fromkeys(CONDOR, 1)


def test_lots_given_for_a_leg_of_another_strategy_change_nothing() -> None:
    assert share(CONDOR, account(200, lots={"z": 9})).lots == {"a": 4, "b": 6, "c": 2, "d": 4}


def test_more_lots_than_the_account_takes_are_refused_with_what_fits() -> None:
    answer = refusal(CONDOR, account(500, max_lots=10))
    assert (answer.code, answer.text) == (
        "MAX_LOTS",
        "Leg b would have 15 lots, and account own takes at most 10; ×3 fits.",
    )
    assert "fits" not in refusal(CONDOR, account(500, max_lots=2)).text
    assert "fits" not in refusal(CONDOR, account(100, lots={"b": 200})).text


@pytest.mark.parametrize(
    ("legs", "allocation", "code"),
    [
        (CONDOR, account(enabled=False), "NOT_ENABLED"),
        (CONDOR, account(lots={"a": 0}), "BAD_LOTS"),
        ({"a": 0}, account(), "BAD_LOTS"),
        ({}, account(), "BAD_LOTS"),
        (CONDOR, account(0), "BAD_MULTIPLIER"),
        (CONDOR, account(25_001), "BAD_MULTIPLIER"),
    ],
)
def test_terms_that_cannot_be_meant_are_refused(legs: dict[str, int], allocation: Allocation, code: str) -> None:
    assert refusal(legs, allocation).code == code


@pytest.mark.parametrize(("hundredths", "text"), [(100, "×1"), (150, "×1.5"), (25, "×0.25"), (1_050, "×10.5")])
def test_multipliers_are_written_as_a_trader_does(hundredths: int, text: str) -> None:
    assert multiplier_text(hundredths) == text


ACCOUNTS = (
    Allocation(account="slow", priority=2),
    Allocation(account="off", priority=1, enabled=False),
    Allocation(account="first", priority=1),
    Allocation(account="also", priority=2),
)


@pytest.mark.parametrize(
    ("pace", "expected"),
    [
        (Pace.PARALLEL, [("first", 0, ""), ("slow", 0, ""), ("also", 0, "")]),
        (Pace.PRIORITY, [("first", 0, ""), ("slow", 0, "first"), ("also", 0, "slow")]),
        (Pace.STAGGERED, [("first", 0, ""), ("slow", 250, ""), ("also", 500, "")]),
    ],
)
def test_accounts_leave_together_one_by_one_or_apart(pace: Pace, expected: list[tuple[str, int, str]]) -> None:
    found = departures(ACCOUNTS, pace, 250)
    assert [(each.account, each.offset_ms, each.after) for each in found] == expected


ratios = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 12), min_size=1)


def outcome(legs: dict[str, int], allocation: Allocation) -> Share | str:
    try:
        return share(legs, allocation)
    except Refusal as refused:
        return refused.code


@given(ratios, st.integers(1, 1_000))
def test_refuse_never_changes_the_ratio_of_the_legs(legs: dict[str, int], multiplier: int) -> None:
    answer = outcome(legs, account(multiplier, max_lots=1_000))
    if isinstance(answer, Share):
        assert {Fraction(answer.lots[leg], lots) for leg, lots in legs.items()} == {Fraction(multiplier, 100)}
        assert answer.ratio_kept
    else:
        assert answer == "RATIO_BROKEN"


@given(ratios, st.integers(1, 1_000))
def test_every_multiplier_that_is_offered_works(legs: dict[str, int], multiplier: int) -> None:
    offers = working_multipliers([*legs.values()], multiplier)
    assert offers
    for offer in offers:
        assert isinstance(outcome(legs, account(offer, max_lots=1_000)), Share)


@given(ratios, st.integers(1, 1_000), st.sampled_from([Rounding.FLOOR, Rounding.REMAINDER]))
def test_rounding_stays_within_a_lot_and_keeps_the_order_of_the_legs(
    legs: dict[str, int], multiplier: int, rounding: Rounding
) -> None:
    answer = outcome(legs, account(multiplier, rounding, max_lots=1_000))
    if not isinstance(answer, Share):
        assert answer == "NO_LOTS"
        return
    assert all(abs(hundredths) < 100 for hundredths in answer.lost.values())
    assert sum(answer.lots.values()) * 100 <= sum(answer.exact.values())
    for one, lots in legs.items():
        for other, others in legs.items():
            if lots == others:
                assert answer.lots[one] == answer.lots[other]
            elif lots < others:
                assert answer.lots[one] <= answer.lots[other]
