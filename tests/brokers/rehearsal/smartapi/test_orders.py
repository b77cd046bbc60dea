"""The life of orders over the wire: the book, the reasons, and what leaves an order in doubt."""

from __future__ import annotations

import httpx
import pytest

from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import Served
from tests.brokers.paper.stage import CALL
from tests.brokers.rehearsal.smartapi.trader import ORDER, Wire
from tests.brokers.rehearsal.stage import quoted


async def test_an_empty_book_is_null(wire: Wire) -> None:
    for path in ("getOrderBook", "getTradeBook", "getPosition"):
        said = await wire.get(ORDER + path)
        assert (said["status"], said["data"]) == (True, None)


async def test_a_marketable_order_is_complete_in_the_book_the_trades_and_the_ledger(wire: Wire, market: Market) -> None:
    orderid = await wire.place()
    await market.broker.delivered()
    row = await wire.row(orderid)
    assert (row["orderstatus"], row["ordertag"], int(row["filledshares"])) == ("complete", "OC7F3A91", CALL.lot)
    assert float(row["averageprice"]) == 100.05
    trade = (await wire.get(ORDER + "getTradeBook"))["data"][0]
    assert (trade["orderid"], trade["fillprice"], trade["fillsize"]) == (orderid, "100.05", str(CALL.lot))
    assert "symboltoken" not in trade
    (truth,) = await market.broker.orders()
    assert (truth.tag, truth.filled) == ("OC7F3A91", CALL.lot)
    position = (await wire.get(ORDER + "getPosition"))["data"][0]
    assert position["netqty"] == str(CALL.lot)
    assert position["netvalue"].startswith("- ")


async def test_one_order_is_read_by_its_unique_id_alone(wire: Wire) -> None:
    data = (await wire.post(ORDER + "placeOrder", wire.terms()))["data"]
    assert data["script"] == wire.terms()["tradingsymbol"]
    assert (await wire.get(ORDER + "details/" + data["uniqueorderid"]))["data"]["orderid"] == data["orderid"]
    assert (await wire.get(ORDER + "details/" + data["orderid"]))["errorcode"] == "AB1013"


async def test_a_market_order_travels_protected_and_its_rest_lies_as_a_limit(wire: Wire, market: Market) -> None:
    quoted(market, CALL, 100_00, lots=5)
    orderid = await wire.place(ordertype="MARKET", price="0", quantity=str(20 * CALL.lot))
    await market.broker.delivered()
    row = await wire.row(orderid)
    assert (row["orderstatus"], row["ordertype"]) == ("open", "LIMIT")
    assert int(row["filledshares"]) == 5 * CALL.lot
    assert float(row["price"]) > 100.05


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"variety": "ROBO"}, "AB2002"),
        ({"ordertype": "STOPLOSS_LIMIT", "triggerprice": "102"}, "AB1008"),
        ({"producttype": "DELIVERY"}, "AB1012"),
        ({"symboltoken": "1"}, "AB1009"),
        ({"tradingsymbol": "NIFTY"}, "AB1018"),
        ({"ordertag": "X" * 20}, "AB4008"),
        ({"price": "1.005"}, "AB1007"),
        ({"quantity": "-1"}, "AB1007"),
    ],
)
async def test_what_is_no_order_is_refused_by_its_code(wire: Wire, changes: dict[str, object], code: str) -> None:
    said = await wire.post(ORDER + "placeOrder", wire.terms(**changes))
    assert said["status"] in (False, "false")
    assert said["errorcode"] == code
    assert (await wire.get(ORDER + "getOrderBook"))["data"] is None


async def test_what_the_risk_desk_refuses_is_an_order_that_is_rejected(wire: Wire) -> None:
    row = await wire.row(await wire.place(quantity=str(CALL.lot + 1)))
    assert row["orderstatus"] == "rejected"
    assert "multiple" in row["text"]


async def test_numbers_are_taken_where_strings_are_documented(wire: Wire, market: Market) -> None:
    orderid = await wire.place(price=90.5, quantity=CALL.lot)
    await market.broker.delivered()
    row = await wire.row(orderid)
    assert (float(row["price"]), row["orderstatus"]) == (90.5, "open")


async def test_a_changed_order_stands_on_its_new_terms_and_is_withdrawn(wire: Wire, market: Market) -> None:
    orderid = await wire.place(price="90.00")
    terms = wire.terms(orderid=orderid, price="91.00", quantity=str(2 * CALL.lot))
    assert (await wire.post(ORDER + "modifyOrder", terms))["data"]["orderid"] == orderid
    await market.broker.delivered()
    row = await wire.row(orderid)
    assert (float(row["price"]), int(row["quantity"]), row["orderstatus"]) == (91.0, 2 * CALL.lot, "open")
    cancel = {"variety": "NORMAL", "orderid": orderid}
    assert (await wire.post(ORDER + "cancelOrder", cancel))["status"] is True
    await market.broker.delivered()
    row = await wire.row(orderid)
    assert (row["orderstatus"], int(row["cancelsize"]), int(row["unfilledshares"])) == ("cancelled", 2 * CALL.lot, 0)
    assert (await wire.post(ORDER + "cancelOrder", cancel))["errorcode"] == "AB1007"
    assert (await wire.post(ORDER + "cancelOrder", cancel | {"orderid": "1"}))["errorcode"] == "AB1013"


