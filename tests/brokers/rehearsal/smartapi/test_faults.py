"""The verbs that make a bad day, on this wire: what a client sees, and what is true."""

from __future__ import annotations

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import Served
from tests.brokers.paper.stage import CALL
from tests.brokers.rehearsal.smartapi.trader import ORDER, Wire, frame, subscribing
from tests.brokers.rehearsal.stage import quoted


def arm(served: Served, **fault: object) -> None:
    served.plan.add(decode_faults(msgspec.json.encode([fault])))


async def test_an_order_appears_after_its_error(wire: Wire, served: Served) -> None:
    arm(served, verb="rest.late", op="place", seconds=0.3, status=400, body="timed out")
    answer = await wire.send("POST", ORDER + "placeOrder", wire.terms())
    assert (answer.status_code, answer.text) == (400, "timed out")
    assert served.wire.executed["place"] == 0
    await served.wire.settled()
    (row,) = (await wire.get(ORDER + "getOrderBook"))["data"]
    assert row["ordertag"] == "OC7F3A91"


async def test_a_fault_may_look_at_what_was_asked(wire: Wire, served: Served) -> None:
    arm(served, verb="rest.reply", op="place", when={"transactiontype": "SELL"}, status=502, body="<html>")
    assert (await wire.send("POST", ORDER + "placeOrder", wire.terms())).status_code == 200
    sale = wire.terms(transactiontype="SELL", price="99")
    assert (await wire.send("POST", ORDER + "placeOrder", sale)).status_code == 502


async def test_an_order_frame_comes_twice_or_late(wire: Wire, served: Served) -> None:
    async with wire.updates() as socket:
        await socket.recv()
        arm(served, verb="ws.dup", op="orders", nth=1)
        arm(served, verb="ws.reorder", op="orders", nth=2)
        await wire.place()
        said = [(await frame(socket))["order-status"] for _each in range(4)]
    assert said == ["AB09", "AB09", "AB05", "AB01"]


async def test_garbage_comes_before_a_tick(wire: Wire, served: Served, market: Market) -> None:
    async with wire.ticks() as socket:
        await socket.send(subscribing(1, wire.token()))
        await socket.recv()
        arm(served, verb="ws.garbage", op="ticks", hex="0102ff")
        quoted(market, CALL, 101_00)
        assert await socket.recv() == b"\x01\x02\xff"
        assert len(await socket.recv()) == 51


async def test_a_dropped_stream_may_come_back(wire: Wire, served: Served, market: Market) -> None:
    async with wire.ticks() as socket:
        await socket.send(subscribing(1, wire.token()))
        await socket.recv()
        arm(served, verb="ws.drop", op="ticks", times=1)
        quoted(market, CALL, 101_00)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    async with wire.ticks() as socket:
        await socket.send(subscribing(1, wire.token()))
        assert len(await socket.recv()) == 51


@pytest.mark.parametrize(("stream", "status"), [("ticks", 401), ("updates", 403)])
async def test_a_handshake_is_refused_as_with_a_dead_login(
    wire: Wire, served: Served, stream: str, status: int
) -> None:
    arm(served, verb="ws.refuse_auth", op="connect", times=1)
    attempt = wire.ticks if stream == "ticks" else wire.updates
    with pytest.raises(InvalidStatus) as refused:
        await attempt()
    assert refused.value.response.status_code == status
    async with attempt() as socket:
        await socket.send("ping")


async def test_a_part_of_an_order_is_filled_and_the_rest_withdrawn(wire: Wire, served: Served, market: Market) -> None:
    arm(served, verb="ex.partial", op="place", units=CALL.lot)
    orderid = await wire.place(quantity=str(3 * CALL.lot))
    await market.broker.delivered()
    row = await wire.row(orderid)
    assert (row["orderstatus"], int(row["filledshares"]), int(row["unfilledshares"])) == (
        "open",
        CALL.lot,
        2 * CALL.lot,
    )
    await wire.post(ORDER + "cancelOrder", {"variety": "NORMAL", "orderid": orderid})
    await market.broker.delivered()
    row = await wire.row(orderid)
    assert (row["orderstatus"], int(row["filledshares"]), int(row["cancelsize"])) == (
        "cancelled",
        CALL.lot,
        2 * CALL.lot,
    )


async def test_a_stop_is_refused_when_its_trigger_comes(wire: Wire, served: Served, market: Market) -> None:
    arm(served, verb="ex.reject_at_trigger", op="place", reason="out of range")
    orderid = await wire.place(
        variety="STOPLOSS", ordertype="STOPLOSS_LIMIT", transactiontype="SELL", price="95", triggerprice="97"
    )
    assert (await wire.row(orderid))["orderstatus"] == "trigger pending"
    quoted(market, CALL, 96_00)
    row = await wire.row(orderid)
    assert (row["orderstatus"], row["text"]) == ("rejected", "out of range")


async def test_a_clean_out_by_the_broker_is_seen_in_the_books(wire: Wire, served: Served, market: Market) -> None:
    await wire.place()
    await market.broker.delivered()
    arm(served, verb="ex.broker_closes", op="positions", nth=1)
    (position,) = (await wire.get(ORDER + "getPosition"))["data"]
    assert position["netqty"] == "0"
    await market.broker.delivered()
    rows = (await wire.get(ORDER + "getOrderBook"))["data"]
    assert [(row["transactiontype"], row["orderstatus"]) for row in rows] == [("BUY", "complete"), ("SELL", "complete")]
