"""Kite's money, positions, triggers and postbacks agree with the exchange behind."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256

import pytest

from optconsole.brokers.rehearsal.kite.postback import Postbacks
from optconsole.brokers.rehearsal.server import RehearsalServer
from optconsole.brokers.rehearsal.wire import Request, Response
from tests.brokers.paper.stage import CALL, LOT
from tests.brokers.rehearsal.kite.conftest import Desk
from tests.brokers.rehearsal.stage import quoted, until


async def test_funds_are_the_exchange_s(desk: Desk) -> None:
    await desk.becomes(await desk.place(), "COMPLETE")
    funds = await desk.market.broker.funds()
    equity = (await desk.get("/user/margins"))["equity"]
    assert equity["net"] == funds.free / 100
    assert equity["available"]["cash"] == funds.cash / 100
    assert (await desk.get("/user/margins/equity"))["net"] == equity["net"]


async def test_positions_show_the_day_and_flat_ones_stay(desk: Desk) -> None:
    await desk.becomes(await desk.place(quantity=2 * LOT), "COMPLETE")
    await desk.becomes(await desk.place(transaction_type="SELL", price=99), "COMPLETE")
    (row,) = (await desk.get("/portfolio/positions"))["net"]
    assert (row["quantity"], row["overnight_quantity"], row["average_price"]) == (LOT, 0, 100.05)
    assert (row["day_buy_quantity"], row["day_sell_quantity"]) == (2 * LOT, LOT)
    assert row["pnl"] == pytest.approx(LOT * 99.95 - 2 * LOT * 100.05 + LOT * 100)
    await desk.becomes(await desk.place(transaction_type="SELL", price=99), "COMPLETE")
    (row,) = (await desk.get("/portfolio/positions"))["net"]
    assert row["quantity"] == 0
    assert await desk.get("/portfolio/holdings") == []


async def test_a_position_is_carried_under_another_product(desk: Desk) -> None:
    await desk.becomes(await desk.place(quantity=2 * LOT, product="MIS"), "COMPLETE")
    form = {
        "exchange": "NFO",
        "tradingsymbol": desk.call.symbol,
        "transaction_type": "BUY",
        "position_type": "day",
        "quantity": str(LOT),
        "old_product": "MIS",
        "new_product": "NRML",
    }
    assert (await desk.http.put("/portfolio/positions", data=form)).json()["data"] is True
    rows = (await desk.get("/portfolio/positions"))["net"]
    assert {row["product"]: (row["quantity"], row["average_price"]) for row in rows} == {
        "MIS": (LOT, 100.05),
        "NRML": (LOT, 100.05),
    }
    assert {row.product.value: row.qty for row in await desk.market.broker.positions()} == {"MIS": LOT, "NRML": LOT}
    too_many = await desk.http.put("/portfolio/positions", data={**form, "quantity": str(9 * LOT)})
    assert too_many.json()["error_type"] == "InputException"


async def test_a_hedge_lowers_the_basket_s_margin_and_not_the_orders_(desk: Desk) -> None:
    sold = desk.form(transaction_type="SELL", order_type="MARKET", market_protection=-1)
    orders = [{**sold, "variety": "regular", "quantity": LOT, "price": 0, "trigger_price": 0}]
    (row,) = (await desk.http.post("/margins/orders", json=orders)).json()["data"]
    assert row["total"] > 0
    bought = [{**orders[0], "transaction_type": "BUY"}]
    (premium,) = (await desk.http.post("/margins/orders", json=bought)).json()["data"]
    assert premium["total"] == premium["option_premium"] == 100.0 * LOT
    query = {"consider_positions": "True"}
    basket = (await desk.http.post("/margins/basket", params=query, json=orders)).json()["data"]
    assert basket["final"]["total"] == pytest.approx(row["total"], rel=0.2)
    assert basket["initial"]["total"] == row["total"]


async def test_a_trigger_sends_its_order_once_reached(desk: Desk) -> None:
    leg = {**desk.form(transaction_type="SELL", price=89), "quantity": LOT, "price": 89}
    condition = {"exchange": "NFO", "tradingsymbol": desk.call.symbol, "trigger_values": [90], "last_price": 100}
    form = {"type": "single", "condition": json.dumps(condition), "orders": json.dumps([leg])}
    number = (await desk.http.post("/gtt/triggers", data=form)).json()["data"]["trigger_id"]
    assert (await desk.get(f"/gtt/triggers/{number}"))["status"] == "active"
    moved = {**form, "condition": json.dumps({**condition, "trigger_values": [92]})}
    assert (await desk.http.put(f"/gtt/triggers/{number}", data=moved)).json()["data"] == {"trigger_id": number}
    quoted(desk.market, CALL, 92_00)
    await until(lambda: desk.kite.triggers.rows()[0]["orders"][0]["result"] is not None)
    row = (await desk.get("/gtt/triggers"))[0]
    assert row["status"] == "triggered"
    result = row["orders"][0]["result"]["order_result"]
    assert result["status"] == "success"
    assert (await desk.becomes(result["order_id"], "COMPLETE"))["transaction_type"] == "SELL"
    gone = await desk.http.delete(f"/gtt/triggers/{number}")
    assert gone.status_code == 400


async def test_postbacks_are_signed_and_a_deaf_app_loses_them(desk: Desk) -> None:
    heard: asyncio.Queue[Request] = asyncio.Queue()

    async def take(request: Request) -> Response:
        heard.put_nowait(request)
        return Response()

    async def refuse(_request: Request) -> Response:
        return Response(404)

    app = RehearsalServer(take, refuse)
    await app.start()
    desk.kite.postbacks = Postbacks(f"http://127.0.0.1:{app.port}/hook")
    order_id = await desk.place()
    async with asyncio.timeout(5):
        body = json.loads((await heard.get()).body)
    secret = desk.served.credentials["api_secret"]
    assert (body["order_id"], body["status"]) == (order_id, "COMPLETE")
    assert body["checksum"] == sha256((order_id + body["order_timestamp"] + secret).encode()).hexdigest()
    await app.close()
    await desk.place()
    await until(lambda: desk.kite.postbacks.lost == 1)
