"""Two engine processes on one home: the second is refused, whatever the first is doing; and an exchange that dies."""

from __future__ import annotations

import signal

import pytest

from optconsole.engine.commands import Flatten
from optconsole.engine.model.orders import Side
from optconsole.engine.store.lock import FILE
from tests.crash.market import CALL, FAR
from tests.crash.test_pause import judged, placed
from tests.crash.trader import Trader, order

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def refused(trader: Trader) -> str:
    """Start one more engine on the home; the code of its refusal."""
    child = await trader.start_engine()
    words = await child.ready()
    assert words is not None
    assert await child.gone() == 1
    return str(words.get("refused"))


async def test_a_second_engine_on_a_home_is_refused_and_the_first_goes_on(trader: Trader) -> None:
    """S10: also while the first is asleep, and when somebody has removed its lock file: the store has a lock too."""
    await trader.place("long", CALL, Side.BUY, 1)
    assert await refused(trader) == "ENGINE_RUNNING"
    trader.engine.send(signal.SIGSTOP)
    await trader.engine.asleep()
    assert await refused(trader) == "ENGINE_RUNNING"
    (trader.home / FILE).unlink()
    assert await refused(trader) == "ENGINE_RUNNING"
    trader.engine.send(signal.SIGCONT)
    await trader.place("more", FAR, Side.BUY, 1)
    await trader.ask(Flatten(id="flat", actor="key:crash"))
    await trader.until_flat()
    assert {call.life for call in (await trader.exchange.tell()).calls} == {1}
    assert len(await placed(trader)) == 4
    assert await judged(trader) == []


async def test_an_order_whose_exchange_died_after_taking_it_is_found_in_its_ledger(trader: Trader) -> None:
    """O18: the answer died with the exchange's machine; the order is found by its tag when both are back."""
    await trader.exchange.arm("place", "die")
    command = order("long", CALL, Side.BUY, 1)
    await trader.submit(command)
    await trader.bring_back_exchange()
    assert await trader.stop() == 0
    await trader.rise()
    await trader.settle()
    state = await trader.state()
    assert [(row.id, row.filled) for row in state.orders.values()] == [("O1", command.terms.qty)]
    await trader.ask(Flatten(id="flat", actor="key:crash"))
    await trader.until_flat()
    assert await judged(trader) == []
