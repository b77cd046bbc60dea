"""A broker opened again on its ledger is the same broker, however the first one ended."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from optconsole.engine.model.orders import OrderStatus, Side
from optconsole.engine.ports import Accepted
from tests.brokers.paper.stage import CALL, CAPITAL, HEDGE, INDEX, LOT, PUT, Stage, open_stage

ROOT = Path(__file__).resolve().parents[3]


async def seen(stage: Stage) -> tuple[object, ...]:
    """Everything a client can ask."""
    broker = stage.broker
    return (
        await broker.orders(),
        await broker.trades(),
        sorted(await broker.positions(), key=str),
        await broker.settlements(),
        (await broker.funds()).cash,
    )


async def test_everything_is_as_it_was(stage: Stage, tmp_path: Path) -> None:
    stage.show(CALL, (99_00, 650), (100_00, 2 * LOT), ltp=99_50)
    stage.show(PUT, (80_00, 650), (81_00, 650), ltp=80_00)
    await stage.place(stage.request(qty=3 * LOT))
    stop = await stage.place(stage.request(Side.BUY, price=92_00, trigger=90_00, instrument=PUT))
    await stage.place(stage.request(Side.SELL, price=80_00, instrument=PUT))
    gone = await stage.place(stage.request(price=5_00, instrument=HEDGE))
    await stage.broker.cancel(gone)
    await stage.modify(stop, LOT, 93_00, 91_00)
    before = await seen(stage)
    again = await open_stage(tmp_path, clock=stage.clock)
    again.show(INDEX, ltp=25_000_00, booked=False)
    assert await seen(again) == before
    await again.broker.close()


async def test_working_orders_go_on_working(stage: Stage, tmp_path: Path) -> None:
    stage.show(CALL, (99_00, 650), (100_00, LOT), ltp=99_50)
    partly = await stage.place(stage.request(qty=3 * LOT))
    stop = await stage.place(stage.request(price=112_00, trigger=110_00))
    await stage.broker.close()
    again = await open_stage(tmp_path, clock=stage.clock)
    again.show(CALL, (108_00, 650), (111_00, 10 * LOT), ltp=110_00)
    assert (await again.order(stop)).status is OrderStatus.FILLED
    again.show(CALL, (98_00, 650), (99_00, 10 * LOT), ltp=99_00)
    assert (await again.order(partly)).status is OrderStatus.FILLED
    assert len({trade.trade_id for trade in await again.broker.trades()}) == 3
    await again.broker.close()


async def test_market_time_never_falls_back_behind_what_the_exchange_did(stage: Stage, tmp_path: Path) -> None:
    """The mark is written now and then only; a kill may come long after it."""
    stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
    stage.broker.mark_time(stage.clock.now())
    stage.clock.set(stage.clock.now() + timedelta(minutes=7))
    await stage.place(stage.request())
    await stage.broker.close()
    again = await open_stage(tmp_path, clock=stage.clock)
    assert again.broker.last_time() == stage.clock.now()
    await again.broker.close()


async def test_numbers_go_on_where_they_stopped(stage: Stage, tmp_path: Path) -> None:
    first = await stage.place(stage.request())
    await stage.broker.close()
    again = await open_stage(tmp_path, clock=stage.clock)
    outcome = await again.broker.place(again.request(tag="ANOTHERTAG00001"))
    assert isinstance(outcome, Accepted)
    assert outcome.broker_id > first
    await again.broker.close()


async def test_the_market_time_is_remembered(stage: Stage, tmp_path: Path) -> None:
    assert stage.broker.last_time() is None
    stage.broker.mark_time(stage.clock.now())
    await stage.broker.close()
    again = await open_stage(tmp_path, clock=stage.clock)
    assert again.broker.last_time() == stage.clock.now()
    await again.broker.close()


TRADER = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from tests.brokers.paper.stage import CALL, HEDGE, INDEX, LOT, open_stage
from optconsole.engine.model.orders import Side
from optconsole.engine.ports import Accepted

async def main():
    stage = await open_stage(Path(sys.argv[1]))
    stage.show(INDEX, ltp=25_000_00, booked=False)
    run = sys.argv[2]
    print("ready", flush=True)
    number = 0
    while True:
        number += 1
        side = Side.BUY if number % 4 < 2 else Side.SELL
        stage.clock.set(stage.clock.now() + timedelta(milliseconds=10))
        stage.show(CALL, (100_00, (number % 5 + 1) * LOT), (100_00, (number % 7 + 1) * LOT), ltp=100_00)
        request = stage.request(side, qty=(number % 3 + 1) * LOT, price=100_00, tag=f"{run}{number:010d}")
        outcome = await stage.broker.place(request)
        if isinstance(outcome, Accepted):
            print("acked", request.tag, outcome.broker_id, flush=True)
            if number % 3 == 0:
                answer = await stage.broker.cancel(outcome.broker_id)
                if isinstance(answer, Accepted):
                    print("cancelled", outcome.broker_id, flush=True)
        for trade in stage.told_trades():
            print("traded", trade.trade_id, flush=True)
        stage.updates.clear()

asyncio.run(main())
"""


