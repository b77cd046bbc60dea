"""SPAN-like margin against a broker's published figures, and the method's own laws."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.market.facts import margin_params_on
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.timeline import IST
from optconsole.engine.pricing.margin import DELTA_WEIGHTS, SCENARIOS, Forwards, Margin, MarginLeg, portfolio_margin

NOW = datetime(2026, 6, 1, 10, 0, tzinfo=IST)
JUNE, JULY = date(2026, 6, 30), date(2026, 7, 28)
PARAMS = margin_params_on(NOW.date())
FUTURE_PRICE = 23_748_46
"""The future's price behind the broker's exposure figure: 30,873 / 2 % / 65."""


def contract(expiry: date = JUNE, strike: int | None = None, right: Right | None = None) -> Instrument:
    return Instrument(
        name=contract_name("NIFTY", expiry, strike, right),
        underlying="NIFTY",
        exchange="NSE",
        kind=Kind.FUTURE if strike is None else Kind.OPTION,
        lot=65,
        tick=5,
        freeze=1800,
        expiry=expiry,
        strike=strike,
        right=right,
        last_trade=datetime.combine(expiry, time(15, 30), IST),
    )


def future(qty: int, expiry: date = JUNE, price: int = FUTURE_PRICE) -> MarginLeg:
    return MarginLeg(instrument=contract(expiry), qty=qty, price=price)


def option(qty: int, strike: int, right: Right, price: int, expiry: date = JUNE) -> MarginLeg:
    return MarginLeg(instrument=contract(expiry, strike * 100, right), qty=qty, price=price)


def margin(*legs: MarginLeg, spot: int = FUTURE_PRICE, now: datetime = NOW) -> Margin:
    return portfolio_margin(legs, {"NIFTY": spot}, {"NIFTY": spot}, now, PARAMS)


def test_there_are_sixteen_scenarios_in_risk_array_order() -> None:
    assert len(SCENARIOS) == 16
    assert SCENARIOS[:4] == ((0, 1, 1.0), (0, -1, 1.0), (1 / 3, 1, 1.0), (1 / 3, -1, 1.0))
    assert SCENARIOS[10:] == ((1, 1, 1), (1, -1, 1), (-1, 1, 1), (-1, -1, 1), (2, 0, 0.35), (-2, 0, 0.35))
    assert sum(weight for _, weight in DELTA_WEIGHTS) == pytest.approx(1.0)


def test_one_future_costs_what_a_broker_asked_within_half_a_per_cent() -> None:
    got = margin(future(65))
    assert got.span == pytest.approx(143_666_00, rel=0.005)
    assert got.exposure == pytest.approx(30_873_00, rel=0.0001)
    assert got.total == pytest.approx(174_539_00, rel=0.005)
    assert margin(future(-65)) == got


def test_one_short_call_costs_what_a_broker_asked_within_five_per_cent() -> None:
    # The broker's figures mix prices of two days, and its volatility is the clearing house's: hence the tolerance.
    got = margin(option(-65, 23_700, Right.CALL, 28_447_00 // 65))
    assert got.span == pytest.approx(141_962_00, rel=0.05)
    assert got.exposure == pytest.approx(31_197_00, rel=0.02)
    assert got.total == pytest.approx(173_159_00, rel=0.05)


def test_a_bought_option_costs_its_premium_and_nothing_else() -> None:
    got = margin(option(65, 23_700, Right.CALL, 437_65))
    assert got.total == 0
    assert got.premium == 65 * 437_65


def test_a_hedge_brings_a_short_call_down_to_about_its_width() -> None:
    # The published basket: 75 short 20600 calls, 100 points wide, ended at SPAN 7,788.
    now, spot, expiry = datetime(2023, 7, 7, 12, 0, tzinfo=IST), 19_434_15, date(2023, 7, 27)
    short, long = (
        option(-75, 20_600, Right.CALL, 2_16, expiry),
        option(75, 20_700, Right.CALL, 1_24, expiry),
    )
    assert margin(short, spot=spot, now=now).span == pytest.approx(66_832_50, rel=0.05)
    hedged = margin(short, long, spot=spot, now=now)
    assert hedged.span == pytest.approx(7_788_00, rel=0.10)
    assert hedged.exposure == pytest.approx(29_151_22.5, abs=1)


def test_short_premium_adds_and_long_premium_subtracts() -> None:
    cheap, dear = margin(option(-65, 24_500, Right.CALL, 50_00)), margin(option(-65, 23_000, Right.CALL, 900_00))
    assert dear.span - cheap.span > 65 * 800_00
    with_put = margin(option(-65, 24_500, Right.CALL, 50_00), option(65, 24_500, Right.PUT, 800_00))
    assert with_put.span < cheap.span


def test_a_short_straddle_needs_less_than_its_legs_apart() -> None:
    call, put = option(-65, 23_750, Right.CALL, 400_00), option(-65, 23_750, Right.PUT, 400_00)
    assert margin(call, put).span < margin(call).span + margin(put).span
    assert margin(call, put).exposure == margin(call).exposure + margin(put).exposure


def test_a_calendar_spread_pays_for_the_far_month_only() -> None:
    forwards: Forwards = {("NIFTY", JUNE): 23_750_00, ("NIFTY", JULY): 23_900_00}
    legs = (future(65, JUNE, 23_750_00), future(-65, JULY, 23_900_00))
    got = portfolio_margin(legs, forwards, {"NIFTY": 23_700_00}, NOW, PARAMS)
    assert got.span == pytest.approx(65 * 0.0175 * 23_900_00, abs=1)


def test_three_expiries_pair_nearest_first() -> None:
    august = date(2026, 8, 25)
    legs = (future(130, JUNE), future(-65, JULY), future(-65, august))
    assert margin(*legs).span == pytest.approx(2 * 65 * 0.0175 * FUTURE_PRICE, abs=1)


def test_a_contract_expiring_today_forms_no_spread() -> None:
    on_expiry = datetime.combine(JUNE, time(10, 0), IST)
    pair = (future(65), future(-65, JULY))
    assert margin(*pair, now=on_expiry).span == 0
    assert margin(*pair, now=on_expiry - timedelta(days=1)).span > 0


def test_expiry_day_adds_two_per_cent_to_short_options_expiring_that_day() -> None:
    on_expiry = datetime.combine(JUNE, time(10, 0), IST)
    short, later = option(-65, 24_000, Right.CALL, 5_00), option(-65, 24_000, Right.CALL, 300_00, JULY)
    assert margin(short, later, now=on_expiry).expiry_extra == round(65 * FUTURE_PRICE * 0.02)
    assert margin(short, later).expiry_extra == 0
    assert margin(option(65, 24_000, Right.CALL, 5_00), now=on_expiry).expiry_extra == 0
    assert margin(future(-65), now=on_expiry).expiry_extra == 0


@pytest.mark.parametrize(
    ("strike", "right", "rate"),
    [(26_000, Right.CALL, 0.02), (26_200, Right.CALL, 0.03), (21_300, Right.PUT, 0.03), (21_400, Right.PUT, 0.02)],
)
def test_exposure_is_higher_far_out_of_the_money(strike: int, right: Right, rate: float) -> None:
    assert margin(option(-65, strike, right, 5_00)).exposure == round(65 * FUTURE_PRICE * rate)


def test_long_dated_options_bear_more() -> None:
    leg = option(-65, 24_000, Right.CALL, 1_500_00, date(2027, 6, 29))
    assert margin(leg).exposure == round(65 * FUTURE_PRICE * 0.05)
    assert margin(leg).span > margin(option(-65, 24_000, Right.CALL, 1_500_00, JULY)).span


def test_a_wilder_index_is_scanned_wider_than_the_floor() -> None:
    calm = portfolio_margin([future(65)], {}, {"NIFTY": FUTURE_PRICE}, NOW, PARAMS, {"NIFTY": 0.005})
    wild = portfolio_margin([future(65)], {}, {"NIFTY": FUTURE_PRICE}, NOW, PARAMS, {"NIFTY": 0.02})
    assert calm == margin(future(65))
    assert wild.span == pytest.approx(65 * FUTURE_PRICE * 6 * 2**0.5 * 0.02, rel=1e-6)


def test_a_price_without_volatility_still_has_a_margin() -> None:
    at_intrinsic = option(-65, 23_000, Right.CALL, FUTURE_PRICE - 23_000_00)
    assert margin(at_intrinsic).span > 65 * (FUTURE_PRICE - 23_000_00)


def test_nothing_held_needs_nothing() -> None:
    assert margin() == Margin()
    assert margin(future(0)) == Margin()


def test_an_unknown_spot_is_refused_not_taken_as_zero() -> None:
    with pytest.raises(Refusal) as refused:
        portfolio_margin([future(65)], {}, {}, NOW, PARAMS)
    assert refused.value.code == "NO_PRICE"
    index = Instrument(name="NIFTY", underlying="NIFTY", exchange="NSE", kind=Kind.INDEX, lot=1, tick=1, freeze=0)
    with pytest.raises(Refusal) as refused:
        margin(MarginLeg(instrument=index, qty=1, price=FUTURE_PRICE))
    assert refused.value.code == "NO_EXPIRY"


LEGS = st.lists(
    st.builds(
        option,
        st.integers(-5, 5).map(lambda lots: lots * 65),
        st.integers(460, 500).map(lambda step: step * 50),
        st.sampled_from(Right),
        st.integers(1, 2_000_00),
        st.sampled_from([JUNE, JULY]),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60)
@given(LEGS, st.integers(2, 5))
def test_margin_is_never_negative_and_scales_with_the_size(legs: list[MarginLeg], times: int) -> None:
    once = margin(*legs)
    bigger = margin(*(MarginLeg(instrument=leg.instrument, qty=leg.qty * times, price=leg.price) for leg in legs))
    for part in ("span", "exposure", "expiry_extra", "premium"):
        assert getattr(once, part) >= 0
        assert getattr(bigger, part) == pytest.approx(times * getattr(once, part), abs=times)
