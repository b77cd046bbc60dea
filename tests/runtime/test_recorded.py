"""A recording's runs: one goes on with its book until a fresh one is asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from optconsole.engine.market.recorder import Recorder
from optconsole.engine.market.recording import Header
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST, millis
from tests.engine.facts import index, option
from tests.runtime.conftest import Open, Trader

BEGINS = datetime(2026, 11, 23, 11, 0, tzinfo=IST)
CALL = option(right=Right.CALL)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three minutes of one call and its index, a frame a second."""
    path = tmp_path / "day.parquet"
    header = Header(
        day=BEGINS.date(),
        opens=BEGINS.replace(hour=9, minute=15),
        closes=BEGINS.replace(hour=15, minute=40),
        source="test",
        booked=True,
        instruments=(index(), CALL),
    )
    recorder = Recorder(path, header)
    for second in range(180):
        moment = BEGINS + timedelta(seconds=second)
        stamp, price = millis(moment), 10_000 + 5 * (second % 7)
        recorder.write(
            moment,
            [
                Quote(name="NIFTY", ts=stamp, ltp=2_450_000 + second, booked=False),
                Quote(
                    name=CALL.name,
                    ts=stamp,
                    bid=price - 5,
                    bid_qty=650,
                    ask=price + 5,
                    ask_qty=650,
                    ltp=price,
                    oi=6_500,
                ),
            ],
        )
    recorder.close()
    return path


async def test_a_run_that_has_ended_is_opened_with_its_book_until_a_fresh_one_is_asked_for(
    opened: Open, recording: Path
) -> None:
    first = await opened(replay=recording, speed=0.0, hold=True)
    await Trader(first).place(CALL, Side.SELL)
    first.feed.resume(0.0)
    await Trader(first).until(lambda: first.engine.world.clock.now() >= BEGINS + timedelta(seconds=179))
    await first.engine.settled()
    book = first.engine.state.positions
    await first.stop("over")

    again = await opened(replay=recording, speed=0.0)
    assert again.engine.state.positions == book
    assert again.engine.world.clock.now() >= BEGINS + timedelta(seconds=179)
    await again.stop("over")

    fresh = await opened(replay=recording, speed=0.0, hold=True, fresh=True)
    assert fresh.engine.state.positions == {}
    assert fresh.engine.world.clock.now() == BEGINS


async def test_an_order_in_a_replay_fills_at_the_recorded_book_of_its_moment(opened: Open, recording: Path) -> None:
    house = await opened(replay=recording, speed=0.0, hold=True, start_at="11:01:30")
    assert house.engine.world.clock.now() == BEGINS + timedelta(seconds=90)
    order = await Trader(house).place(CALL, Side.SELL)
    assert order.filled_value == CALL.lot * (10_000 + 5 * (90 % 7) - 5)
