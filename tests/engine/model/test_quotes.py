"""Mid and mark of a quote: the book has the last word, and unknown stays unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.quotes import Quote

PRICE = st.none() | st.integers(1, 10_000)


@pytest.mark.parametrize(
    ("bid", "ask", "ltp", "mark"),
    [
        (99, 101, 100, 100),
        (99, 101, 150, 101),
        (99, 101, 50, 99),
        (99, None, 50, 99),
        (None, 101, 150, 101),
        (None, None, 100, 100),
        (99, 102, None, 100),
        (99, None, None, None),
        (None, None, None, None),
    ],
)
def test_the_mark_is_the_last_trade_held_inside_the_spread(
    bid: int | None, ask: int | None, ltp: int | None, mark: int | None
) -> None:
    assert Quote("X", 0, bid=bid, ask=ask, ltp=ltp).mark == mark


@given(PRICE, PRICE, PRICE)
def test_the_mark_never_leaves_the_book(bid: int | None, ask: int | None, ltp: int | None) -> None:
    if bid is not None and ask is not None and bid > ask:
        bid, ask = ask, bid
    quote = Quote("X", 0, bid=bid, ask=ask, ltp=ltp)
    if quote.mark is not None:
        assert bid is None or quote.mark >= bid
        assert ask is None or quote.mark <= ask
    else:
        assert ltp is None
