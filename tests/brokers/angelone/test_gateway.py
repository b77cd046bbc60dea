"""An account opened: its instrument file, its other services, and addresses that are not safe."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from optconsole.brokers.angelone.gateway import open_gateway
from optconsole.brokers.angelone.services import Candle
from optconsole.brokers.angelone.settings import BUDGETS, AngelSettings
from optconsole.brokers.rehearsal.wire import Manner, as_json, plain
from optconsole.engine.clock import MarketClock, seeded
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import BrokerPosition, BrokerUnreachable
from tests.brokers.angelone.peer import MASTER, QUOTE, desk, failure, success
from tests.brokers.angelone.stage import (
    ACCOUNT,
    CALL,
    DAY,
    NOW,
    SCRIPS,
    Notes,
    StageAlmanac,
    StageCredentials,
    listed,
    scrip,
)
from tests.brokers.angelone.test_feed import fetched, row

CANDLES = "/rest/secure/angelbroking/historical/v1/getCandleData"
HOLDINGS = "/rest/secure/angelbroking/portfolio/v1/getHolding"
CONVERT = "/rest/secure/angelbroking/order/v1/convertPosition"
RULES = "/rest/secure/angelbroking/gtt/v1"


async def test_the_file_is_fetched_without_a_secret_and_adopted_by_broker_and_feed() -> None:
    async with desk(connected=False) as it:
        (call,) = it.bench.calls
        assert "authorization" not in call.headers
        assert "x-privatekey" not in call.headers
        assert CALL in {each.name for each in it.feed.instruments(DAY)}
        assert it.feed.instruments(date(2026, 11, 25)) == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (plain("<html>404</html>", 404), "MASTER_UNREACHABLE"),
        (plain("<html>soon</html>", 200), "MASTER_BAD"),
        (as_json(SCRIPS[:3]), "MASTER_BAD"),
        (
            as_json(
                SCRIPS + [scrip(str(n), f"NIFTY24NOV26{n}CE", "NIFTY", strike=f"{n}00") for n in range(9000, 9009)]
            ),
            "MASTER_BAD",
        ),
        (as_json(SCRIPS).so(Manner(cut=100)), "MASTER_UNREACHABLE"),
    ],
)
async def test_a_file_that_is_missing_cut_or_far_from_yesterday_s_leaves_yesterday_s(answer: Any, code: str) -> None:
    async with desk(connected=False) as it:
        it.bench.tell(MASTER, answer)
        with pytest.raises(Refusal) as refused:
            await it.gateway.load_master(date(2026, 11, 24))
        assert refused.value.code == code
        assert CALL in {each.name for each in it.feed.instruments(DAY)}


async def test_a_token_of_yesterday_is_another_contract_today() -> None:
    async with desk(connected=False) as it:
        it.feed.watch([CALL])
        moved = [each | {"token": "58999"} if each["symbol"] == "NIFTY24NOV2625000CE" else each for each in SCRIPS]
        it.bench.tell(MASTER, as_json(moved))
        master = await it.gateway.load_master(DAY)
        assert master.at("NFO", "58662") is None
        assert getattr(master.of(CALL), "token", "") == "58999"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://apiconnect.angelone.in", "PLAIN_TEXT"),
        ("ftp://127.0.0.1", "BAD_URL"),
        ("apiconnect.angelone.in", "BAD_URL"),
    ],
)
def test_an_address_that_would_carry_tokens_in_the_clear_is_refused(address: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        open_gateway(
            ACCOUNT,
            AngelSettings(rest_url=address),
            StageCredentials(),
            MarketClock(NOW),
            seeded(1),
            Notes(),
            StageAlmanac(),
        )
    assert refused.value.code == code


def test_place_change_and_cancel_share_one_budget_of_nine_a_second() -> None:
    budget = BUDGETS["order"]
    assert isinstance(budget, tuple)
    assert [(each.calls, each.seconds) for each in budget] == [(9, 1.1), (500, 61.0), (1000, 3605.0)]


async def test_candles_come_in_paise_and_aware() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(CANDLES, success([["2026-11-24T09:15:00+05:30", 118.05, 127, "116.5", 123.45, 1950]]))
        begin, end = datetime(2026, 11, 24, 9, 15, tzinfo=IST), datetime(2026, 11, 24, 15, 30, tzinfo=IST)
        assert await it.broker.services.candles(listed(), "ONE_MINUTE", begin, end) == [
            Candle(at=begin, open=118_05, high=127_00, low=116_50, close=123_45, volume=1950)
        ]
        assert it.bench.bodies(CANDLES) == [
            {
                "exchange": "NFO",
                "symboltoken": "58662",
                "interval": "ONE_MINUTE",
                "fromdate": "2026-11-24 09:15",
                "todate": "2026-11-24 15:30",
            }
        ]
        for interval, start, code in (
            ("HOUR", begin, "BAD_INTERVAL"),
            ("ONE_MINUTE", datetime(2026, 10, 1, tzinfo=IST), "TOO_LONG"),
        ):
            with pytest.raises(Refusal) as refused:
                await it.broker.services.candles(listed(), interval, start, end)
            assert refused.value.code == code
        it.bench.tell(CANDLES, success([["soon", 1, 1, 1, 1, 1]]))
        with pytest.raises(BrokerUnreachable):
            await it.broker.services.candles(listed(), "ONE_MINUTE", begin, end)


async def test_quotes_on_request_are_of_the_contracts_that_were_asked_for() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(QUOTE, fetched(row()))
        (quote,) = await it.broker.services.quotes([listed()])
        assert (quote.name, quote.ltp) == (CALL, 125_50)
        it.bench.tell(QUOTE, fetched(row(symbolToken="58663")))
        with pytest.raises(BrokerUnreachable):
            await it.broker.services.quotes([listed()])
        with pytest.raises(Refusal):
            await it.broker.services.quotes([listed()] * 51)


async def test_holdings_none_of_them_and_a_position_turned_into_another_product() -> None:
    async with desk(connected=False) as it:
        share = {"tradingsymbol": "SBIN-EQ", "exchange": "NSE", "quantity": 1, "averageprice": 111.87}
        it.bench.tell(HOLDINGS, success([share]))
        assert [each.symbol for each in await it.broker.services.holdings()] == ["SBIN-EQ"]
        it.bench.tell(HOLDINGS, failure("AB1015"))
        assert await it.broker.services.holdings() == []
        it.bench.tell(CONVERT, success(None))
        position = BrokerPosition(account="angel", contract=CALL, product=Product.MIS, qty=-65)
        await it.broker.services.convert(position, listed(), Product.NRML, Side.SELL)
        (body,) = it.bench.bodies(CONVERT)
        assert (body["oldproducttype"], body["newproducttype"], body["quantity"], body["transactiontype"]) == (
            "INTRADAY",
            "CARRYFORWARD",
            65,
            "SELL",
        )


async def test_rules_are_for_shares_and_refused_for_derivatives() -> None:
    async with desk(connected=False) as it:
        share = msgspec.structs.replace(listed(), segment="NSE", symbol="SBIN-EQ", token="3045")
        for name in ("createRule", "modifyRule", "cancelRule"):
            it.bench.tell(f"{RULES}/{name}", success({"id": 7}))
        it.bench.tell(f"{RULES}/ruleList", success([{"id": 7, "status": "NEW"}]))
        services = it.broker.services
        assert await services.create_rule(share, Side.BUY, 10, 195_00, 196_00) == "7"
        await services.modify_rule("7", share, 5, 195_00, 196_00)
        await services.cancel_rule("7", share)
        assert [each["status"] for each in await services.rules()] == ["NEW"]
        assert it.bench.bodies(f"{RULES}/createRule")[0]["triggerprice"] == "196.00"
        with pytest.raises(Refusal) as refused:
            await services.create_rule(listed(), Side.BUY, 65, 1, 1)
        assert refused.value.code == "NO_RULES"
