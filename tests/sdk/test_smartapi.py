"""Angel One's own SDK against our rehearsal of it: it must not notice, and must see what the ledger holds."""

from __future__ import annotations

import random
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.brokers.rehearsal.smartapi.dialect import SmartApi
from optconsole.brokers.rehearsal.smartapi.packets import Offer, StreamMode, Tick, packet
from optconsole.engine.model.orders import OrderStatus
from tests.brokers.paper.stage import CALL, DAY
from tests.brokers.rehearsal.stage import a_still_market
from tests.sdk.environments import run_sdk, sdk_python

PACKAGES = ("smartapi-python==1.5.5", "logzero==1.7.0", "websocket-client==1.9.2", "pyotp==2.12.0")
"""The SDK names neither of the last three, and cannot be imported without the first two of them."""
HERE = Path(__file__).parent
PACKETS = 250

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python() -> Path:
    return sdk_python("smartapi", PACKAGES)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    market = await a_still_market(tmp_path)
    served = await serve(SmartApi(market, caps={}), market)
    yield served
    await served.close()
    await market.close()


async def test_a_day_over_the_sdk_is_the_ledgers_day(python: Path, served: Served, tmp_path: Path) -> None:
    scrip = served.dialect.catalogue.of(CALL.name)  # type: ignore[attr-defined]
    contract = {"symbol": scrip.symbol, "token": scrip.token, "segment": scrip.segment}
    task = served.ready | {"contract": contract, "name": CALL.name, "day": str(DAY)}
    seen = await run_sdk(python, HERE / "smartapi_day.py", task, tmp_path)
    assert seen["login"]["data"]["clientcode"] == served.credentials["client_code"]
    assert [said["status"] for said in seen["empty"]] == [True] * 5
    assert [said["data"] for said in seen["empty"][:4]] == [None] * 4
    assert float(seen["ltp"]["ltp"]) == seen["quote"]["fetched"][0]["ltp"] == 100.0
    assert seen["search"][0]["symboltoken"] == contract["token"]
    assert (seen["no_order"], seen["renewed"], seen["out"]) == (None, True, True)
    assert seen["after"]["success"] is False
    assert 0 < seen["margin"]["totalMarginRequired"] < float(seen["funds"]["net"])
    assert seen["candles"][0][1:5] == [100.0, 100.0, 96.8, 96.8]
    _ticks_are_the_market(seen["ticks"], contract["token"])
    await _orders_are_the_ledgers(seen, served.market)


def _ticks_are_the_market(ticks: list[dict[str, Any]], token: str) -> None:
    assert {tick["token"] for tick in ticks} == {token}
    assert sorted(tick["subscription_mode"] for tick in ticks[:3]) == [1, 2, 3]
    assert {tick["last_traded_price"] for tick in ticks} == {100_00, 96_80}
    snap = next(tick for tick in ticks if tick["subscription_mode"] == 3)
    assert snap["best_5_buy_data"][0]["price"] == 99_95
    assert snap["best_5_sell_data"][0]["price"] == 100_05
    assert snap["closed_price"] == 95_00


async def _orders_are_the_ledgers(seen: dict[str, Any], market: Market) -> None:
    rows = {row["ordertag"]: row for row in seen["book"]}
    assert {tag: row["orderid"] for tag, row in rows.items()} == seen["orderids"]
    truth = {order.tag: order for order in await market.broker.orders()}
    assert set(rows) == {*truth, "SDKBAD"}  # the exchange never heard of what the risk desk refused
    words = {OrderStatus.FILLED: "complete", OrderStatus.CANCELLED: "cancelled"}
    for tag, order in truth.items():
        row = rows[tag]
        assert (row["orderstatus"], int(row["quantity"]), int(row["filledshares"])) == (
            words[order.status],
            order.qty,
            order.filled,
        )
    assert rows["SDKBAD"]["orderstatus"] == "rejected"
    assert seen["one"]["orderid"] == seen["orderids"]["SDKREST"]
    trades = [(row["transactiontype"], int(row["fillsize"]), row["fillprice"]) for row in seen["trades"]]
    fills = await market.broker.trades()
    assert trades == [(fill.side.value, fill.qty, f"{fill.price / 100:.2f}") for fill in fills]
    assert [int(row["netqty"]) for row in seen["positions"]] == [0]
    assert await market.broker.positions() == []
    states: dict[str, list[str]] = {}
    for frame in seen["frames"]:
        states.setdefault(frame["orderData"]["ordertag"], []).append(frame["order-status"])
    assert states[""] == ["AB00"]
    assert states["SDKBUY"] == ["AB09", "AB01", "AB05"]
    assert states["SDKREST"] == ["AB09", "AB01", "AB04", "AB01", "AB02"]
    assert states["SDKSTOP"] == ["AB09", "AB10", "AB01", "AB05"]
    assert states["SDKBAD"] == ["AB03"]


