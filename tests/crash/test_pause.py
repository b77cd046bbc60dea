"""A machine that sleeps for ten minutes, and a wall clock that jumps, under a real engine with orders on their way."""

from __future__ import annotations

import asyncio
import signal

import msgspec
import pytest

from optconsole.engine.commands import CancelOrder, Flatten, ModifyOrder
from optconsole.engine.model.orders import OrderStatus, OrderType, Side
from tests.crash import market
from tests.crash.checker import Checker, stored_rows
from tests.crash.engine_process import JOURNAL
from tests.crash.market import CALL, PUT
from tests.crash.trader import Trader, order

pytestmark = pytest.mark.asyncio(loop_scope="session")
NAP = 600.0
HOUR = 3600.0


async def nap(trader: Trader) -> None:
    """The engine is asleep: the market moves meanwhile, ten minutes pass, it wakes up."""
    await trader.engine.asleep()
    await trader.exchange.show(market.quote(trader.clock, CALL, 108_00), market.quote(trader.clock, PUT, 126_00))
    trader.clock.pass_by(NAP)
    trader.engine.send(signal.SIGCONT)


async def judged(trader: Trader) -> list[str]:
    """What the judge finds at the end of a day without deaths."""
    shown, truth = await trader.state(), await trader.exchange.tell()
    await trader.stop()
    return Checker(truth, trader.home / JOURNAL, trader.heard, shown, strikes=0).judge()


async def placed(trader: Trader) -> list[str]:
    """Tags that reached the exchange, by role."""
    return [call.tag for call in (await trader.exchange.tell()).calls if call.verb == "place"]


async def test_an_entry_that_slept_between_its_intent_and_its_send_is_not_sent(trader: Trader) -> None:
    """O19, H08, I-25: the machine sleeps just after the intent became durable."""
    await trader.exchange.trap("store committed", signal.SIGSTOP)
    await trader.settle()
    asked = asyncio.create_task(trader.submit(order("entry", CALL, Side.BUY, 1, OrderType.LIMIT, 101_00)))
    await nap(trader)
    await asked
    await trader.settle()
    assert await placed(trader) == []
    order_state = (await trader.state()).orders["O1"]
    assert (order_state.status, order_state.reason_code) == (OrderStatus.REJECTED, "NOT_SENT")


async def test_an_entry_whose_command_slept_in_the_socket_is_not_sent(trader: Trader) -> None:
    """O19, H08, I-25: the machine sleeps before the command is read."""
    await trader.settle()
    trader.engine.send(signal.SIGSTOP)
    await trader.engine.asleep()
    entry = order("entry", CALL, Side.BUY, 1, OrderType.LIMIT, 101_00)
    asked = asyncio.create_task(trader.submit(msgspec.structs.replace(entry, asked=trader.clock.monotonic())))
    await asyncio.sleep(0)
    await nap(trader)
    assert (await asked).code == "STALE_COMMAND"
    await trader.settle()
    assert await placed(trader) == []


async def test_an_exit_that_slept_is_sent_once_and_stops_work_on(trader: Trader) -> None:
    """O19, H08: exits never expire. A stop triggers at the exchange while the engine sleeps on a flatten."""
    await trader.place("long", CALL, Side.BUY, 2)
    await trader.place("short", PUT, Side.SELL, 1)
    await trader.place("stop", PUT, Side.BUY, 1, OrderType.SL_M, trigger=125_00)
    await trader.exchange.trap("send cancel", signal.SIGSTOP)
    await trader.settle()
    asked = asyncio.create_task(trader.submit(Flatten(id="flat", actor="key:crash")))
    await nap(trader)
    assert (await asked).ok
    await trader.settle()
    await trader.until_flat()
    exits = [row for row in (await trader.exchange.tell()).books.orders if row.tag[10] == "X"]
    assert {row.contract for row in exits} == {CALL.name}, "the stop has closed the short"
    assert sum(row.filled for row in exits) == 2 * CALL.lot
    assert await judged(trader) == []


async def test_a_closing_order_that_slept_before_its_send_still_leaves(trader: Trader) -> None:
    """O19: the machine sleeps between the durable intent of an exit and its send."""
    await trader.place("long", CALL, Side.BUY, 2)
    await trader.exchange.trap("send place", signal.SIGSTOP)
    await trader.settle()
    asked = asyncio.create_task(trader.submit(Flatten(id="flat", actor="key:crash")))
    await nap(trader)
    await asked
    await trader.settle()
    await trader.until_flat()
    assert [tag[10] for tag in await placed(trader)] == ["E", "X"]
    assert await judged(trader) == []


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_stepped_wall_clock_sends_nothing_twice(trader: Trader, jump: float) -> None:
    """H09: the wall clock jumps by an hour under an order on its way, and a restart happens after the jump."""
    resting = await trader.place("rest", CALL, Side.BUY, 1, OrderType.LIMIT, 95_00)
    await trader.exchange.arm("place", "late", 0.2)
    asked = asyncio.create_task(trader.submit(order("late", CALL, Side.BUY, 1, OrderType.LIMIT, 101_00)))
    await asyncio.sleep(0)
    trader.clock.step(jump)
    await asked
    await trader.ask(ModifyOrder(id="move", actor="key:crash", order_id=resting, price=96_00))
    await trader.ask(CancelOrder(id="cancel", actor="key:crash", order_id=resting))
    await trader.stop()
    await trader.rise()
    await trader.settle()
    await trader.place("after", CALL, Side.BUY, 1)
    await trader.ask(Flatten(id="flat", actor="key:crash"))
    await trader.until_flat()
    assert await judged(trader) == []


async def test_a_stepped_wall_clock_raises_an_alarm(trader: Trader) -> None:
    """H09: a skew of more than a second is an alarm that names the clock."""
    await trader.settle()
    trader.clock.step(HOUR)
    await trader.place("after", CALL, Side.BUY, 1, OrderType.LIMIT, 95_00)
    await asyncio.sleep(0.5)  # two beats of the engine's own watch
    await trader.settle()
    await trader.stop()
    rows, _ = stored_rows(trader.home / JOURNAL)
    assert [row for row in rows if row.body.get("level") == "alarm" and "clock" in row.body["text"].lower()]
