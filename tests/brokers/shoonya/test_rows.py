from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.shoonya import rows, words
from optconsole.brokers.shoonya.rows import BadRow, Reader
from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Validity
from optconsole.engine.model.timeline import IST
from tests.brokers.shoonya.stage import NOW, Desk

ORDER = {
    "stat": "Ok",
    "norenordno": "26112400000017",
    "uid": "FA1234",
    "actid": "FA1234",
    "exch": "NFO",
    "tsym": "NIFTY24NOV26C25000",
    "qty": "130",
    "trantype": "S",
    "prctyp": "SL-LMT",
    "ret": "DAY",
    "prc": "119.00",
    "trgprc": "120.00",
    "prd": "I",
    "status": "TRIGGER_PENDING",
    "rpt": "New",
    "remarks": "V1AAA000000001X",
    "norentm": "10:15:02 24-11-2026",
    "exch_tm": "24-11-2026 10:15:03",
}


def reader(desk: Desk | None = None) -> Reader:
    return Reader("FA", lambda segment, symbol: f"{segment}/{symbol}", desk or Desk(), lambda: NOW)


def order(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in {**ORDER, **changed}.items() if value is not None}


def test_a_waiting_stop_is_read_with_its_trigger() -> None:
    row = reader().order(order())
    assert (row.type, row.price, row.trigger, row.triggered) == (OrderType.SL, 119_00, 120_00, False)
    assert (row.status, row.product, row.validity) == (OrderStatus.TRIGGER_PENDING, Product.MIS, Validity.DAY)
    assert (row.qty, row.filled, row.contract) == (130, 0, "NFO/NIFTY24NOV26C25000")
    assert row.updated_at == datetime(2026, 11, 24, 10, 15, 3, tzinfo=IST)


@pytest.mark.parametrize(
    ("status", "filled"), [("OPEN", None), ("OPEN", "65"), ("COMPLETE", "130"), ("CANCELED", "65")]
)
def test_a_stop_that_is_open_or_has_traded_was_triggered(status: str, filled: str | None) -> None:
    assert reader().order(order(status=status, fillshares=filled)).triggered


def test_a_stop_that_ended_without_trading_may_never_have_been_triggered() -> None:
    assert not reader().order(order(status="CANCELED")).triggered


def test_a_limit_order_has_no_trigger_whatever_its_row_carries() -> None:
    row = reader().order(order(prctyp="LMT", trgprc="0.00", status="OPEN"))
    assert (row.type, row.trigger, row.triggered) == (OrderType.LIMIT, None, False)


@pytest.mark.parametrize(
    ("word", "report", "filled", "status"),
    [
        ("PENDING", "NewAck", "0", OrderStatus.SENT),
        ("PENDING", "PendingNew", "0", OrderStatus.SENT),
        ("OPEN", "New", "0", OrderStatus.OPEN),
        ("open", "Replaced", "0", OrderStatus.OPEN),
        ("OPEN", "Fill", "65", OrderStatus.PARTIAL),
        ("OPEN", "ReplaceRejected", "0", OrderStatus.OPEN),
        ("TRIGGER PENDING", "New", "0", OrderStatus.TRIGGER_PENDING),
        ("CANCEL_PENDING", "PendingCancel", "0", OrderStatus.OPEN),
        ("MODIFY_PENDING", "PendingReplace", "0", OrderStatus.OPEN),
        ("AFTER_MARKET_ORDER_REQ_RECEIVED", "", "0", OrderStatus.SENT),
        ("COMPLETE", "Fill", "130", OrderStatus.FILLED),
        ("CANCELLED", "Canceled", "0", OrderStatus.CANCELLED),
        ("REJECTED", "Rejected", "0", OrderStatus.REJECTED),
        # no end is believed that something else in the row denies
        ("COMPLETE", "Fill", "65", OrderStatus.UNKNOWN),
        ("REJECTED", "CancelRejected", "0", OrderStatus.UNKNOWN),
        ("REJECTED", "ReplaceRejected", "0", OrderStatus.UNKNOWN),
        ("INVALID_STATUS_TYPE", "INVALID_REPORT_TYPE", "0", OrderStatus.UNKNOWN),
        ("FLYING", "New", "0", OrderStatus.UNKNOWN),
    ],
)
def test_statuses_are_read_by_the_table_and_nothing_is_ended_by_a_guess(
    word: str, report: str, filled: str, status: OrderStatus
) -> None:
    assert words.status_of(word, report, 130, int(filled)) is status


def test_a_status_that_is_new_keeps_its_word_and_is_laid_down() -> None:
    desk = Desk()
    row = reader(desk).order(order(status="FLYING"))
    assert (row.status, row.word) == (OrderStatus.UNKNOWN, "FLYING")
    assert desk.kinds() == ["UNKNOWN_STATUS"]
    assert "FA1234" not in str(desk.kept)


