"""Margin before, after and on the way; every published broker figure within a stated tolerance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from hypothesis import given, settings

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.timeline import IST
from optconsole.engine.pricing.basket_margin import BasketMargin, basket_margin, netted
from optconsole.engine.pricing.margin import Margin, MarginLeg, portfolio_margin
from tests.engine.pricing.test_margin import FUTURE_PRICE, JULY, JUNE, LEGS, NOW, PARAMS, future, margin, option

CALL, PUT = Right.CALL, Right.PUT
ZERODHA_NOW, ZERODHA_SPOT, ZERODHA_EXPIRY = datetime(2023, 7, 7, 12, 0, tzinfo=IST), 19_434_15, date(2023, 7, 27)
"""A published basket of two calls: its exposure is 2 % of this spot."""


def around(
    held: list[MarginLeg], orders: list[MarginLeg], spot: int = FUTURE_PRICE, now: datetime = NOW
) -> BasketMargin:
    return basket_margin(held, orders, {"NIFTY": spot}, {"NIFTY": spot}, now, PARAMS)


def sold_call() -> Margin:
    return margin(option(-65, 23_700, CALL, 28_447_00 // 65))


def zerodha_basket() -> BasketMargin:
    sold = option(-75, 20_600, CALL, 2_16, ZERODHA_EXPIRY)
    bought = option(75, 20_700, CALL, 1_24, ZERODHA_EXPIRY)
    return around([], [sold, bought], ZERODHA_SPOT, ZERODHA_NOW)


def spread_charge(spot: int) -> int:
    return margin(future(1, JUNE, spot), future(-1, JULY, spot), spot=spot).span


BROKER_FIGURES: list[tuple[str, Callable[[], float], float, float]] = [
    # what, our figure, the broker's in rupees, tolerance
    ("NIFTY future: SPAN", lambda: margin(future(65)).span, 143_666, 0.005),
    ("NIFTY future: exposure", lambda: margin(future(65)).exposure, 30_873, 0.0001),
    ("NIFTY future: total", lambda: margin(future(65)).total, 174_539, 0.005),
    # the broker's figures mix prices of two days, and the clearing house's volatility is only in its files
    ("sold NIFTY 23700 CE: SPAN", lambda: sold_call().span, 141_962, 0.05),
    ("sold NIFTY 23700 CE: exposure", lambda: sold_call().exposure, 31_197, 0.02),
    ("sold NIFTY 23700 CE: total", lambda: sold_call().total, 173_159, 0.05),
    # the broker gave no price of the far month: 1.75 % of the only one that makes its figure
    ("NIFTY spread charge per unit", lambda: spread_charge(24_000_00), 420, 0.001),
    ("BANKNIFTY spread charge per unit", lambda: spread_charge(55_371_00), 969, 0.001),
    ("basket of two calls: SPAN of the first", lambda: zerodha_basket().steps[0].span, 66_832.50, 0.05),
    ("basket of two calls: exposure", lambda: zerodha_basket().steps[0].exposure, 29_151.225, 0.0001),
    ("basket of two calls: final SPAN", lambda: zerodha_basket().final.span, 7_788, 0.10),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "tolerance"),
    [case[1:] for case in BROKER_FIGURES],
    ids=[case[0] for case in BROKER_FIGURES],
)
def test_a_margin_is_what_a_broker_asked_within_its_tolerance(
    ours: Callable[[], float], theirs: float, tolerance: float
) -> None:
    assert ours() == pytest.approx(theirs * 100, rel=tolerance)


def test_a_bought_option_needs_its_premium_in_cash_and_no_margin() -> None:
    got = around([], [option(65, 23_700, CALL, 437_65)])
    assert (got.peak, got.final.total, got.bought) == (0, 0, 65 * 437_65)


def test_selling_before_buying_the_hedge_needs_the_naked_margin_on_the_way() -> None:
    sold, bought = option(-65, 24_500, CALL, 60_00), option(65, 24_700, CALL, 30_00)
    naked_first, hedge_first = around([], [sold, bought]), around([], [bought, sold])
    assert naked_first.final == hedge_first.final
    assert naked_first.peak == margin(sold).total
    assert hedge_first.peak == hedge_first.final.total
    assert naked_first.peak > 2 * hedge_first.peak


def test_what_is_held_counts_before_and_covers_what_is_sold() -> None:
    held, sold = option(65, 24_700, CALL, 30_00), option(-65, 24_500, CALL, 60_00)
    got = around([held], [sold])
    assert got.before.total == 0
    assert got.apart == got.final.total
    assert got.final.total < margin(sold).total


def test_orders_apart_are_weighed_as_if_none_covered_another() -> None:
    call, put = option(-65, 24_000, CALL, 200_00), option(-65, 23_500, PUT, 180_00)
    got = around([], [call, put])
    assert got.apart == margin(call).total + margin(put).total
    assert got.final.total < got.apart


def test_closing_what_is_held_frees_its_margin() -> None:
    got = around([option(-65, 24_500, CALL, 60_00)], [option(65, 24_500, CALL, 61_00)])
    assert got.before.total > 0
    assert got.final == Margin()
    assert got.apart == 0


def test_the_same_contract_twice_is_one_position() -> None:
    assert [leg.qty for leg in netted([option(-65, 24_500, CALL, 1), option(-65, 24_500, CALL, 2)])] == [-130]
    assert netted([option(-65, 24_500, CALL, 1), option(65, 24_500, CALL, 2)]) == []


def test_no_orders_leave_everything_as_it_is() -> None:
    got = around([future(65)], [])
    assert (got.final, got.peak, got.apart) == (got.before, got.before.total, 0)


@settings(max_examples=40)
@given(LEGS, LEGS)
def test_the_order_of_legs_changes_the_way_and_never_the_end(held: list[MarginLeg], orders: list[MarginLeg]) -> None:
    # of one contract at two prices the last price counts, so each contract comes once
    once = list({leg.instrument.name: leg for leg in [*held, *orders]}.values())
    orders = [leg for leg in once if leg in orders]
    held = [leg for leg in once if leg not in orders]
    one, other = around(held, orders), around(held, orders[::-1])
    assert one.before == other.before
    for part in ("span", "exposure", "premium"):
        assert getattr(one.final, part) == pytest.approx(getattr(other.final, part), abs=2)
    assert one.final == portfolio_margin(
        netted([*held, *orders]), {"NIFTY": FUTURE_PRICE}, {"NIFTY": FUTURE_PRICE}, NOW, PARAMS
    )
    assert one.peak >= max(one.final.total, one.before.total)
