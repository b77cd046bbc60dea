"""Which price a quote is worth, and which strike is at the money."""

from __future__ import annotations

import pytest

from optconsole.engine.pricing.ladder import Ladder, Side, fair_price, nearest_strike

SIDE = Side((1, 1), (2, 2), (1, 1))


@pytest.mark.parametrize(
    ("bid", "ask", "ltp", "price"),
    [
        (100, 105, 90, 102.5),
        (100, 100, None, 100.0),
        (100, None, 90, 100.0),
        (100, None, 110, 110.0),
        (None, 105, 120, 105.0),
        (None, None, 90, 90.0),
        (110, 100, 90, 90.0),
        (0, 0, 90, 90.0),
        (0, 105, None, None),
        (None, None, None, None),
        (None, None, 0, None),
    ],
)
def test_the_book_has_the_last_word_and_unknown_stays_unknown(
    bid: int | None, ask: int | None, ltp: int | None, price: float | None
) -> None:
    assert fair_price(bid, ask, ltp) == price


@pytest.mark.parametrize(
    ("reference", "index"),
    [(50.0, 0), (100.0, 0), (124.9, 0), (125.0, 0), (125.1, 1), (150.0, 1), (250.0, 2), (400, 2)],
)
def test_at_the_money_is_the_nearest_listed_strike_and_a_tie_goes_down(reference: float, index: int) -> None:
    assert nearest_strike((100, 150, 300), reference) == index


@pytest.mark.parametrize("strikes", [(150, 100), (100, 100), (100,), (100, 150, 200)])
def test_a_ladder_ascends_and_its_columns_are_aligned(strikes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"ascend|entry per strike"):
        Ladder(strikes, SIDE, SIDE)
