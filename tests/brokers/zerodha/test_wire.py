"""Requests and proofs as Kite documents them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.zerodha import forms, proofs
from optconsole.engine.model.orders import OrderType, Product, Side, Validity
from optconsole.engine.model.secrets import Secret
from optconsole.engine.ports import ModifyRequest, PlaceRequest
from tests.brokers.zerodha.samples import CALL, LISTED_CALL

SECRET = Secret("demo_secret")
BUY = PlaceRequest(
    tag="1AAA000001E0005",
    account="Z1",
    instrument=CALL,
    side=Side.BUY,
    qty=65,
    type=OrderType.LIMIT,
    price=125_95,
    trigger=None,
    product=Product.NRML,
    validity=Validity.DAY,
)
POSTBACK = {
    "order_id": "1990000000000000001",
    "order_timestamp": "2026-11-24 10:15:02",
    "status": "COMPLETE",
    "checksum": "2558fac73f9a2946f02e8eb2dc5fda3eecc62fc59cbca502be21e4b8ffd1d6eb",
}


def test_an_order_is_a_form_with_its_limit() -> None:
    assert forms.place(BUY, LISTED_CALL) == {
        "exchange": "NFO",
        "tradingsymbol": "NIFTY26D0125000CE",
        "transaction_type": "BUY",
        "quantity": "65",
        "product": "NRML",
        "order_type": "LIMIT",
        "validity": "DAY",
        "price": "125.95",
        "tag": "1AAA000001E0005",
    }


def test_a_stop_carries_its_trigger_and_a_registered_strategy_its_number() -> None:
    stop = msgspec.structs.replace(BUY, type=OrderType.SL, trigger=120_05, side=Side.SELL, product=Product.MIS)
    form = forms.place(stop, LISTED_CALL, "77001")
    assert (form["order_type"], form["trigger_price"], form["price"]) == ("SL", "120.05", "125.95")
    assert (form["transaction_type"], form["product"], form["algo_id"]) == ("SELL", "MIS", "77001")


def test_a_stop_changed_to_have_no_trigger_becomes_a_limit_order() -> None:
    change = ModifyRequest(broker_id="1", qty=130, price=98_00, trigger=None)
    assert forms.modify(change) == {"order_type": "LIMIT", "quantity": "130", "price": "98.00", "validity": "DAY"}
    kept = forms.modify(msgspec.structs.replace(change, trigger=99_05))
    assert (kept["order_type"], kept["trigger_price"]) == ("SL", "99.05")


def test_the_margin_of_orders_is_asked_as_an_array() -> None:
    (row,) = forms.margin([(BUY, LISTED_CALL)])
    assert row == {
        "exchange": "NFO",
        "tradingsymbol": "NIFTY26D0125000CE",
        "transaction_type": "BUY",
        "variety": "regular",
        "product": "NRML",
        "order_type": "LIMIT",
        "quantity": 65,
        "price": 125.95,
        "trigger_price": 0.0,
    }


def test_the_login_checksum_is_the_documented_one() -> None:
    assert (
        proofs.checksum("demo_api_key", "demo_request_token", SECRET)
        == "ab3ec266127b914240219ce7c234276e000d066a32c1d64625416c470b698024"
    )


def test_a_genuine_postback_names_its_order() -> None:
    assert proofs.postback(msgspec.json.encode(POSTBACK), SECRET) == "1990000000000000001"


@pytest.mark.parametrize("field", ["order_id", "order_timestamp", "checksum"])
def test_a_postback_changed_where_its_checksum_looks_is_refused(field: str) -> None:
    forged = POSTBACK | {field: POSTBACK[field][:-1] + "7"}
    assert proofs.postback(msgspec.json.encode(forged), SECRET) is None


def test_without_a_secret_or_beyond_measure_no_postback_is_believed() -> None:
    body = msgspec.json.encode(POSTBACK)
    assert proofs.postback(body, Secret("other")) is None
    assert proofs.postback(body, Secret("")) is None
    assert proofs.postback(body[:-1] + b"," + b'"pad":"' + b"x" * 70_000 + b'"}', SECRET) is None


@given(st.binary(max_size=300) | st.dictionaries(st.text(), st.text()).map(msgspec.json.encode))
def test_no_body_passes_by_accident_or_makes_the_check_fail(body: bytes) -> None:
    assert proofs.postback(body, SECRET) is None
