"""Rows of the books, in all the shapes their fields come in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optconsole.brokers.angelone.money import funds_of, holding_of, margin_of, rupees
from optconsole.brokers.angelone.rows import BadRow, order_row, ours, position_row, trade_row
from optconsole.brokers.transport.coerce import paise
from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import BrokerOrder, BrokerPosition, BrokerTrade
from tests.brokers.angelone.stage import CALL, DAY, ORDER, TAG, master, order, trade

FIND = master().find
AT = datetime(2026, 11, 24, 10, 15, 2, tzinfo=IST)


def read(**other: Any) -> BrokerOrder:
    return order_row(order(**other), "angel", FIND, DAY).order


def test_an_order_row_in_our_words() -> None:
    assert read() == BrokerOrder(
        broker_id=ORDER,
        tag=TAG,
        account="angel",
        contract=CALL,
        side=Side.BUY,
        qty=65,
        filled=0,
        type=OrderType.LIMIT,
        price=123_45,
        trigger=None,
        product=Product.NRML,
        validity=Validity.DAY,
        status=OrderStatus.OPEN,
        triggered=False,
        code="",
        reason="",
        updated_at=AT,
    )


@pytest.mark.parametrize(
    "shape",
    [
        {"price": 123.45, "quantity": 65, "filledshares": 0, "orderid": int(ORDER), "triggerprice": 0},
        {"price": "123.450000", "quantity": "65.0", "filledshares": None, "symboltoken": 58662},
        {"filledshares": "", "text": None, "symboltoken": None, "strikeprice": -1},
        {"symboltoken": "", "status": None, "ordertype": "limit", "duration": None},
    ],
)
def test_fields_come_as_text_number_or_null_and_mean_the_same(shape: dict[str, Any]) -> None:
    assert read(**shape) == read()


def test_the_newer_field_of_the_status_counts() -> None:
    assert read(status="open", orderstatus="complete", filledshares="65").status is OrderStatus.FILLED
    assert read(status="rejected", orderstatus="").status is OrderStatus.REJECTED


def test_a_stop_has_its_trigger_and_a_limit_order_none() -> None:
    stop = read(
        variety="STOPLOSS", ordertype="STOPLOSS_LIMIT", price=121, triggerprice="121.50", orderstatus="trigger pending"
    )
    assert (stop.type, stop.trigger, stop.status, stop.triggered) == (
        OrderType.SL,
        121_50,
        OrderStatus.TRIGGER_PENDING,
        False,
    )
    assert read(triggerprice="121.50").trigger is None


def test_an_unknown_status_is_unknown_with_its_word_and_ends_nothing() -> None:
    row = read(orderstatus="frozen\x1b[2J")
    assert (row.status, row.word) == (OrderStatus.UNKNOWN, "frozen\\x1b[2J")


def test_a_rejection_carries_its_reason_safe_to_show() -> None:
    row = read(orderstatus="rejected", text="RMS: margin\x07 exceeds")
    assert (row.code, row.reason) == ("BROKER_REJECTED", "RMS: margin\\x07 exceeds")


def test_a_tag_of_others_cannot_steer_a_terminal() -> None:
    assert read(ordertag="\x1b[2Jx").tag == "\\x1b[2Jx"


def test_a_row_without_a_time_is_as_old_as_the_day() -> None:
    assert read(updatetime="").updated_at == datetime(2026, 11, 24, tzinfo=IST)
    assert read(updatetime="", exchtime="24-Nov-2026 10:15:02").updated_at == AT


def test_equal_tokens_of_two_segments_are_two_contracts() -> None:
    other = order(exchange="BFO", tradingsymbol="SENSEX26N2680000CE")
    assert order_row(other, "angel", FIND, DAY).order.contract == "SENSEX 26NOV26 80000 CE"


def test_a_token_that_is_another_symbol_is_refused() -> None:
    with pytest.raises(BadRow, match="NIFTY24NOV2625000CE"):
        read(tradingsymbol="NIFTY24NOV2625000PE")


def test_a_contract_the_file_does_not_list_is_spelled_from_the_row() -> None:
    unlisted = {"symboltoken": "1", "tradingsymbol": "NIFTY31DEC2626000PE", "expirydate": "31DEC2026"}
    row = read(**unlisted, symbolname="NIFTY", strikeprice="26000.0", optiontype="PE")
    assert row.contract == "NIFTY 31DEC26 26000 PE"
    assert read(**unlisted, strikeprice="26000.0", optiontype="PE").contract == "NIFTY 31DEC26 26000 PE"
    assert read(**unlisted | {"tradingsymbol": "SENSEX26D3180000CE"}).contract == "SENSEX26D3180000CE"


@pytest.mark.parametrize(
    "broken",
    [
        {"orderid": ""},
        {"orderid": None},
        {"quantity": "many"},
        {"quantity": None},
        {"price": "NaN"},
        {"transactiontype": "HOLD"},
        {"ordertype": "TWAP"},
        {"producttype": "NEW"},
        {"filledshares": [1]},
        {"tradingsymbol": "", "symboltoken": "", "expirydate": ""},
    ],
)
def test_a_row_that_cannot_be_meant_is_bad_and_says_why(broken: dict[str, Any]) -> None:
    with pytest.raises(BadRow, match=r"an order that cannot be read: .+"):
        read(**broken)


_TEXT = st.text("0123456789.- abcNFO\x1b–", max_size=20)
_ANY = st.none() | st.booleans() | st.integers() | st.floats() | _TEXT | st.lists(st.integers(), max_size=2)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(order())), _ANY))
def test_whatever_a_row_holds_it_is_an_order_or_a_bad_row(fields: dict[str, Any]) -> None:
    try:
        row = read(**fields)
    except BadRow:
        return
    assert row.broker_id


def test_what_the_broker_wants_again_is_kept() -> None:
    kept = order_row(order(variety="STOPLOSS", ordertype="STOPLOSS_LIMIT"), "angel", FIND, DAY).kept
    assert (kept.variety, kept.segment, kept.symbol, kept.token, kept.product, kept.duration, kept.stop) == (
        "STOPLOSS",
        "NFO",
        "NIFTY24NOV2625000CE",
        "58662",
        "CARRYFORWARD",
        "DAY",
        True,
    )


def test_a_trade_takes_tag_and_contract_from_its_order() -> None:
    kept = order_row(order(), "angel", FIND, DAY).kept
    assert trade_row(trade(), "angel", FIND, kept, DAY) == BrokerTrade(
        trade_id=f"{ORDER}-9",
        broker_id=ORDER,
        tag=TAG,
        account="angel",
        contract=CALL,
        product=Product.NRML,
        side=Side.BUY,
        qty=65,
        price=123_40,
        at=AT,
    )


def test_a_trade_of_an_order_nobody_knows_is_found_by_its_symbol() -> None:
    found = trade_row(trade(), "angel", FIND, None, DAY)
    assert (found.contract, found.tag) == (CALL, "")


@pytest.mark.parametrize("broken", [{"fillid": None}, {"fillsize": "x"}, {"filltime": "soon"}, {"orderid": " "}])
def test_a_trade_without_number_size_time_or_order_is_bad(broken: dict[str, Any]) -> None:
    with pytest.raises(BadRow):
        trade_row(trade(**broken), "angel", FIND, None, DAY)


def position(**other: Any) -> dict[str, Any]:
    return {
        "exchange": "NFO",
        "symboltoken": "58662",
        "producttype": "INTRADAY",
        "tradingsymbol": "NIFTY24NOV2625000CE",
        "netqty": "-130",
        "netvalue": "- 2235.80",
    } | other


def test_a_position_is_its_net_quantity() -> None:
    expected = BrokerPosition(account="angel", contract=CALL, product=Product.MIS, qty=-130)
    assert position_row(position(), "angel", FIND) == expected
    assert position_row(position(netqty="- 130"), "angel", FIND) == expected


def test_a_position_without_a_quantity_is_bad_not_flat() -> None:
    for nothing in (None, "", "–"):
        with pytest.raises(BadRow):
            position_row(position(netqty=nothing), "angel", FIND)


def test_shares_commodities_and_currencies_are_not_the_engines_business() -> None:
    assert [ours({"exchange": segment}) for segment in ("NFO", "bfo", "NSE", "MCX", "CDS", None)] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def test_funds_are_what_is_free_and_what_is_in_use() -> None:
    data = {"net": "9303.50", "availablecash": "1.00", "utiliseddebits": "696.50", "m2mrealized": None}
    assert funds_of(data, "angel") == Funds(account="angel", cash=10_000_00, margin_used=696_50)


def test_null_fields_of_funds_are_nothing_used_and_never_nothing_free() -> None:
    assert funds_of({"net": None, "availablecash": 12, "utiliseddebits": None}, "angel").free == 12_00
    for data in ({"net": None}, {}, None, [], {"net": "x"}):
        with pytest.raises(BadRow):
            funds_of(data, "angel")


def test_a_margin_is_the_total_of_its_batch() -> None:
    assert margin_of({"totalMarginRequired": 29612.35}) == 29_612_35
    for data in (None, {}, {"totalMarginRequired": None}, []):
        with pytest.raises(BadRow):
            margin_of(data)


def test_a_holding_with_what_is_pledged() -> None:
    row = {"tradingsymbol": "SBIN-EQ", "exchange": "NSE", "quantity": 10, "averageprice": 111.87, "ltp": "130.15"}
    found = holding_of(row | {"collateralquantity": "4", "isin": None})
    assert (found.qty, found.pledged, found.average, found.ltp, found.isin) == (10, 4, 111_87, 130_15, "")
    with pytest.raises(BadRow):
        holding_of({"tradingsymbol": "SBIN-EQ"})


@given(st.integers(-(10**12), 10**12))
def test_rupee_text_is_exact(amount: int) -> None:
    assert paise(rupees(amount)) == amount
