"""Charges to the last digit of published contract notes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.market.facts import rates_on
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.orders import Side
from optconsole.engine.pricing.charges import Bill, bill, exercise_bill

TODAY = date(2026, 11, 20)
OPTIONS = rates_on(TODAY, "NSE", Kind.OPTION, "NIFTY")
FUTURES = rates_on(TODAY, "NSE", Kind.FUTURE, "NIFTY")


def test_zerodha_s_published_contract_note_of_july_2023() -> None:
    rates = rates_on(date(2023, 7, 13), "NSE", Kind.OPTION, "NIFTY")
    got = bill(rates, Side.BUY, 100 * 1_50)
    assert got.brokerage == 20
    assert got.exchange == Decimal("0.07575")
    assert got.sebi == Decimal("0.00015")
    assert got.gst == Decimal("3.613527")
    assert got.stt == 0
    assert got.stamp == Decimal("0.0045")
    assert got.noted().stamp == 0
    assert got.noted().total == Decimal("23.689427")
    assert got.total == Decimal("23.693927")


def test_selling_a_lot_of_options_at_a_hundred_today() -> None:
    got = bill(OPTIONS, Side.SELL, 65 * 100_00)
    assert got.stt == Decimal("9.75")
    assert got.exchange == Decimal("2.30945")
    assert got.sebi == Decimal("0.0065")
    assert got.brokerage == 20
    assert got.stamp == 0
    assert round(got.gst, 2) == Decimal("4.02")
    assert round(got.total, 2) == Decimal("36.08")
    assert got.paise == 3608


def test_gst_leaves_out_the_protection_fund_and_both_taxes() -> None:
    rates = rates_on(date(2025, 8, 29), "NSE", Kind.OPTION, "NIFTY")
    got = bill(rates, Side.SELL, 75 * 100_00)
    taxed = 20 + Decimal("0.0003503") * 7500 + Decimal("0.000001") * 7500
    assert got.gst == Decimal("0.18") * taxed
    assert got.exchange == Decimal("0.0003553") * 7500
    assert got.stt == Decimal("7.5")


def test_stamp_is_the_buyer_s_and_stt_the_seller_s() -> None:
    buy, sell = bill(OPTIONS, Side.BUY, 65 * 100_00), bill(OPTIONS, Side.SELL, 65 * 100_00)
    assert (buy.stt, buy.stamp) == (Decimal(0), Decimal("0.195"))
    assert (sell.stt, sell.stamp) == (Decimal("9.75"), Decimal(0))


def test_a_future_s_brokerage_is_the_lower_of_flat_and_share() -> None:
    assert bill(FUTURES, Side.BUY, 65 * 24_500_00).brokerage == 20
    assert bill(FUTURES, Side.BUY, 10_000_00).brokerage == 3
    assert bill(FUTURES, Side.SELL, 65 * 24_500_00).stt == Decimal("796.25")


def test_exercise_is_taxed_on_the_intrinsic_value_alone() -> None:
    got = exercise_bill(OPTIONS, 65 * 120_00)
    assert got == Bill(stt=Decimal("11.7"))
    assert got.paise == 1170
    assert exercise_bill(OPTIONS, 0).paise == 0


@pytest.mark.parametrize(("rupees", "paise"), [("0.005", 0), ("0.015", 2), ("0.0251", 3), ("1.234", 123)])
def test_paise_round_half_to_even(rupees: str, paise: int) -> None:
    assert Bill(stt=Decimal(rupees)).paise == paise


@given(st.lists(st.integers(1, 10**10), min_size=1, max_size=6), st.sampled_from(Side))
def test_brokerage_is_due_once_however_an_order_fills(fills: list[int], side: Side) -> None:
    whole = bill(OPTIONS, side, sum(fills))
    parts = [bill(OPTIONS, side, value, executed_orders=0) for value in fills]
    levies = sum((part.stt + part.exchange + part.sebi + part.stamp for part in parts), Decimal(0))
    assert whole.brokerage == 20
    assert levies == whole.stt + whole.exchange + whole.sebi + whole.stamp
    assert whole.total == whole.brokerage + levies + whole.gst
