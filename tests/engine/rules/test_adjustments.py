"""Names, order, size and worst case of a change of a run's legs (features BK-8)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.model.adjustments import Move
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Side
from optconsole.engine.rules.adjustments import (
    Carried,
    Sized,
    added_name,
    net_delta,
    neutral,
    ordered,
    premium,
    shifted,
    worst,
)

STRIKES = (2_400_000, 2_405_000, 2_410_000, 2_425_000, 2_450_000)
"""With gaps, as lists have them further out."""


def move(leg: str, side: Side, opens: bool, price: int | None = 100) -> Move:
    return Move(step=0, leg=leg, opens=opens, side=side, account="a", contract=leg, lots=1, lot=65, tick=5, price=price)


def test_a_shift_walks_the_listed_strikes_outwards_by_right() -> None:
    assert shifted(STRIKES, 2_410_000, 1, Right.CALL) == 2_425_000
    assert shifted(STRIKES, 2_410_000, 1, Right.PUT) == 2_405_000
    assert shifted(STRIKES, 2_410_000, -2, Right.PUT) == 2_450_000
    with pytest.raises(Refusal, match="none is listed"):
        shifted(STRIKES, 2_410_000, 3, Right.CALL)


def test_an_added_leg_is_named_after_the_written_one_it_goes_back_to() -> None:
    assert added_name("ce", ()) == "ce~2"
    assert added_name("ce~2", ("ce", "ce~2")) == "ce~3"
    assert added_name("ce", (), "hedge") == "ce~hedge"
    assert added_name("ce~3", ("ce~hedge",), "hedge") == "ce~hedge2"


ROLL_SHORT = (move("new", Side.SELL, True), move("old", Side.BUY, False))
ROLL_HEDGE = (move("old", Side.SELL, False), move("new", Side.BUY, True))
BOTH = (*ROLL_SHORT, move("h1", Side.SELL, False), move("h2", Side.BUY, True))


@pytest.mark.parametrize(
    ("moves", "protects", "tight", "names"),
    [
        (ROLL_SHORT, True, False, ["old", "new"]),
        (ROLL_HEDGE, True, False, ["new", "old"]),
        (ROLL_HEDGE, False, False, ["old", "new"]),
        (BOTH, True, False, ["h2", "old", "h1", "new"]),
        (BOTH, True, True, ["old", "h2", "h1", "new"]),
    ],
)
def test_the_order_of_moves(moves: tuple[Move, ...], protects: bool, tight: bool, names: list[str]) -> None:
    found = ordered(moves, protects=protects, tight=tight)
    assert [each.leg for each in found] == names
    assert [each.step for each in found] == list(range(1, len(names) + 1))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(Side), st.booleans()), min_size=1, max_size=8),
    st.booleans(),
    st.booleans(),
)
def test_nothing_is_sold_before_all_is_bought_that_shorts_need(
    kinds: list[tuple[Side, bool]], protects: bool, tight: bool
) -> None:
    found = ordered([move(str(n), *kind) for n, kind in enumerate(kinds)], protects=protects, tight=tight)
    last = {side: [each.step for each in found if each.side is side and each.opens] for side in Side}
    assert not last[Side.SELL] or min(last[Side.SELL]) == max(each.step for each in found)
    if protects:
        bought = [each.step for each in found if each.side is Side.BUY]
        sold = [each.step for each in found if each.side is Side.SELL]
        assert not bought or not sold or max(bought) < min(sold)
    assert {each.step for each in found} == set(range(1, max(each.step for each in found) + 1))


def test_what_the_moves_bring_in_is_unknown_while_one_has_no_price() -> None:
    assert premium(ROLL_SHORT) == 0
    assert premium((move("a", Side.SELL, True, 250), move("b", Side.BUY, True, 100))) == 65 * 150
    assert premium((move("a", Side.SELL, True), move("b", Side.BUY, True, None))) is None


def test_the_net_delta_is_unknown_where_one_of_what_is_held_is() -> None:
    assert net_delta([(-65, 0.5), (-65, -0.4)]) == pytest.approx(-6.5)
    assert net_delta([(-65, 0.5), (0, None)]) == pytest.approx(-32.5)
    assert net_delta([(-65, 0.5), (65, None)]) is None


def test_the_fewest_lots_that_bring_the_delta_within_its_bound_are_added() -> None:
    legs = [Sized(leg="pe", lot=65, delta=0.2), Sized(leg="ce", lot=65, delta=-0.6), Sized(leg="up", lot=65, delta=0.5)]
    found = neutral(-40, 10, legs, 10)
    assert (found.leg, found.lots) == ("up", 1)
    assert found.after == pytest.approx(-7.5)
    with pytest.raises(Refusal) as refused:
        neutral(-40, 5, legs[:1], 2)
    assert refused.value.code == "NO_NEUTRAL"
    assert "2 lots of pe would leave -14" in refused.value.text


LEGS = st.lists(
    st.builds(
        Carried,
        sign=st.sampled_from((1, -1)),
        units=st.integers(1, 5).map(lambda lots: lots * 65),
        price=st.integers(5, 30_000),
        right=st.sampled_from(Right),
        strike=st.sampled_from(STRIKES),
    ),
    max_size=6,
)


@settings(deadline=None)
@given(LEGS, st.integers(-500_000, 500_000))
def test_no_underlying_makes_more_loss_than_the_worst_case(legs: list[Carried], realised: int) -> None:
    found = worst(legs, realised)
    bare = sum(leg.sign * leg.units for leg in legs if leg.right is Right.CALL)
    assert (found is None) == (bare < 0)
    if found is None:
        return
    made = [
        realised
        + sum(
            leg.sign * leg.units * (max((at - leg.strike) * (1 if leg.right is Right.CALL else -1), 0) - leg.price)
            for leg in legs
            if leg.strike is not None
        )
        for at in (0, *STRIKES, *range(2_390_000, 2_460_000, 1_250), 9_000_000)
    ]
    assert max(-min(made), 0) == found


def test_an_iron_fly_loses_its_width_less_what_it_took() -> None:
    fly = [
        Carried(sign=-1, units=65, price=10_000, right=Right.CALL, strike=2_450_000),
        Carried(sign=-1, units=65, price=10_000, right=Right.PUT, strike=2_450_000),
        Carried(sign=1, units=65, price=3_000, right=Right.CALL, strike=2_470_000),
        Carried(sign=1, units=65, price=3_000, right=Right.PUT, strike=2_430_000),
    ]
    assert worst(fly[:2], 0) is None
    assert worst(fly, 0) == 65 * (20_000 - 14_000)