def test_the_same_evidence_is_laid_down_once() -> None:
    desk = Desk()
    told = reader(desk)
    for word in ("FLYING", "FLYING", "GONE"):
        told.order(order(status=word))
    assert desk.kinds() == ["UNKNOWN_STATUS"] * 2


def test_an_order_of_others_in_words_new_to_us_is_still_seen() -> None:
    desk = Desk()
    row = reader(desk).order(order(prctyp="2L", trgprc=None, prd="Z", ret="GTD", status="OPEN"))
    assert (row.type, row.product, row.validity) == (OrderType.LIMIT, Product.NRML, Validity.DAY)
    assert desk.kinds() == ["UNKNOWN_WORD"] * 3


def test_a_market_order_that_was_made_a_limit_order_shows_the_price_it_works_at() -> None:
    assert reader().order(order(prctyp="LMT", prc="0", rprc="101.50", status="OPEN")).price == 101_50


def test_the_exchange_that_says_1980_says_nothing() -> None:
    row = reader().order(order(exch_tm="01-01-1980 00:00:00"))
    assert row.updated_at == datetime(2026, 11, 24, 10, 15, 2, tzinfo=IST)
    assert reader().order(order(exch_tm=None, norentm=None)).updated_at == NOW


def test_a_refusal_of_the_risk_desk_brings_its_words() -> None:
    row = reader().order(order(status="REJECTED", rejreason="RED:Margin shortfall\x1b[2J"))
    assert row.code == "RMS_REJECTED"
    assert row.reason == "RED:Margin shortfall\\x1b[2J"


@pytest.mark.parametrize(
    "name", ["norenordno", "exch", "tsym", "qty", "trantype", "prctyp", "prc", "trgprc", "prd", "status"]
)
def test_a_row_that_lacks_what_matters_is_no_row(name: str) -> None:
    desk = Desk()
    with pytest.raises(BadRow):
        reader(desk).order(order(**{name: None}))
    assert desk.kinds()[-1:] == ["BAD_ROW"]


@pytest.mark.parametrize(("name", "value"), [("qty", "1.5"), ("prc", "NaN"), ("trantype", "X"), ("fillshares", "ten")])
def test_a_number_or_side_that_cannot_be_read_is_never_guessed(name: str, value: str) -> None:
    with pytest.raises(BadRow):
        reader().order(order(**{name: value}))


def test_what_others_wrote_as_a_tag_cannot_steer_a_terminal() -> None:
    assert reader().order(order(remarks="\x1b[2Jgone")).tag == "\\x1b[2Jgone"


@pytest.mark.parametrize("number", ["", "12", "2611240000001x", "\x1b[2J", "٢٦١١٢٤٠٠٠٠٠٠١٧"])
def test_a_number_that_is_none_of_an_order_is_not_taken_for_one(number: str) -> None:
    with pytest.raises(BadRow):
        reader().order(order(norenordno=number))
    fill = {**ORDER, "flid": "a b", "flqty": "65", "flprc": "1", "fltm": "24-11-2026 10:16:00"}
    with pytest.raises(BadRow):
        reader().trade(fill)


def test_a_figure_may_come_as_a_number() -> None:
    assert reader().order(order(norenordno=26112400000017, qty=130)).broker_id == "26112400000017"


def test_trades_and_positions_are_read() -> None:
    fill = {**ORDER, "flid": "380225664", "flqty": "65", "flprc": "118.95", "fltm": "24-11-2026 10:16:00"}
    trade = reader().trade(fill)
    assert (trade.trade_id, trade.qty, trade.price, trade.product) == ("380225664", 65, 118_95, Product.MIS)
    position = reader().position({"exch": "NFO", "tsym": "X", "prd": "M", "netqty": "-130"})
    assert (position.qty, position.product) == (-130, Product.NRML)


@pytest.mark.parametrize(("qty", "price"), [("0", "1.00"), ("65", "0"), ("-65", "1.00")])
def test_a_trade_of_nothing_or_for_nothing_is_no_trade(qty: str, price: str) -> None:
    fill = {**ORDER, "flid": "1", "flqty": qty, "flprc": price, "fltm": "24-11-2026 10:16:00"}
    with pytest.raises(BadRow):
        reader().trade(fill)


def test_limits_add_up_as_documented_and_what_is_absent_is_nought() -> None:
    limits = {"cash": "100000.00", "payin": "500.50", "payout": "10.00", "marginused": "40000.25", "collateral": "1.00"}
    assert rows.funds("FA", limits) == Funds(account="FA", cash=100_511_50, margin_used=40_000_25)
    assert rows.funds("FA", {}).free == 0
    with pytest.raises(BadRow):
        rows.funds("FA", {"cash": "much"})


@given(
    st.dictionaries(
        st.sampled_from([*ORDER, "flid", "flqty", "flprc", "fltm", "netqty"]), st.none() | st.integers() | st.text()
    )
)
def test_no_row_whatever_raises_anything_but_bad_row(row: dict[str, Any]) -> None:
    for read in (reader().order, reader().trade, reader().position):
        try:
            read({**ORDER, **row})
        except BadRow:
            continue
