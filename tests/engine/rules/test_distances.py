"""Distances of leg rules and the rounding of levels."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.leg_rules import Measure, Unit
from optconsole.engine.model.leg_state import Place
from optconsole.engine.rules.distances import distance, place_of, rounded


@pytest.mark.parametrize(
    ("measure", "paise"),
    [
        (Measure(2_000), 2_000),
        (Measure(2_500, Unit.PERCENT), 2_500),
        (Measure(650_000, Unit.RUPEES_A_LOT), 10_000),
        (Measure(10_000, Unit.UNDERLYING_POINTS), 10_000),
        (Measure(33, Unit.UNDERLYING_PERCENT), 33),
    ],
)
def test_a_distance_is_paise_of_one_unit(measure: Measure, paise: int) -> None:
    assert distance(measure, 100_00, 65) == paise


def test_rupees_a_lot_are_not_rounded_before_the_level_is() -> None:
    assert distance(Measure(100, Unit.RUPEES_A_LOT), 100_00, 65) == Fraction(100, 65)


def test_underlying_units_belong_to_the_underlying() -> None:
    assert {unit for unit in Unit if place_of(Measure(1, unit)) is Place.UNDERLYING} == {
        Unit.UNDERLYING_POINTS,
        Unit.UNDERLYING_PERCENT,
    }


@given(st.integers(1, 10_000_000), st.integers(1, 1_000), st.sampled_from([1, 5, 10, 500]), st.sampled_from([1, -1]))
def test_a_level_is_rounded_towards_the_gain_by_less_than_a_tick(paise: int, parts: int, tick: int, sign: int) -> None:
    exact = Fraction(paise, parts)
    level = rounded(exact, sign, tick)
    assert level % tick == 0
    assert level >= tick
    if exact >= tick:
        assert 0 <= (level - exact) * sign < tick
