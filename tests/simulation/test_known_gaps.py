"""What today's engine is known to break, as scripts. Closing a gap turns its test red: then take away both marks.

The marks are the ``xfail`` here and the gap's name in ``KNOWN_GAPS``, which lets long runs go on past it.
"""

from __future__ import annotations

import asyncio

from optconsole.engine.commands import CancelAll, CancelOrder, EngageKill, Flatten
from optconsole.engine.model.orders import Side
from optconsole.engine.ports import BrokerTrade
from tests.simulation.market import LOT
from tests.simulation.script import CALL, Scene, play


def broken(script: object) -> set[str]:
    return {breach.invariant for breach in play(script)}  # type: ignore[arg-type]


def test_a_plain_day_by_script_breaks_nothing() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        assert (await scene.place(Side.BUY, 2)).ok
        assert (await scene.ask(Flatten(id="f", actor="key:sim"))).ok
        scene.simulation.checker.reconciled()
        assert not scene.simulation.network.exchange._books.holdings

    assert play(script) == []


def test_every_answered_command_leaves_a_fact() -> None:
    async def script(scene: Scene) -> None:
        await scene.ask(CancelAll(id="c", actor="key:sim"))

    assert "I-22" not in broken(script)


def test_a_second_kill_leaves_a_fact() -> None:
    async def script(scene: Scene) -> None:
        await scene.ask(EngageKill(id="k1", actor="key:sim"))
        await scene.ask(EngageKill(id="k2", actor="key:sim"))

    assert "I-22" not in broken(script)


def test_a_command_sent_again_after_a_crash_is_not_carried_out_twice() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        await scene.place(Side.BUY, 1, name="same")
        await scene.crash()
        await scene.place(Side.BUY, 1, name="same")

    assert "I-2" not in broken(script)


def test_an_order_of_somebody_else_is_not_cancelled_unless_adopted() -> None:
    async def script(scene: Scene) -> None:
        scene.simulation.network.foreign(CALL, Side.BUY, LOT, 90_00)
        await asyncio.sleep(1)
        assert scene.simulation.life is not None
        (order,) = scene.simulation.life.engine.state.orders.values()
        await scene.ask(CancelOrder(id="c", actor="key:sim", order_id=order.id))

    assert "I-24" not in broken(script)


def test_a_kill_goes_on_until_it_is_flat() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        await scene.place(Side.BUY, 4)
        await scene.show(100_00, 1)
        await scene.ask(EngageKill(id="k", actor="key:sim"))
        life = scene.simulation.life
        assert life is not None
        closing = next(order for order in life.engine.state.orders.values() if order.tag[10:11] == "K")
        refused = await scene.ask(CancelOrder(id="c", actor="key:sim", order_id=closing.id))
        assert refused.code == "CLOSING"
        for second in range(20):
            await scene.show(100_00 - second * 5, 1)
            await asyncio.sleep(1)
        scene.simulation.checker.quiet()

    assert "I-13" not in broken(script)


def test_a_flatten_does_not_close_more_than_is_open_when_a_trade_report_is_late() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        await scene.place(Side.BUY, 4)
        await scene.place(Side.SELL, 2, price=102_00)
        scene.lose(BrokerTrade)
        await scene.show(102_10, 1)
        await scene.ask(Flatten(id="f", actor="key:sim"))
        await asyncio.sleep(5)

    assert "I-11" not in broken(script)
