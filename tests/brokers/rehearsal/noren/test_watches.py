"""GTT orders and alerts: kept by number, fired by the price."""

from __future__ import annotations

import asyncio

from optconsole.brokers.rehearsal.market import Market
from tests.brokers.paper.stage import CALL
from tests.brokers.rehearsal.noren.stage import BUY, Noren
from tests.brokers.rehearsal.stage import quoted

GTT = {**BUY, "ai_t": "LTP_B", "validity": "GTT", "d": "95.00", "prc": "96.00", "remarks": "G1"}


async def test_a_gtt_is_listed_changed_and_deleted(noren: Noren) -> None:
    created = await noren.call("PlaceGTTOrder", **GTT)
    assert created["stat"] == "Oi created"
    number = created["al_id"]
    (row,) = await noren.call("GetPendingGTTOrder")
    assert (row["al_id"], row["d"], row["ai_t"], row["qty"]) == (number, "95.00", "LTP_B", 65)
    changed = await noren.call("ModifyGTTOrder", **{**GTT, "d": "94.00"}, al_id=number)
    assert (changed["stat"], changed["al_id"]) == ("OI replaced", number)
    assert (await noren.call("CancelGTTOrder", al_id=number))["stat"] == "Oi delete success"
    assert (await noren.call("CancelGTTOrder", al_id=number))["stat"] == "Invalid Oi"
    assert "no data" in (await noren.call("GetPendingGTTOrder"))["emsg"]


async def test_a_gtt_sends_its_order_once_when_the_price_comes(noren: Noren, market: Market) -> None:
    await noren.call("PlaceGTTOrder", **GTT)
    quoted(market, CALL, 95_00)
    assert "no data" in (await noren.call("OrderBook"))["emsg"]
    for price in (94_00, 93_00):
        quoted(market, CALL, price)
    for _ in range(2_000):
        book = await noren.call("OrderBook")
        if isinstance(book, list):
            break
        await asyncio.sleep(0.001)
    (row,) = book
    assert (row["remarks"], row["prc"]) == ("G1", "96.00")
    assert "no data" in (await noren.call("GetPendingGTTOrder"))["emsg"]


async def test_an_alert_is_no_order(noren: Noren, market: Market) -> None:
    alert = {"exch": "NFO", "tsym": BUY["tsym"], "ai_t": "LTP_A", "validity": "DAY", "d": "105"}
    number = (await noren.call("SetAlert", **alert))["al_id"]
    assert "no data" in (await noren.call("GetPendingGTTOrder"))["emsg"]
    assert (await noren.call("CancelGTTOrder", al_id=number))["stat"] == "Invalid Oi"
    quoted(market, CALL, 106_00)
    assert "no data" in (await noren.call("GetPendingAlert"))["emsg"]
    assert "no data" in (await noren.call("OrderBook"))["emsg"]


async def test_a_wrong_watch_is_refused(noren: Noren) -> None:
    assert "Alert Type" in (await noren.call("PlaceGTTOrder", **{**GTT, "ai_t": "LTP"}))["emsg"]
    assert "Validity" in (await noren.call("PlaceGTTOrder", **{**GTT, "validity": ""}))["emsg"]
