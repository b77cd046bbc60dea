"""Market data and money over REST: quotes, candles, search, funds, margins, charges, rules, and the scrip master."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.brokers.rehearsal.smartapi.dialect import SmartApi
from optconsole.brokers.rehearsal.smartapi.strangers import Share
from optconsole.engine.model.orders import Side
from optconsole.runtime.rates import order_charges
from tests.brokers.paper.stage import CALL, DAY, FUTURE, HEDGE, INDEX
from tests.brokers.rehearsal.smartapi.trader import ORDER, USER, Wire
from tests.brokers.rehearsal.stage import quoted

QUOTE = "/rest/secure/angelbroking/market/v1/quote/"
CANDLES = "/rest/secure/angelbroking/historical/v1/getCandleData"
MARGIN = "/rest/secure/angelbroking/margin/v1/batch"
CHARGES = "/rest/secure/angelbroking/brokerage/v1/estimateCharges"
GTT = "/gtt-service/rest/secure/angelbroking/gtt/v1/"


async def test_a_quote_tells_what_was_fetched_and_what_was_not(wire: Wire) -> None:
    token = wire.token()
    asked = {"mode": "FULL", "exchangeTokens": {"NFO": [token, "1"], "NSE": [wire.token(INDEX.name)]}}
    data = (await wire.post(QUOTE, asked))["data"]
    by_token = {row["symbolToken"]: row for row in data["fetched"]}
    full = by_token[token]
    assert (full["ltp"], full["close"], full["exchange"]) == (100.0, 95.0, "NFO")
    assert full["depth"]["buy"][0]["price"] == 99.95
    assert full["depth"]["sell"][0]["quantity"] == 50 * CALL.lot
    assert full["lowerCircuit"] < 95.0 < full["upperCircuit"]
    assert by_token["99926000"]["tradingSymbol"] == "Nifty 50"
    assert by_token["99926000"]["depth"] == {"buy": [], "sell": []}
    assert [(row["symbolToken"], row["errorCode"]) for row in data["unfetched"]] == [("1", "AB4018")]


async def test_fifty_tokens_and_no_more(wire: Wire) -> None:
    asked = {"mode": "LTP", "exchangeTokens": {"NFO": [str(number) for number in range(50)]}}
    assert len((await wire.post(QUOTE, asked))["data"]["unfetched"]) == 50
    asked["exchangeTokens"]["NSE"] = ["1"]  # type: ignore[index]
    assert (await wire.post(QUOTE, asked))["status"] in (False, "false")


async def test_the_last_price_of_a_contract(wire: Wire) -> None:
    asked = {name: wire.terms()[name] for name in ("exchange", "tradingsymbol", "symboltoken")}
    assert float((await wire.post(ORDER + "getLtpData", asked))["data"]["ltp"]) == 100.0


async def test_candles_of_what_was_shown(wire: Wire, market: Market) -> None:
    for price in (100_00, 103_00, 99_00):
        quoted(market, CALL, price)
    await market.advance(60)
    quoted(market, CALL, 98_00)
    asked = {
        "exchange": "NFO",
        "symboltoken": wire.token(),
        "interval": "ONE_MINUTE",
        "fromdate": f"{DAY} 09:15",
        "todate": f"{DAY} 15:30",
    }
    first, second = (await wire.post(CANDLES, asked))["data"]
    assert first == [f"{DAY}T10:00:00+05:30", 100.0, 103.0, 99.0, 99.0, 0]
    assert second[:5] == [f"{DAY}T10:01:00+05:30", 98.0, 98.0, 98.0, 98.0]
    (whole,) = (await wire.post(CANDLES, asked | {"interval": "FIFTEEN_MINUTE"}))["data"]
    assert whole[:5] == [f"{DAY}T10:00:00+05:30", 100.0, 103.0, 98.0, 98.0]
    assert (await wire.post(CANDLES, asked | {"fromdate": "2026-01-01 09:15"}))["status"] in (False, "false")


async def test_the_scrip_master_names_every_contract_in_strings(wire: Wire, served: Served) -> None:
    rows = (await wire.http.get("/OpenAPI_File/files/OpenAPIScripMaster.json")).json()
    assert all(isinstance(value, str) for row in rows for value in row.values())
    call = next(row for row in rows if row["token"] == wire.token())
    assert call == {
        "token": wire.token(),
        "symbol": "NIFTY23NOV2625000CE",
        "name": "NIFTY",
        "expiry": "23NOV2026",
        "strike": "2500000.000000",
        "lotsize": "65",
        "instrumenttype": "OPTIDX",
        "exch_seg": "NFO",
        "tick_size": "5.000000",
    }
    future = next(row for row in rows if row["instrumenttype"] == "FUTIDX")
    assert (future["symbol"], future["strike"]) == ("NIFTY23NOV26FUT", "-1.000000")
    assert FUTURE.name in served.dialect.catalogue._by_name  # type: ignore[attr-defined]


async def test_a_search_finds_by_part_of_a_symbol(wire: Wire) -> None:
    found = (await wire.post(ORDER + "searchScrip", {"exchange": "NFO", "searchscrip": "25000CE"}))["data"]
    assert found == [{"exchange": "NFO", "tradingsymbol": "NIFTY23NOV2625000CE", "symboltoken": wire.token()}]


async def test_the_funds_are_the_ledgers(wire: Wire, market: Market) -> None:
    await wire.place()
    await market.broker.delivered()
    data = (await wire.get(USER + "getRMS"))["data"]
    funds = await market.broker.funds()
    assert round(float(data["net"]) * 100) == funds.free
    assert data["utilisedexposure"] is None


async def test_a_hedged_short_needs_less_margin_than_a_naked_one(wire: Wire, market: Market) -> None:
    quoted(market, HEDGE, 20_00)

    def leg(name: str, side: str) -> dict[str, Any]:
        return {
            "exchange": "NFO",
            "qty": CALL.lot,
            "price": 0,
            "productType": "CARRYFORWARD",
            "token": wire.token(name),
            "tradeType": side,
            "orderType": "LIMIT",
        }

    short, long = leg(CALL.name, "SELL"), leg(HEDGE.name, "BUY")
    naked = (await wire.post(MARGIN, {"positions": [short]}))["data"]
    hedged = (await wire.post(MARGIN, {"positions": [short, long]}))["data"]
    assert 0 < hedged["totalMarginRequired"] < naked["totalMarginRequired"]
    assert hedged["marginComponents"]["marginBenefit"] > 0


async def test_charges_add_up(wire: Wire) -> None:
    order = {
        "product_type": "CARRYFORWARD",
        "transaction_type": "SELL",
        "quantity": "65",
        "price": "100",
        "exchange": "NFO",
        "symbol_name": "",
        "token": wire.token(),
    }
    data = (await wire.post(CHARGES, {"orders": [order, order]}))["data"]
    once = order_charges(DAY, CALL, Side.SELL, 65 * 100_00) / 100
    assert data["summary"]["total_charges"] == pytest.approx(2 * once, abs=0.01)
    parts = sum(item["amount"] for item in data["charges"][0]["breakup"])
    assert parts == pytest.approx(data["charges"][0]["total_charges"], abs=0.001)


async def test_no_shares_are_held_and_no_product_is_converted(wire: Wire, market: Market) -> None:
    assert (await wire.get("/rest/secure/angelbroking/portfolio/v1/getHolding"))["data"] is None
    asked = {"exchange": "NFO", "symboltoken": wire.token(), "oldproducttype": "CARRYFORWARD"}
    assert (await wire.post(ORDER + "convertPosition", asked))["errorcode"] == "AB1016"
    await wire.place()
    assert (await wire.post(ORDER + "convertPosition", asked))["errorcode"] == "AB1017"


def a_rule(wire: Wire, **changes: object) -> dict[str, object]:
    terms = wire.terms()
    return {
        "tradingsymbol": terms["tradingsymbol"],
        "symboltoken": terms["symboltoken"],
        "exchange": "NFO",
        "transactiontype": "BUY",
        "producttype": "CARRYFORWARD",
        "price": "106",
        "qty": "65",
        "triggerprice": "105",
        "disclosedqty": "0",
    } | changes


async def test_rules_on_contracts_are_refused_as_documented(wire: Wire) -> None:
    assert (await wire.post(GTT + "createRule", a_rule(wire)))["errorcode"] == "AB9010"


@pytest.fixture
async def wide(market: Market) -> AsyncIterator[Wire]:
    dialect = SmartApi(market, caps={}, wide_rules=True)
    served = await serve(dialect, market)
    async with httpx.AsyncClient(base_url=served.url, trust_env=False) as http:
        yield Wire(served, http)
    await served.close()


async def test_a_rule_waits_for_its_price_and_sends_one_order(wide: Wire, market: Market) -> None:
    one = (await wide.post(GTT + "createRule", a_rule(wide)))["data"]["id"]
    other = (await wide.post(GTT + "createRule", a_rule(wide)))["data"]["id"]
    assert (await wide.post(GTT + "cancelRule", {"id": other}))["data"]["id"] == other
    assert (await wide.post(GTT + "modifyRule", a_rule(wide, id=one, price="107")))["data"]["id"] == one
    quoted(market, CALL, 104_00)
    assert (await wide.get(ORDER + "getOrderBook"))["data"] is None
    for _each in range(2):
        quoted(market, CALL, 105_00)
    listed = await wide.post(
        GTT.removeprefix("/gtt-service") + "ruleList", {"status": ["FORALL"], "page": 1, "count": 9}
    )
    assert [rule["status"] for rule in listed["data"]] == ["SENTTOEXCHANGE", "CANCELLED"]
    await market.broker.delivered()
    (order,) = (await wide.get(ORDER + "getOrderBook"))["data"]
    assert float(order["price"]) == 107.0
    assert (await wide.post(GTT + "cancelRule", {"id": one}))["errorcode"] == "AB9013"


async def test_shares_are_listed_with_their_sums(market: Market) -> None:
    held = Share(
        symbol="SBIN-EQ", token="3045", isin="INE062A01020", qty=10, average=800_00, ltp=820_00, close=815_00, fresh=4
    )
    served = await serve(SmartApi(market, caps={}, shares=[held]), market)
    async with httpx.AsyncClient(base_url=served.url, trust_env=False) as http:
        wire = Wire(served, http)
        (row,) = (await wire.get("/rest/secure/angelbroking/portfolio/v1/getHolding"))["data"]
        whole = (await wire.get("/rest/secure/angelbroking/portfolio/v1/getAllHolding"))["data"]
    await served.close()
    assert (row["quantity"], row["t1quantity"], row["realisedquantity"]) == (10, 4, 6)
    assert (whole["holdings"], whole["totalholding"]["totalprofitandloss"]) == ([row], 200.0)