def killed_run(folder: Path, run: int, after: int) -> list[list[str]]:
    """Trade in another process and kill it once ``after`` lines were heard; all that it acknowledged before it died."""
    process = subprocess.Popen(
        [sys.executable, "-c", TRADER, str(folder), f"R{run}"],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    assert first == "ready\n", process.stderr.read()
    text = "".join(process.stdout.readline() for _ in range(after))
    process.send_signal(signal.SIGKILL)
    rest, errors = process.communicate()
    text += rest
    assert process.returncode == -signal.SIGKILL, errors
    complete = text[: text.rfind("\n") + 1]
    return [line.split() for line in complete.splitlines()]


@pytest.mark.slow
async def test_a_kill_at_any_moment_loses_nothing_acknowledged_and_keeps_the_books_true(tmp_path: Path) -> None:
    said: list[list[str]] = []
    for run, after in enumerate((1, 18, 33, 47, 90)):
        said += killed_run(tmp_path, run, after)
        with sqlite3.connect(tmp_path / "paper.db") as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            books_agree(db)
    stage = await open_stage(tmp_path)
    orders = {order.broker_id: order for order in await stage.broker.orders()}
    trades = {trade.trade_id: trade for trade in await stage.broker.trades()}
    acked = [line for line in said if line[0] == "acked"]
    assert len(acked) > 20
    for _word, tag, broker_id in acked:
        assert orders[broker_id].tag == tag
    for line in said:
        if line[0] == "traded":
            assert line[1] in trades
        if line[0] == "cancelled":
            assert orders[line[1]].status is OrderStatus.CANCELLED
    net = sum(trade.side.sign * trade.qty for trade in trades.values())
    assert await stage.net() == ({CALL.name: net} if net else {})
    await stage.broker.close()


def books_agree(db: sqlite3.Connection) -> None:
    """Orders, trades, positions and cash tell one story."""
    filled = db.execute("SELECT broker_id, filled, filled_value FROM orders WHERE filled > 0 ORDER BY 1").fetchall()
    traded = db.execute(
        "SELECT broker_id, SUM(qty), SUM(qty * price) FROM trades GROUP BY broker_id ORDER BY 1"
    ).fetchall()
    assert filled == traded
    sign = "CASE side WHEN 'BUY' THEN qty ELSE -qty END"
    ((net, flow),) = db.execute(f"SELECT COALESCE(SUM({sign}), 0), COALESCE(SUM(-({sign}) * price), 0) FROM trades")
    ((held,),) = db.execute("SELECT COALESCE(SUM(qty), 0) FROM positions")
    assert net == held
    ((moved,),) = db.execute("SELECT COALESCE(SUM(amount), 0) FROM cash WHERE kind = 'TRADE'")
    assert moved == flow
    ((capital,),) = db.execute("SELECT SUM(amount) FROM cash WHERE kind = 'CAPITAL'")
    assert capital == CAPITAL
    counts = dict(db.execute("SELECT name, value FROM counters"))
    assert counts.get("trade", 0) == db.execute("SELECT COUNT(*) FROM trades").fetchone()[0]
    assert counts.get("order", 0) == db.execute("SELECT COUNT(*) FROM orders").fetchone()[0]
