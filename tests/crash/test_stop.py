"""An engine that ends, in good order or not, while something is on its way."""

from __future__ import annotations

import signal

import pytest

from optconsole.engine.commands import Flatten
from optconsole.engine.model.orders import OrderType, Side
from tests.crash.checker import stored_rows
from tests.crash.engine_process import JOURNAL
from tests.crash.market import CALL, PUT
from tests.crash.test_pause import judged
from tests.crash.trader import Trader, order

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_stop_waits_for_the_answer_under_way_and_leaves_stops_at_the_exchange(trader: Trader) -> None:
    """H14: SIGTERM between a send and its answer."""
    await trader.place("short", PUT, Side.SELL, 1)
    await trader.place("stop", PUT, Side.BUY, 1, OrderType.SL_M, trigger=125_00)
    await trader.exchange.arm("place", "slow", 0.4)
    await trader.submit(order("long", CALL, Side.BUY, 1))
    assert await trader.stop() == 0
    rows, faults = stored_rows(trader.home / JOURNAL)
    assert faults == []
    assert rows[-1].type == "EngineStopped"
    assert "OrderAcknowledged" in [row.type for row in rows if row.body.get("order_id") == "O3"]
    books = (await trader.exchange.tell()).books
    assert [(row.contract, row.status.value) for row in books.orders if not row.status.final] == [
        (PUT.name, "TRIGGER_PENDING")
    ]
    await trader.rise()
    await trader.ask(Flatten(id="flat", actor="key:crash"))
    await trader.until_flat()
    assert await judged(trader) == []


async def test_an_exit_that_died_with_the_engine_is_an_alarm(trader: Trader) -> None:
    """H03, I-9: the closing order of a flatten is durable, and the machine dies before it leaves."""
    await _flatten_and_die(trader)
    state = await trader.state()
    assert [(row.level, row.subject) for row in state.notices if row.code == "ORDER_NOT_SENT"] == [("alarm", "O2")]


async def test_a_flatten_whose_exit_died_with_the_engine_is_taken_up_again(trader: Trader) -> None:
    """O19: a wish to be flat is kept until it is carried out; one that dies a moment earlier is."""
    await _flatten_and_die(trader)
    assert (await trader.exchange.tell()).books.positions == ()


async def _flatten_and_die(trader: Trader) -> None:
    await trader.place("long", CALL, Side.BUY, 1)
    await trader.exchange.trap("send place", signal.SIGKILL)
    await trader.settle()
    await trader.ask(Flatten(id="flat", actor="key:crash"))
    await trader.until_flat()
    assert trader.heard.ends == [-signal.SIGKILL]
