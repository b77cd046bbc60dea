"""Rows of Kite's books in our words: the worked example, every status, and drift that is told instead of guessed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.zerodha import rows, words
from optconsole.brokers.zerodha.instruments import KiteMaster
from optconsole.brokers.zerodha.rows import BadRow, OrderRow, PositionRow, Reader, TradeRow
from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import BrokerOrder, BrokerPosition, BrokerTrade
from tests.brokers.zerodha.samples import CALL, DAY, LISTED_CALL, LISTED_INDEX, ORDER_ROW, Notes

S = OrderStatus
MASTER = KiteMaster(DAY, [LISTED_CALL, LISTED_INDEX])
ROW = msgspec.json.decode(ORDER_ROW, type=OrderRow)
TRADE = TradeRow(
    trade_id="10000000",
    order_id=ROW.order_id,
    exchange="NFO",
    tradingsymbol="NIFTY26D0125000CE",
    transaction_type="BUY",
    product="NRML",
    quantity=65,
    average_price=Decimal("123.45"),
    fill_timestamp="2026-11-24 10:15:02",
)


def reader() -> tuple[Reader, Notes]:
    notes = Notes()
    return Reader("Z1", MASTER.contract_of, notes), notes


def with_(**changes: object) -> OrderRow:
    return msgspec.structs.replace(ROW, **changes)


def test_the_documented_row_is_read_whole() -> None:
    assert reader()[0].order(ROW) == BrokerOrder(
        broker_id="1990000000000000001",
        tag="oc7f3a91",
        account="Z1",
        contract=CALL.name,
        side=Side.BUY,
        qty=65,
        filled=65,
        type=OrderType.LIMIT,
        price=125_95,
        trigger=None,
        product=Product.NRML,
        validity=Validity.DAY,
        status=S.FILLED,
        triggered=False,
        code="",
        reason="",
        updated_at=datetime(2026, 11, 24, 10, 15, 2, tzinfo=IST),
    )


@pytest.mark.parametrize(
    ("word", "kind", "filled", "status", "triggered"),
    [
        ("PUT ORDER REQ RECEIVED", "LIMIT", 0, S.SENT, False),
        ("VALIDATION PENDING", "SL", 0, S.SENT, False),
        ("OPEN PENDING", "LIMIT", 0, S.SENT, False),
        ("AMO REQ RECEIVED", "LIMIT", 0, S.SENT, False),
        ("OPEN", "LIMIT", 0, S.OPEN, False),
        ("OPEN", "LIMIT", 5, S.PARTIAL, False),
        ("OPEN", "SL", 0, S.OPEN, True),
        ("TRIGGER PENDING", "SL", 0, S.TRIGGER_PENDING, False),
        ("MODIFY VALIDATION PENDING", "LIMIT", 0, S.OPEN, False),
        ("MODIFY PENDING", "SL", 0, S.SENT, False),
        ("MODIFIED", "SL", 5, S.PARTIAL, True),
        ("CANCEL PENDING", "LIMIT", 5, S.PARTIAL, False),
        ("UPDATE", "LIMIT", 0, S.OPEN, False),
        ("UPDATE", "SL", 0, S.SENT, False),
        ("COMPLETE", "SL", 65, S.FILLED, True),
        ("CANCELLED", "SL", 0, S.CANCELLED, False),
        ("CANCELLED", "SL", 5, S.CANCELLED, True),
        ("REJECTED", "SL", 0, S.REJECTED, False),
    ],
)
def test_every_word_of_the_broker_for_an_orders_state(
    word: str, kind: str, filled: int, status: OrderStatus, triggered: bool
) -> None:
    assert words.status(word, words.TYPES[kind], filled) == (status, triggered)


def test_a_status_that_is_new_counts_as_unknown_with_its_word_and_evidence() -> None:
    read, notes = reader()
    row = read.order(with_(status="PARKED\x1b[2J"))
    assert (row.status, row.word) == (S.UNKNOWN, "PARKED\\x1b[2J")
    assert not row.status.final
    assert notes.kinds == ["UNKNOWN_STATUS"]


def test_the_tag_is_found_where_the_broker_keeps_it() -> None:
    assert rows.tag_of(with_(tag=None)) == "oc7f3a91"
    assert rows.tag_of(with_(tag=None, tags=["autoslice", "autoslice:77", "1AAA000001E000X"])) == "1AAA000001E000X"
    assert rows.tag_of(with_(tag=None, tags=None)) == ""
    assert rows.carries(with_(tag=None), "oc7f3a91")
    assert rows.carries(with_(tag="x", tags=None), "x")
    assert not rows.carries(with_(), "other")


def test_a_trade_carries_the_tag_of_its_order() -> None:
    read, _ = reader()
    assert read.trade(TRADE).tag == ""
    read.order(ROW)
    assert read.trade(TRADE) == BrokerTrade(
        trade_id="10000000",
        broker_id=ROW.order_id,
        tag="oc7f3a91",
        account="Z1",
        contract=CALL.name,
        product=Product.NRML,
        side=Side.BUY,
        qty=65,
        price=123_45,
        at=datetime(2026, 11, 24, 10, 15, 2, tzinfo=IST),
    )


def test_what_the_master_does_not_list_keeps_the_brokers_name() -> None:
    assert reader()[0].order(with_(exchange="NSE", tradingsymbol="M&M")).contract == "NSE:M&M"


def test_a_word_that_is_new_in_another_field_is_told_and_does_not_hide_the_order() -> None:
    read, notes = reader()
    row = read.order(with_(product="HOLD", validity="GTD", order_type="ICEBERG"))
    assert (row.product, row.validity, row.type) == (Product.NRML, Validity.DAY, OrderType.LIMIT)
    assert notes.kinds == ["UNKNOWN_WORD"] * 3


@pytest.mark.parametrize(
    "change",
    [
        {"transaction_type": "SHORT"},
        {"order_timestamp": None, "exchange_timestamp": None, "exchange_update_timestamp": "noon"},
        {"price": Decimal("NaN")},
        {"price": Decimal("1e40")},
    ],
)
def test_a_row_that_no_order_can_have_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadRow):
        reader()[0].order(with_(**change))


def test_positions_of_products_that_are_one_to_us_are_added_and_flat_ones_left_out() -> None:
    def held(product: str, qty: int, symbol: str = "NIFTY26D0125000CE") -> PositionRow:
        return PositionRow(exchange="NFO", tradingsymbol=symbol, product=product, quantity=qty)

    read = reader()[0].positions([held("NRML", -65), held("MTF", 130), held("MIS", 65), held("NRML", 0, "GONE")])
    assert read == [
        BrokerPosition(account="Z1", contract=CALL.name, product=Product.NRML, qty=65),
        BrokerPosition(account="Z1", contract=CALL.name, product=Product.MIS, qty=65),
    ]


def test_funds_are_what_is_left_and_what_is_blocked() -> None:
    money = msgspec.json.decode(
        b'{"enabled":true,"net":99725.05,"available":{"cash":0,"collateral":-0},"utilised":{"debits":145706.55,'
        b'"exposure":38981.25,"span":101989,"option_premium":4736.3,"delivery":-0}}',
        type=rows.Segment,
    )
    read = rows.funds("Z1", money)
    assert read == Funds(account="Z1", cash=99_725_05 + 38_981_25 + 101_989_00, margin_used=140_970_25)
    assert read.free == 99_725_05


@pytest.mark.parametrize("number", [b"65", b'"65"', b"65.0"])
def test_a_quantity_may_be_written_in_any_way_that_means_it(number: bytes) -> None:
    changed = ORDER_ROW.replace(b'"quantity":65', b'"quantity":' + number, 1)
    assert msgspec.json.decode(changed, type=OrderRow, strict=False).quantity == 65


@given(st.integers(0, 10**9))
def test_paise_written_as_rupees_are_read_back_exactly(amount: int) -> None:
    assert rows.paise(msgspec.json.decode(rows.rupees(amount).encode(), type=Decimal)) == amount


@given(st.text(max_size=30), st.sampled_from(list(words.TYPES.values())), st.integers(0, 100))
def test_no_word_ends_an_order_but_the_three_that_do(word: str, kind: OrderType, filled: int) -> None:
    status, _ = words.status(word, kind, filled)
    assert status.final == (word in ("COMPLETE", "CANCELLED", "REJECTED"))
