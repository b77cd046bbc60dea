"""Kite's order calls as the wire has them: states, tags, protection, slices, changes, refusals."""

from __future__ import annotations

import pytest

from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.engine.model.orders import Side
from optconsole.engine.ports import BrokerOrder
from tests.brokers.paper.stage import CALL, LOT
from tests.brokers.rehearsal.kite.conftest import Desk
from tests.brokers.rehearsal.stage import an_order, quoted, until


async def test_an_order_walks_through_the_states_before_the_exchange(desk: Desk) -> None:
    order_id = await desk.place(tag="oc7f3a91")
    assert len(order_id) == 19
    row = await desk.becomes(order_id, "COMPLETE")
    assert (row["filled_quantity"], row["pending_quantity"], row["average_price"]) == (LOT, 0, 100.05)
    assert (row["tag"], row["tags"]) == ("oc7f3a91", ["oc7f3a91"])
    states = [each["status"] for each in await desk.get(f"/orders/{order_id}")]
    assert states == ["PUT ORDER REQ RECEIVED", "VALIDATION PENDING", "OPEN PENDING", "OPEN", "COMPLETE"]


async def test_the_ground_truth_has_the_order_under_its_tag(desk: Desk) -> None:
    await desk.place(tag="A1")
    await desk.place(tag="A1")
    assert [row.tag for row in await desk.market.broker.orders()] == ["A1", ""]
    assert [row["tag"] for row in await desk.get("/orders")] == ["A1", "A1"]


@pytest.mark.parametrize("kind", ["MARKET", "SL-M"])
@pytest.mark.parametrize("given", [None, "0"])
async def test_market_orders_without_protection_are_refused(desk: Desk, kind: str, given: str | None) -> None:
    status, error, message = await desk.refused(order_type=kind, price=None, trigger_price=110, market_protection=given)
    assert (status, error) == (400, "InputException")
    assert message.startswith("Market orders without market protection")


async def test_protection_is_a_number_and_no_boolean(desk: Desk) -> None:
    status, error, _ = await desk.refused(order_type="MARKET", market_protection="true")
    assert (status, error) == (400, "InputException")


@pytest.mark.parametrize(("given", "mark", "limit"), [("-1", "mktp:2.00", 102), ("5", "mktp:5.00", 105)])
async def test_a_protected_market_order_becomes_a_marked_limit_order(
    desk: Desk, given: str, mark: str, limit: int
) -> None:
    order_id = await desk.place(order_type="MARKET", price=0, market_protection=given, tag="T1")
    row = await desk.becomes(order_id, "COMPLETE")
    assert (row["order_type"], row["price"], row["market_protection"]) == ("LIMIT", limit, 0)
    assert row["tags"] == ["T1", "mktp", mark]


async def test_a_stop_waits_then_trades(desk: Desk) -> None:
    order_id = await desk.place(order_type="SL", trigger_price="104.5", price="105")
    row = await desk.becomes(order_id, "TRIGGER PENDING")
    assert (row["trigger_price"], row["price"]) == (104.5, 105)
    quoted(desk.market, CALL, 104_50)
    assert (await desk.becomes(order_id, "COMPLETE"))["filled_quantity"] == LOT


async def test_a_change_passes_its_own_states_and_ends_after_twenty_five(desk: Desk) -> None:
    order_id = await desk.place(price=90)
    await desk.becomes(order_id, "OPEN")
    for count in range(25):
        price = 90 + count % 2
        answer = await desk.http.put(f"/orders/regular/{order_id}", data={"price": price, "quantity": 2 * LOT})
        assert answer.json() == {"status": "success", "data": {"order_id": order_id}}
    row = await desk.row(order_id)
    assert (row["price"], row["quantity"], row["modified"], row["status"]) == (90, 2 * LOT, True, "OPEN")
    answer = await desk.http.put(f"/orders/regular/{order_id}", data={"price": 92})
    assert (answer.status_code, answer.json()["message"]) == (400, "Maximum allowed order modifications exceeded")
    states = [each["status"] for each in await desk.get(f"/orders/{order_id}")]
    assert states[4:8] == ["MODIFY VALIDATION PENDING", "MODIFY PENDING", "MODIFIED", "OPEN"]


async def test_a_stop_can_be_changed_into_a_limit_order(desk: Desk) -> None:
    order_id = await desk.place(order_type="SL", trigger_price=105, price=106)
    await desk.becomes(order_id, "TRIGGER PENDING")
    await desk.http.put(f"/orders/regular/{order_id}", data={"order_type": "LIMIT", "price": "100.05"})
    row = await desk.becomes(order_id, "COMPLETE")
    assert (row["order_type"], row["average_price"]) == ("LIMIT", 100.05)


