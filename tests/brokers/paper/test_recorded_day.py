"""A short straddle on a recorded day: fills at the recorded prices, cash to the paisa by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from optconsole.engine.model.instruments import Instrument, Right
from optconsole.engine.model.orders import Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST, millis
from tests.brokers.paper.stage import CAPITAL, INDEX, HandClock, Stage, open_stage, option

DAY = date(2025, 8, 29)
EXPIRY = date(2025, 9, 2)
LOT = 75
STRIKE = 24_500


def contract(right: Right) -> Instrument:
    last = datetime(2025, 9, 2, 15, 30, tzinfo=IST)
    return msgspec.structs.replace(option(STRIKE, right, EXPIRY), lot=LOT, last_trade=last)


LEGS = {Right.CALL: contract(Right.CALL), Right.PUT: contract(Right.PUT)}


@pytest.fixture(scope="module")
def snapshots(shared_data: Path) -> list[dict[str, Any]]:
    table = pq.read_table(shared_data / "chains" / "nse_nifty_chain_2025-08-29.parquet")
    chosen = table.filter((pc.field("expiry") == EXPIRY) & (pc.field("strike_price") == STRIKE))
    return sorted(chosen.to_pylist(), key=lambda row: row["collected_at"])


def paise(rupees: float) -> int:
    return round(rupees * 100)


def quote(row: dict[str, Any], right: Right, now: datetime) -> Quote:
    word = "calls" if right is Right.CALL else "puts"
    return Quote(
        name=LEGS[right].name,
        ts=millis(now),
        bid=paise(row[f"{word}_bid_price"]) or None,
        bid_qty=row[f"{word}_bid_qty"],
        ask=paise(row[f"{word}_ask_price"]) or None,
        ask_qty=row[f"{word}_ask_qty"],
        ltp=paise(row[f"{word}_ltp"]),
    )


async def play_until(stage: Stage, rows: list[dict[str, Any]], moment: datetime) -> dict[Right, Quote]:
    """Show the recording up to a moment; the quotes then in force."""
    shown: dict[Right, Quote] = {}
    while rows and rows[0]["collected_at"].replace(tzinfo=IST) <= moment:
        row = rows.pop(0)
        stage.clock.set(row["collected_at"].replace(tzinfo=IST))
        shown = {right: quote(row, right, stage.clock.now()) for right in LEGS}
        spot = STRIKE * 100 + (shown[Right.CALL].mid or 0) - (shown[Right.PUT].mid or 0)
        index = Quote(name="NIFTY", ts=millis(stage.clock.now()), ltp=spot, booked=False)
        stage.broker.on_quotes([index, *shown.values()])
    return shown


def charges(side: Side, value: int) -> int:
    """By hand, the rates of August 2025 (market.md 9): STT 0.1 % of what is sold, NSE 0.03503 % plus 0.0005 % without
    GST, SEBI 0.0001 %, stamp 0.003 % of what is bought, 20 rupees an order, GST 18 %."""
    rupees = Decimal(value) / 100
    exchange, fund, sebi = (rupees * Decimal(rate) for rate in ("0.0003503", "0.000005", "0.000001"))
    duty = rupees * (Decimal("0.001") if side is Side.SELL else Decimal("0.00003"))
    return round(100 * (20 + exchange + fund + sebi + duty + Decimal("0.18") * (20 + exchange + sebi)))


async def test_a_short_straddle_trades_at_the_recorded_prices(snapshots: list[dict[str, Any]], tmp_path: Path) -> None:
    rows = list(snapshots)
    clock = HandClock(datetime(2025, 8, 29, 9, 20, tzinfo=IST))
    stage = await open_stage(tmp_path, clock=clock, listed=[INDEX, *LEGS.values()])
    sold = await play_until(stage, rows, datetime(2025, 8, 29, 9, 30, 30, tzinfo=IST))
    for right, leg in LEGS.items():
        bid = sold[right].bid
        assert bid is not None
        await stage.place(stage.request(Side.SELL, LOT, bid - 2_00 - bid % 5, leg))
    bought = await play_until(stage, rows, datetime(2025, 8, 29, 15, 0, tzinfo=IST))
    for right, leg in LEGS.items():
        ask = bought[right].ask
        assert ask is not None
        await stage.place(stage.request(Side.BUY, LOT, ask + 2_00 - ask % 5, leg))
    trades = await stage.broker.trades()
    assert [trade.price for trade in trades] == [
        sold[Right.CALL].bid,
        sold[Right.PUT].bid,
        bought[Right.CALL].ask,
        bought[Right.PUT].ask,
    ]
    gross = sum(-trade.side.sign * trade.qty * trade.price for trade in trades)
    by_hand = gross - sum(charges(trade.side, trade.qty * trade.price) for trade in trades)
    assert (await stage.broker.funds()).cash == CAPITAL + by_hand
    assert await stage.net() == {}
    await stage.broker.close()


async def test_resting_orders_only_ever_trade_inside_the_recorded_book(
    snapshots: list[dict[str, Any]], tmp_path: Path
) -> None:
    rows = list(snapshots)
    clock = HandClock(datetime(2025, 8, 29, 9, 20, tzinfo=IST))
    stage = await open_stage(tmp_path, clock=clock, listed=[INDEX, *LEGS.values()])
    leg, side, filled = LEGS[Right.CALL], Side.BUY, 0
    while rows:
        moment = rows[0]["collected_at"].replace(tzinfo=IST)
        shown = (await play_until(stage, rows, moment))[Right.CALL]
        for trade in stage.told_trades():
            best, size = (shown.ask, shown.ask_qty) if trade.side is Side.BUY else (shown.bid, shown.bid_qty)
            assert trade.price == best
            assert trade.qty <= size
            filled += 1
        stage.updates.clear()
        working = [order for order in await stage.broker.orders() if order.status.working]
        if not working and shown.mid is not None:
            side = side.opposite
            await stage.place(stage.request(side, LOT, shown.mid // 5 * 5, leg))
    assert filled > 10
    await stage.broker.close()
