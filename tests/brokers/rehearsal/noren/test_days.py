"""What lives on when the rehearsal is started again, and what a new day ends."""

from __future__ import annotations

import httpx
import pytest
from websockets.exceptions import ConnectionClosedOK

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.dialect import open_noren
from optconsole.brokers.rehearsal.serve import serve
from tests.brokers.paper.stage import CALL, EXPIRY, LISTED
from tests.brokers.rehearsal.noren.stage import BUY, Noren, ears
from tests.brokers.rehearsal.stage import quoted


async def test_a_rehearsal_started_again_has_the_day_s_orders_and_trades(noren: Noren, market: Market) -> None:
    filled = await noren.place(prc="101.00")
    resting = await noren.place(remarks="T2")
    await noren.until(filled, "COMPLETE")
    await noren.until(resting, "OPEN")
    served = await serve(await open_noren(market), market)
    async with httpx.AsyncClient(base_url=served.url, trust_env=False) as http:
        again = Noren(http, served, served.credentials["access_token"])
        rows = {row["norenordno"]: row for row in await again.call("OrderBook")}
        assert (rows[filled]["status"], rows[filled]["avgprc"], rows[filled]["remarks"]) == ("COMPLETE", "100.05", "T1")
        assert (rows[resting]["status"], rows[resting]["remarks"]) == ("OPEN", "T2")
        assert [trade["norenordno"] for trade in await again.call("TradeBook")] == [filled]
        assert (await again.call("CancelOrder", norenordno=resting))["stat"] == "Ok"
    await served.close()


async def test_a_new_day_has_an_empty_book_a_carried_position_and_no_living_socket(
    noren: Noren, market: Market
) -> None:
    await noren.until(await noren.place(prc="101.00"), "COMPLETE")
    stream = await ears(noren)
    await market.advance(24 * 3600)
    market.load(LISTED)
    with pytest.raises(ConnectionClosedOK):
        await stream.next()
    noren.token = noren.dialect.login()["access_token"]
    assert "no data" in (await noren.call("OrderBook"))["emsg"]
    assert "no data" in (await noren.call("TradeBook"))["emsg"]
    (row,) = await noren.call("PositionBook")
    assert (row["netqty"], row["cfbuyqty"], row["daybuyqty"]) == ("65", "65", "0")


async def test_a_settled_contract_leaves_the_book(noren: Noren, market: Market) -> None:
    await noren.until(await noren.place(prc="101.00"), "COMPLETE")
    assert len(await noren.call("PositionBook")) == 1
    market.broker.end_session(EXPIRY)
    await market.broker.delivered()
    assert await market.broker.positions() == []
    assert "no data" in (await noren.call("PositionBook"))["emsg"]


async def test_a_gtt_lives_over_the_night_and_its_order_can_be_changed(noren: Noren, market: Market) -> None:
    kept = {**BUY, "ai_t": "LTP_B", "validity": "GTT", "d": "95.00", "prc": "94.00", "remarks": "G1"}
    await noren.call("PlaceGTTOrder", **kept)
    await noren.call("PlaceGTTOrder", **{**kept, "validity": "DAY", "remarks": "D1"})
    await market.advance(24 * 3600)
    market.load(LISTED)
    noren.token = noren.dialect.login()["access_token"]
    assert [row["remarks"] for row in await noren.call("GetPendingGTTOrder")] == ["G1"]
    quoted(market, CALL, 94_50)
    for _ in range(2_000):
        book = await noren.call("OrderBook")
        if isinstance(book, list) and book[0]["status"] == "OPEN":
            break
    terms = {key: BUY[key] for key in ("exch", "tsym", "prctyp", "ret")}
    changed = await noren.call("ModifyOrder", norenordno=book[0]["norenordno"], qty="65", prc="93.00", **terms)
    assert changed["stat"] == "Ok"