async def test_terms_the_exchange_does_not_take_leave_the_order_not_modified(wire: Wire, market: Market) -> None:
    orderid = await wire.place(price="90.00")
    terms = wire.terms(orderid=orderid, price="90.01")
    assert (await wire.post(ORDER + "modifyOrder", terms))["status"] is True
    row = await wire.row(orderid)
    assert (row["orderstatus"], float(row["price"])) == ("not modified", 90.0)
    assert "tick" in row["text"]


@pytest.mark.parametrize("field", ["triggerprice", "stoploss"])
async def test_a_stop_waits_and_its_trigger_moves_by_either_field(wire: Wire, market: Market, field: str) -> None:
    stop = {"variety": "STOPLOSS", "ordertype": "STOPLOSS_LIMIT", "price": "103.00"}
    orderid = await wire.place(triggerprice="102.00", **stop)
    await market.broker.delivered()
    assert (await wire.row(orderid))["orderstatus"] == "trigger pending"
    terms = wire.terms(orderid=orderid, **stop) | {"triggerprice": "0", field: "101.50"}
    assert (await wire.post(ORDER + "modifyOrder", terms))["status"] is True
    await market.broker.delivered()
    assert float((await wire.row(orderid))["triggerprice"]) == 101.5
    quoted(market, CALL, 102_00)
    await market.broker.delivered()
    assert (await wire.row(orderid))["orderstatus"] == "complete"


async def test_an_order_of_the_night_waits_for_the_next_session(wire: Wire, market: Market) -> None:
    await market.advance(6 * 3600)
    orderid = await wire.place()
    assert (await wire.row(orderid))["orderstatus"] == "after market order req received"
    assert await market.broker.orders() == []
    other = await wire.place(ordertag="")
    gone = await wire.post(ORDER + "cancelOrder", {"variety": "NORMAL", "orderid": other})
    assert gone["status"] is True
    assert (await wire.row(other))["orderstatus"] == "cancelled after market order"


@pytest.mark.parametrize(
    "fault",
    [
        '{"verb":"rest.reply","op":"place","status":200,"body":"{}","exec":true}',
        '{"verb":"rest.reply","op":"place","status":400,"body":"request timed out","exec":true}',
        '{"verb":"rest.reply","op":"place","status":502,"body":"<html>Bad Gateway</html>","exec":true}',
        '{"verb":"rest.reply","op":"place","status":200,"exec":true,"body":'
        '"{\\"status\\":false,\\"message\\":\\"Internal Error\\",\\"errorcode\\":\\"AB2001\\",\\"data\\":null}"}',
        '{"verb":"rest.accept_drop","op":"place"}',
    ],
)
async def test_an_order_that_looked_refused_is_found_by_its_tag(wire: Wire, served: Served, fault: str) -> None:
    served.plan.add(decode_faults(f"[{fault}]".encode()))
    try:
        said = (await wire.send("POST", ORDER + "placeOrder", wire.terms())).text
    except httpx.RemoteProtocolError:
        said = ""
    assert "orderid" not in said
    rows = (await wire.get(ORDER + "getOrderBook"))["data"]
    assert [row["ordertag"] for row in rows] == ["OC7F3A91"]


async def test_another_address_is_refused_on_order_calls_alone(wire: Wire, served: Served) -> None:
    served.plan.add(decode_faults(b'[{"verb":"net.egress","op":"*"}]'))
    said = await wire.post(ORDER + "placeOrder", wire.terms())
    assert (said["success"], said["errorCode"]) == (False, "AG7002")
    assert (await wire.get(ORDER + "getOrderBook"))["data"] is None


async def test_an_emptied_book_and_a_halved_one(wire: Wire, served: Served) -> None:
    for _each in range(4):
        await wire.place(price="90.00", ordertag="")
    served.plan.add(decode_faults(b'[{"verb":"rest.partial","op":"book","times":1}]'))
    assert len((await wire.get(ORDER + "getOrderBook"))["data"]) == 2
    served.plan.add(decode_faults(b'[{"verb":"rest.empty","op":"book"}]'))
    assert (await wire.get(ORDER + "getOrderBook"))["data"] is None


async def test_an_order_the_exchange_drops_after_taking_it_is_rejected(wire: Wire, served: Served) -> None:
    served.plan.add(decode_faults(b'[{"verb":"ex.reject_after_ack","op":"place","reason":"RMS:Rule"}]'))
    row = await wire.row(await wire.place())
    assert (row["orderstatus"], row["text"]) == ("rejected", "RMS:Rule")
