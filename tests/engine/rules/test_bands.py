"""Price bands, ticks and the limit of a market order."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.orders import Side
from optconsole.engine.rules.bands import BandRule, nearest_ticks, on_tick, price_band, protected_limit

EXPIRY = date(2026, 12, 1)
PRICES = st.integers(1, 10_000_000)
TICKS = st.sampled_from([1, 5, 10, 20, 500])


def contract(kind: Kind, tick: int = 5) -> Instrument:
    strike, right = (24_500_00, Right.CALL) if kind is Kind.OPTION else (None, None)
    return Instrument(
        name=contract_name("NIFTY", None if kind is Kind.INDEX else EXPIRY, strike, right),
        underlying="NIFTY",
        exchange="NSE",
        kind=kind,
        lot=65,
        tick=tick,
        freeze=1800,
        expiry=EXPIRY,
        strike=strike,
        right=right,
    )


@pytest.mark.parametrize(
    ("reference", "band"),
    [
        (100_00, (60_00, 140_00)),
        (40_00, (20_00, 60_00)),
        (50_00, (30_00, 70_00)),
        (10_00, (5, 30_00)),
        (5, (5, 20_05)),
        (100_07, (60_05, 140_05)),
    ],
)
def test_an_option_may_trade_forty_per_cent_or_twenty_rupees_from_its_reference(
    reference: int, band: tuple[int, int]
) -> None:
    assert price_band(contract(Kind.OPTION), reference) == band


@pytest.mark.parametrize(("reference", "band"), [(24_500_00, (24_010_00, 24_990_00)), (8_000_00, (7_800_00, 8_200_00))])
def test_a_future_may_trade_two_per_cent_or_two_hundred_rupees_from_its_reference(
    reference: int, band: tuple[int, int]
) -> None:
    assert price_band(contract(Kind.FUTURE, tick=10), reference) == band


def test_a_band_of_another_day_can_be_given() -> None:
    assert price_band(contract(Kind.OPTION), 100_00, BandRule(8_000, 80_00)) == (20_00, 180_00)


def test_an_index_has_no_band() -> None:
    with pytest.raises(Refusal) as refused:
        price_band(contract(Kind.INDEX), 24_500_00)
    assert refused.value.code == "NOT_TRADABLE"


@given(PRICES, TICKS, st.sampled_from([Kind.OPTION, Kind.FUTURE]))
def test_a_band_is_on_tick_and_never_wider_than_the_rule(reference: int, tick: int, kind: Kind) -> None:
    share, least = (4_000, 20_00) if kind is Kind.OPTION else (200, 200_00)
    low, high = price_band(contract(kind, tick), reference)
    reach = max(reference * share / 10_000, least)
    assert on_tick(low, tick)
    assert on_tick(high, tick)
    assert low >= max(tick, reference - reach) or low == tick
    assert high <= reference + reach


@pytest.mark.parametrize(
    ("reference", "buy", "sell"),
    [
        (80_00, 82_40, 77_60),
        (100_00, 103_00, 97_00),
        (9_95, 10_45, 9_45),
        (10_00, 10_30, 9_70),
        (500_00, 510_00, 490_00),
        (500_05, 505_10, 495_00),
        (5, 10, 5),
    ],
)
def test_a_market_order_travels_under_its_slab(reference: int, buy: int, sell: int) -> None:
    assert protected_limit(Side.BUY, reference, 5) == buy
    assert protected_limit(Side.SELL, reference, 5) == sell


@given(PRICES, TICKS)
def test_a_protected_limit_is_on_tick_marketable_and_near(reference: int, tick: int) -> None:
    buy, sell = protected_limit(Side.BUY, reference, tick), protected_limit(Side.SELL, reference, tick)
    assert on_tick(buy, tick)
    assert on_tick(sell, tick)
    assert buy > reference
    assert sell < reference or sell == tick
    assert buy <= reference + reference * 0.05 + tick + 1
    assert sell >= reference - reference * 0.05 - tick - 1


@given(PRICES, TICKS)
def test_nearest_ticks_enclose_the_price(price: int, tick: int) -> None:
    lower, upper = nearest_ticks(price, tick)
    assert lower <= price <= upper
    assert upper - lower == (0 if on_tick(price, tick) else tick)
    assert on_tick(lower, tick)
