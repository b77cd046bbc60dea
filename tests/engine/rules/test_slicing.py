"""Freeze quantity: large orders leave in whole lots, none above the limit, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.errors import Refusal
from optconsole.engine.rules.slicing import slices


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
