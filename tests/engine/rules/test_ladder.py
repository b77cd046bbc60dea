from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.orders import Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules import ladder
from optconsole.engine.rules.bands import price_band
from tests.engine.facts import CALL, option

PAISE = st.integers(min_value=1, max_value=200_000)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    low, high = sorted((draw(PAISE), draw(PAISE)))
    return Quote(
        name=CALL,
        ts=1,
        bid=draw(st.none() | st.just(low)),
        ask=draw(st.none() | st.just(high)),
        ltp=draw(st.none() | PAISE),
    )


@given(quotes(), st.sampled_from(Side))
def test_each_rung_is_on_tick_within_the_band_and_no_better_than_the_one_before(quote: Quote, side: Side) -> None:
    prices = [ladder.price(side, quote, option(), rung) for rung in range(ladder.LAST + 1)]
    if None in prices:
        assert prices == [None] * len(prices)
        return
    known = [price for price in prices if price is not None]
    mark = quote.mark if quote.mark is not None else (quote.ask if side is Side.BUY else quote.bid)
    assert mark is not None
    low, high = price_band(option(), mark)
    assert all(price % 5 == 0 and price >= 5 for price in known)
    assert all(price <= high if side is Side.BUY else price >= low for price in known)
    assert known == sorted(known, key=lambda price: price * side.sign)


@given(st.lists(quotes(), min_size=1, max_size=30), st.sampled_from(Side))
def test_an_order_only_ever_moves_towards_the_edge(market: list[Quote], side: Side) -> None:
    current, changes = ladder.price(side, market[0], option(), 0), 0
    if current is None:
        return
    for quote in market:
        step = ladder.next_step(side, current, quote, option(), changes)
        if step is None:
            continue
        assert (step[0] - current) * side.sign > 0
        assert min(changes + 1, ladder.LAST) <= step[1] <= ladder.LAST
        current, changes = step[0], changes + 1


def test_the_first_rung_is_the_protected_limit_and_the_next_ones_widen_it() -> None:
    quote = Quote(name=CALL, ts=1, bid=9_990, ask=10_000, ltp=10_000)
    assert [ladder.price(Side.BUY, quote, option(), rung) for rung in range(4)] == [10_300, 10_600, 11_200, 14_000]


def test_the_last_rung_is_the_edge_of_the_band_that_the_exchange_goes_by() -> None:
    quote = Quote(name="NIFTY", ts=0, bid=159_90, bid_qty=65, ask=160_10, ask_qty=65, ltp=160_00)
    assert ladder.price(Side.BUY, quote, option(), ladder.LAST, 100_00) == 140_00
    assert ladder.price(Side.BUY, quote, option(), 0, 100_00) == 140_00
    assert ladder.next_step(Side.BUY, 140_00, quote, option(), 1, 100_00) is None