async def test_the_sdks_parser_reads_our_packets_of_every_mode(python: Path, tmp_path: Path) -> None:
    draw = random.Random("packets")
    ticks = [_a_tick(draw) for _each in range(PACKETS)]
    task = [packet(mode, tick).hex() for mode in StreamMode for tick in ticks]
    parsed = await run_sdk(python, HERE / "smartapi_packets.py", task, tmp_path)
    expected = [_as_parsed(mode, tick) for mode in StreamMode for tick in ticks]
    assert parsed == expected


def _a_tick(draw: random.Random) -> Tick:
    wide = [draw.randrange(2**62) for _each in range(14)]
    return Tick(
        segment=draw.choice([1, 2, 3, 4, 5, 7, 13]),
        token=str(draw.randrange(10 ** draw.randrange(1, 26))),
        sequence=wide[0],
        at=wide[1],
        ltp=wide[2],
        last_qty=wide[3],
        average=wide[4],
        volume=wide[5],
        buy_qty=float(draw.randrange(2**40)),
        sell_qty=float(draw.randrange(2**40)),
        open=wide[6],
        high=wide[7],
        low=wide[8],
        close=wide[9],
        traded_at=wide[10],
        oi=wide[11],
        oi_change=draw.uniform(-100, 100),
        buys=_a_side(draw),
        sells=_a_side(draw),
        upper=wide[12],
        lower=wide[13],
        year_high=draw.randrange(2**62),
        year_low=draw.randrange(2**62),
    )


def _a_side(draw: random.Random) -> tuple[Offer, ...]:
    levels = draw.randrange(21)
    return tuple(Offer(draw.randrange(2**31), draw.randrange(2**31), draw.randrange(2**15)) for _each in range(levels))


def _as_parsed(mode: StreamMode, tick: Tick) -> dict[str, Any]:
    """What the SDK must make of a packet, in its own words."""
    head = {"subscription_mode": int(mode), "exchange_type": tick.segment, "token": tick.token}
    if mode is StreamMode.DEPTH20:
        return head | {
            "exchange_timestamp": tick.at,
            "packet_received_time": tick.at,
            "depth_20_buy_data": _levels(tick.buys, 20, "num_of_orders"),
            "depth_20_sell_data": _levels(tick.sells, 20, "num_of_orders"),
        }
    names = {StreamMode.LTP: "LTP", StreamMode.QUOTE: "QUOTE", StreamMode.SNAP: "SNAP_QUOTE"}
    found: dict[str, Any] = head | {
        "sequence_number": tick.sequence,
        "exchange_timestamp": tick.at,
        "last_traded_price": tick.ltp,
        "subscription_mode_val": names[mode],
    }
    if mode is StreamMode.LTP:
        return found
    found |= {
        "last_traded_quantity": tick.last_qty,
        "average_traded_price": tick.average,
        "volume_trade_for_the_day": tick.volume,
        "total_buy_quantity": tick.buy_qty,
        "total_sell_quantity": tick.sell_qty,
        "open_price_of_the_day": tick.open,
        "high_price_of_the_day": tick.high,
        "low_price_of_the_day": tick.low,
        "closed_price": tick.close,
    }
    if mode is StreamMode.QUOTE:
        return found
    return found | {
        "last_traded_timestamp": tick.traded_at,
        "open_interest": tick.oi,
        "open_interest_change_percentage": struct.unpack("<q", struct.pack("<d", tick.oi_change))[0],
        "upper_circuit_limit": tick.upper,
        "lower_circuit_limit": tick.lower,
        "52_week_high_price": tick.year_high,
        "52_week_low_price": tick.year_low,
        "best_5_buy_data": [{"flag": 1} | level for level in _levels(tick.buys, 5, "no of orders")],
        "best_5_sell_data": [{"flag": 0} | level for level in _levels(tick.sells, 5, "no of orders")],
    }


def _levels(side: Any, count: int, orders: str) -> list[dict[str, int]]:
    filled = [*side[:count], *[Offer(0, 0, 0)] * (count - len(side))]
    return [{"quantity": level.qty, "price": level.price, orders: level.orders} for level in filled]
