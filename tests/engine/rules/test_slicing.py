"""Freeze quantity: large orders leave in whole lots, none above the limit, nothing lost."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from optconsole.engine.model.errors import Refusal
from optconsole.engine.rules.slicing import largest_order, parts, slices
from tests.engine.facts import option


@pytest.mark.parametrize(
    ("qty", "lot", "freeze", "children"),
    [
        (40 * 65, 65, 1800, (1755, 845)),
        (65, 65, 1800, (65,)),
        (1755, 65, 1800, (1755,)),
        (600, 30, 600, (600,)),
        (630, 30, 600, (600, 30)),
        (3 * 1755, 65, 1800, (1755, 1755, 1755)),
    ],
)
def test_an_order_is_cut_at_the_last_whole_lot_below_the_limit(
    qty: int, lot: int, freeze: int, children: tuple[int, ...]
) -> None:
    assert slices(qty, lot, freeze) == children


@given(st.integers(1, 200), st.integers(1, 500), st.integers(1, 100), st.integers(0, 499))
def test_slices_add_up_and_each_can_be_sent(lot: int, lots: int, most: int, spare: int) -> None:
    freeze = most * lot + spare % lot
    children = slices(lots * lot, lot, freeze)
    assert sum(children) == lots * lot
    assert all(0 < child <= freeze and child % lot == 0 for child in children)
    assert len(children) == -(-lots // most)


@pytest.mark.parametrize("qty", [0, -65, 64, 66])
def test_a_broken_lot_is_refused(qty: int) -> None:
    with pytest.raises(Refusal) as refused:
        slices(qty, 65, 1800)
    assert refused.value.code == "BAD_QTY"


@pytest.mark.parametrize("freeze", [0, 1, 64])
def test_an_unknown_limit_is_refused_not_ignored(freeze: int) -> None:
    with pytest.raises(Refusal) as refused:
        slices(65, 65, freeze)
    assert refused.value.code == "NO_FREEZE"


@pytest.mark.parametrize(
    ("lot", "freeze", "largest"),
    [(65, 1800, 1755), (30, 600, 570), (20, 1000, 980), (65, 65, 0), (65, 1, 0), (65, 0, 0)],
)
def test_the_largest_order_stays_below_the_published_figure(lot: int, freeze: int, largest: int) -> None:
    assert largest_order(msgspec.structs.replace(option(), lot=lot, freeze=freeze)) == largest


@given(st.integers(1, 100), st.integers(1, 400), st.integers(1, 40), st.integers(0, 31))
def test_parts_add_up_and_each_can_be_sent(lot: int, lots: int, most: int, wanted: int) -> None:
    assume(wanted <= lots and -(-lots // most) <= 32)
    cut = parts(lots * lot, lot, most * lot, wanted)
    assert sum(cut) == lots * lot
    assert all(0 < part <= most * lot and part % lot == 0 for part in cut)
    assert len(cut) >= wanted
    if wanted > 1:
        assert max(cut) - min(cut) <= lot


def test_more_parts_than_a_tag_can_count_are_refused_with_what_would_pass() -> None:
    with pytest.raises(Refusal, match=str(32 * 1755)):
        parts(33 * 1755, 65, 1755)