async def test_a_cancel_ends_an_order_once(desk: Desk) -> None:
    order_id = await desk.place(price=90)
    await desk.becomes(order_id, "OPEN")
    assert (await desk.http.delete(f"/orders/regular/{order_id}")).json()["data"] == {"order_id": order_id}
    row = await desk.becomes(order_id, "CANCELLED")
    assert row["cancelled_quantity"] == LOT
    again = await desk.http.delete(f"/orders/regular/{order_id}")
    assert (again.status_code, again.json()["error_type"]) == (400, "OrderException")


async def test_an_order_nobody_knows_cannot_be_found(desk: Desk) -> None:
    answer = await desk.http.get("/orders/123")
    assert answer.json()["message"] == "Couldn't find that `order_id`."


async def test_what_the_exchange_s_risk_checks_refuse_is_rejected_in_the_book(desk: Desk) -> None:
    order_id = await desk.place(price=400)
    row = await desk.becomes(order_id, "REJECTED")
    assert "price" in str(row["status_message"]).lower()
    assert await desk.market.broker.orders() == []


@pytest.mark.parametrize(
    "changed",
    [
        {"quantity": 7},
        {"quantity": "x"},
        {"price": "1e400"},
        {"price": 100.02},
        {"product": "CNC"},
        {"tradingsymbol": "NIFTY99"},
        {"tag": "with space"},
        {"tag": "A" * 21},
        {"validity": "GTC"},
        {"transaction_type": None},
    ],
)
async def test_a_form_that_is_wrong_is_an_input_exception(desk: Desk, changed: dict[str, object]) -> None:
    status, error, _ = await desk.refused(**changed)
    assert (status, error) == (400, "InputException")


async def test_too_little_money_is_a_margin_exception(desk: Desk) -> None:
    sale = desk.form(transaction_type="SELL", quantity=27 * LOT, price=130)
    answers = [(await desk.http.post("/orders/regular", data=sale)).json() for _ in range(8)]
    refused = [answer for answer in answers if answer["status"] == "error"]
    assert len(refused) < 8
    assert {answer["error_type"] for answer in refused} == {"MarginException"}
    assert len(await desk.get("/orders")) == 8 - len(refused)


async def test_slices_are_orders_of_their_own_under_one_parent(desk: Desk) -> None:
    answer = await desk.http.post("/orders/regular", data=desk.form(quantity=60 * LOT, price=90, autoslice="true"))
    data = answer.json()["data"]
    children = [child["order_id"] for child in data["children"]]
    assert len(children) == 3
    assert data["order_id"] == children[0]
    rows = [await desk.row(child) for child in children]
    assert sum(row["quantity"] for row in rows) == 60 * LOT
    assert f"autoslice:{data['order_id']}" in rows[1]["tags"]


async def test_a_partial_fill_stays_open_with_what_is_left(desk: Desk) -> None:
    desk.served.plan.add(decode_faults(f'[{{"verb":"ex.partial","units":{LOT}}}]'.encode()))
    order_id = await desk.place(quantity=3 * LOT)
    await until(lambda: desk.kite.orders.history(order_id)[-1]["filled_quantity"] == LOT)
    row = await desk.row(order_id)
    assert (row["status"], row["pending_quantity"]) == ("OPEN", 2 * LOT)


async def test_an_order_placed_elsewhere_appears_in_the_book(desk: Desk) -> None:
    await desk.market.desk.place(an_order(desk.market, Side.BUY, tag="ELSEWHERE"))
    await until(lambda: bool(desk.kite.orders.book()))
    await desk.market.broker.delivered()
    rows = await desk.get("/orders")
    assert [(row["tag"], row["status"]) for row in rows] == [("ELSEWHERE", "COMPLETE")]
    trades = await desk.get("/trades")
    assert [(row["order_id"], row["quantity"]) for row in trades] == [(rows[0]["order_id"], LOT)]
    assert isinstance((await desk.market.broker.orders())[0], BrokerOrder)


async def test_an_accepted_order_whose_answer_was_lost_is_in_the_book_by_its_tag(desk: Desk) -> None:
    body = "<html>502 Bad Gateway</html>"
    fault = f'[{{"verb":"rest.reply","op":"place","status":502,"body":"{body}","exec":true,"nth":1}}]'
    desk.served.plan.add(decode_faults(fault.encode()))
    answer = await desk.http.post("/orders/regular", data=desk.form(tag="LOST1"))
    assert (answer.status_code, answer.text) == (502, body)
    assert "LOST1" in [row["tag"] for row in await desk.get("/orders")]


async def test_an_unlisted_address_is_refused_on_order_routes_only(desk: Desk) -> None:
    desk.served.plan.add(decode_faults(b'[{"verb":"net.egress","ip":"203.0.113.7"}]'))
    status, error, message = await desk.refused()
    assert (status, error) == (403, "PermissionException")
    assert message.startswith("IP (203.0.113.7) is not allowed")
    assert await desk.get("/orders") == []
