"""What outlives a night or a restart of the rehearsal, and what does not."""

from __future__ import annotations

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import serve
from optconsole.brokers.rehearsal.smartapi.dialect import SmartApi
from optconsole.engine.model.orders import Side
from tests.brokers.paper.stage import CALL, DAY, INDEX, LISTED, at
from tests.brokers.rehearsal.smartapi.trader import ORDER, Wire, frame
from tests.brokers.rehearsal.stage import an_order, quoted, until

NEXT = DAY.replace(day=DAY.day + 1)


async def morning(market: Market, wire: Wire) -> None:
    """Ten o'clock of the next day, with a new login."""
    market.broker.end_session(DAY)
    await market.broker.delivered()
    market.clock.set(at("10:00", NEXT))
    market.load(LISTED)
    quoted(market, INDEX, 25_000_00, booked=False)
    wire.headers["Authorization"] = "Bearer " + wire.served.dialect.login()["access_token"]


async def test_an_order_of_the_evening_goes_out_in_the_morning(wire: Wire, market: Market) -> None:
    await market.advance(6 * 3600)
    orderid = await wire.place()
    await morning(market, wire)
    quoted(market, CALL, 100_00)
    await until(lambda: bool(wire.served.dialect.book.number_of(orderid)))  # type: ignore[attr-defined]
    await market.broker.delivered()
    assert (await wire.row(orderid))["orderstatus"] == "complete"


async def test_yesterdays_books_are_gone_and_its_position_is_carried(wire: Wire, market: Market) -> None:
    await wire.place()
    await wire.place(price="90", ordertag="REST")
    await market.broker.delivered()
    await morning(market, wire)
    assert (await wire.get(ORDER + "getOrderBook"))["data"] is None
    assert (await wire.get(ORDER + "getTradeBook"))["data"] is None
    quoted(market, CALL, 110_00)
    (row,) = (await wire.get(ORDER + "getPosition"))["data"]
    assert (row["netqty"], row["cfbuyqty"], row["buyqty"]) == (str(CALL.lot), str(CALL.lot), "0")
    assert (row["cfbuyavgprice"], row["pnl"]) == ("105.00", f"{5 * CALL.lot}.00")


async def test_a_restart_shows_what_the_market_holds(wire: Wire, market: Market) -> None:
    orderid = await wire.place()
    await market.broker.delivered()
    again = await serve(SmartApi(market, caps={}), market)
    rows = (
        await Wire(again, wire.http).http.get(f"{again.url}{ORDER}getOrderBook", headers=Wire(again, wire.http).headers)
    ).json()["data"]
    await again.close()
    assert [(row["ordertag"], row["orderstatus"]) for row in rows] == [("OC7F3A91", "complete")]
    assert float(rows[0]["averageprice"]) == 100.05
    assert (await wire.row(orderid))["orderstatus"] == "complete"


async def test_what_the_broker_does_of_itself_is_in_the_book_and_on_the_stream(wire: Wire, market: Market) -> None:
    async with wire.updates() as socket:
        await socket.recv()
        await market.desk.place(an_order(market, Side.BUY))
        said = [await frame(socket) for _each in range(3)]
    assert [each["order-status"] for each in said] == ["AB09", "AB01", "AB05"]
    (row,) = (await wire.get(ORDER + "getOrderBook"))["data"]
    assert row["orderid"] == said[0]["orderData"]["orderid"]


async def test_two_orders_may_bear_one_tag(wire: Wire, market: Market) -> None:
    numbers = {await wire.place(), await wire.place()}
    rows = (await wire.get(ORDER + "getOrderBook"))["data"]
    assert {row["orderid"] for row in rows if row["ordertag"] == "OC7F3A91"} == numbers
    assert len(await market.broker.orders()) == 2
