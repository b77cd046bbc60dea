from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.protection import Protection, StopMode
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules.bands import price_band
from optconsole.engine.rules.protection import beyond, crossing, stop_limit, wide_trigger
from tests.engine.facts import CALL, START, option

TICKS = st.integers(min_value=2, max_value=20_000).map(lambda ticks: ticks * 5)


@given(TICKS, TICKS, st.sampled_from([1, -1]))
def test_the_wide_stop_is_on_tick_and_never_nearer_than_the_tight_one(stop: int, mark: int, sign: int) -> None:
    if (mark - stop) * sign <= 0:
        return
    wide = wide_trigger(sign, stop, mark, 5)
    assert wide % 5 == 0
    assert wide >= 5
    assert (stop - wide) * sign >= 0


@given(TICKS, st.sampled_from(Side))
def test_the_limit_of_a_stop_is_beyond_its_trigger_and_inside_the_band_there(trigger: int, side: Side) -> None:
    limit = stop_limit(side, trigger, option())
    low, high = price_band(option(), trigger)
    assert limit % 5 == 0
    assert low <= limit <= high
    assert (limit - trigger) * side.sign >= 0


@pytest.mark.parametrize(
    ("sign", "what", "level", "price", "reached"),
    [
        (-1, "stop", 12_000, 12_000, True),
        (-1, "stop", 12_000, 11_995, False),
        (1, "stop", 8_000, 8_000, True),
        (1, "stop", 8_000, 8_005, False),
        (-1, "target", 8_000, 8_000, True),
        (1, "target", 12_000, 11_995, False),
    ],
)
def test_a_level_is_reached_at_its_price(sign: int, what: str, level: int, price: int, reached: bool) -> None:
    assert beyond(sign, level, price, what) is reached


def test_the_wide_stop_stands_at_one_and_a_half_times_the_distance() -> None:
    assert wide_trigger(-1, 12_000, 10_000, 5) == 13_000
    assert wide_trigger(1, 8_000, 10_000, 5) == 7_000
    assert wide_trigger(1, 100, 10_000, 5) == 5


def test_a_quote_without_a_price_reaches_nothing() -> None:
    guard = Protection(
        id="G1",
        key=PositionKey("paper", Product.NRML, CALL),
        sign=-1,
        stop=12_000,
        target=8_000,
        mode=StopMode.LOCAL,
        wide=None,
        since=START,
    )
    assert crossing(guard, None) == ""
    assert crossing(guard, Quote(name=CALL, ts=1)) == ""
    assert crossing(guard, Quote(name=CALL, ts=1, bid=5_000, ask=9_000, ltp=7_000)) == ""  # the ask cannot be had
