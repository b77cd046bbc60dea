"""What today's engine is known to break, as scripts. Closing a gap turns its test red: then take away both marks.

The marks are the ``xfail`` here and the gap's name in ``KNOWN_GAPS``, which lets long runs go on past it, or the
verb's name in ``AWAITED``, which keeps runs from drawing it.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from optconsole.brokers.paper.orders import Batch
from optconsole.engine import events as ev
from optconsole.engine.commands import (
    CancelAll,
    CancelOrder,
    EngageKill,
    Flatten,
    PlaceOrder,
    ReleaseKill,
    Scope,
    ScopeKind,
)
from optconsole.engine.model.limits import Standing
from optconsole.engine.model.orders import OrderTerms, OrderType, Product, Side
from optconsole.engine.ports import BrokerTrade
from tests.simulation.court import ASLEEP
from tests.simulation.market import LOT
from tests.simulation.script import CALL, Scene, play
from tests.simulation.venue import LAGGY, PLAIN
from tests.simulation.verbs import AWAITED
from tests.simulation.world import KNOWN_GAPS

SCRIPTED = {
    "ws.impossible": "test_a_row_no_exchange_can_mean_changes_no_position",
    "ex.clone": "test_a_second_order_under_our_tag_is_counted_beside_the_first",
}


def broken(script: object, *dialects: object, woken: frozenset[str] = frozenset()) -> set[str]:
    return {breach.invariant for breach in play(script, *dialects, woken=woken)}  # type: ignore[arg-type]


def gap(name: str) -> pytest.MarkDecorator:
    return pytest.mark.xfail(strict=True, raises=AssertionError, reason=name)


def test_every_gap_and_every_verb_that_is_spared_has_its_script() -> None:
    assert SCRIPTED.keys() == KNOWN_GAPS | AWAITED.keys()
    assert all(name in globals() for name in SCRIPTED.values())
    assert all(len(waits) > 20 for waits in (*AWAITED.values(), *ASLEEP.values()))


def test_a_plain_day_by_script_breaks_nothing() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        assert (await scene.place(Side.BUY, 2)).ok
        assert (await scene.ask(Flatten(id="f", actor="key:sim"))).ok
        scene.simulation.checker.reconciled()
        assert not scene.venue.held()

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


def test_an_entry_that_waits_for_the_rate_budget_does_not_leave_after_a_kill() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        await asyncio.sleep(3)
        fields = {"account": scene.venue.account.id, "contract": CALL, "side": Side.BUY, "type": OrderType.LIMIT}
        for lots in range(1, 10):
            terms = OrderTerms(**fields, qty=LOT, price=50_00 + lots * 5)  # type: ignore[arg-type]
            assert (await scene.engine.submit(PlaceOrder(id=f"q{lots}", actor="key:sim", terms=terms))).ok
        assert (await scene.ask(EngageKill(id="k", actor="key:sim"))).ok
        await asyncio.sleep(5)
        assert all(order.status.final for order in scene.engine.state.orders.values())

    assert "I-13" not in broken(script)


def test_a_position_on_an_account_that_no_broker_serves_does_not_keep_a_kill_from_the_others() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        gone = msgspec.structs.replace(scene.venue.account, id="gone")
        fields = {"account": "gone", "product": Product.NRML, "contract": CALL, "lot": LOT, "price": 100_00}
        await scene.engine._inbox.state([ev.AccountOpened(account=gone), ev.PositionAdopted(**fields, qty=-LOT)])  # type: ignore[arg-type]
        assert (await scene.place(Side.SELL, 2)).ok
        await scene.ask(EngageKill(id="k", actor="key:sim"))
        await asyncio.sleep(5)
        held = {name: position.qty for name, position in scene.engine.state.positions.items() if position.qty}
        assert held == {f"gone/NRML/{CALL}": -LOT}

    play(script)


def test_an_order_of_somebody_else_is_not_cancelled_unless_adopted() -> None:
    async def script(scene: Scene) -> None:
        scene.venue.foreign(CALL, Side.BUY, LOT, 90_00)
        await asyncio.sleep(1)
        (order,) = scene.engine.state.orders.values()
        await scene.ask(CancelOrder(id="c", actor="key:sim", order_id=order.id))

    assert "I-24" not in broken(script)


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


def test_a_kill_goes_on_until_it_is_flat() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        await scene.place(Side.BUY, 4)
        await scene.show(100_00, 1)
        await scene.ask(EngageKill(id="k", actor="key:sim"))
        closing = next(order for order in scene.engine.state.orders.values() if order.tag[10:11] == "K")
        refused = await scene.ask(CancelOrder(id="c", actor="key:sim", order_id=closing.id))
        assert refused.code == "CLOSING"
        for second in range(20):
            await scene.show(100_00 - second * 5, 1)
            await asyncio.sleep(1)
        scene.simulation.checker.quiet()

    assert "I-13" not in broken(script)


def test_an_exit_goes_before_a_resting_order_of_ours_with_which_it_would_trade() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        await scene.place(Side.BUY, 1, product=Product.MIS)
        assert (await scene.place(Side.BUY, 1, price=100_05)).ok
        scope = Scope(ScopeKind.POSITION, f"SIM1/MIS/{CALL}")
        assert (await scene.ask(Flatten(id="f", actor="key:sim", scope=scope))).ok
        await scene.wait(20)
        assert not scene.venue.held()

    assert play(script) == []


def test_a_book_that_does_not_answer_is_told_after_ten_seconds() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        await scene.place(Side.BUY, 1, price=98_00)
        scene.order("read.trickle", times=99, seconds=20)
        await scene.wait(20)
        assert scene.simulation.checker.alarmed(("BOOK_UNREADABLE",), 0.0)

    assert "I-26" not in broken(script)


def test_a_trade_that_a_lagging_book_did_not_show_is_found_later() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        await scene.place(Side.BUY, 1, price=98_00)
        await scene.simulation.bury(crash=True)
        await asyncio.sleep(5)
        scene.market_at(97_00, 9)
        await scene.simulation.rise()
        await asyncio.sleep(40)
        scene.simulation.checker.reconciled()

    assert "I-5" not in broken(script, LAGGY)


def test_an_order_left_in_doubt_by_a_crash_raises_an_alarm() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        scene.order("place.slow", seconds=60)
        task = asyncio.ensure_future(scene.place(Side.BUY, 1, price=98_00))
        await asyncio.sleep(0.02)
        await scene.crash()
        task.cancel()
        await scene.wait(10)

    assert "I-17" not in broken(script)


def test_a_kill_sells_nothing_that_somebody_else_has_sold() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        await scene.place(Side.BUY, 1)
        scene.order("ws.freeze", seconds=60)
        scene.simulation.checker.foreign("SIM1", scene.venue.close_leg(0))
        assert not scene.venue.held()
        await scene.ask(EngageKill(id="k", actor="key:sim"))
        await asyncio.sleep(5)

    assert "I-13" not in broken(script)


def test_a_clock_that_steps_does_not_shorten_the_hold_of_a_kill() -> None:
    async def script(scene: Scene) -> None:
        await scene.ask(EngageKill(id="k", actor="key:sim"))
        scene.simulation.machine.off = timedelta(hours=1)
        await scene.ask(ReleaseKill(id="r", actor="key:sim", typed="UNLOCK"))

    assert "I-13" not in broken(script)


def test_a_clock_that_steps_lets_no_entry_out_after_the_close() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        scene.simulation.clock.jump(scene.simulation.clock.now().replace(hour=15, minute=45))
        scene.simulation.machine.off = timedelta(hours=-1)
        await scene.place(Side.BUY, 1)

    assert "I-25" not in broken(script)


def test_a_row_no_exchange_can_mean_changes_no_position() -> None:
    async def script(scene: Scene) -> None:
        scene.order("ws.impossible", when=lambda update: isinstance(update, BrokerTrade))
        await scene.show(100_00, 9)
        await scene.place(Side.BUY, 2)
        await asyncio.sleep(5)
        scene.simulation.checker.reconciled()

    assert not {"I-5", "I-7"} & broken(script)


def test_a_second_order_under_our_tag_is_counted_beside_the_first() -> None:
    async def script(scene: Scene) -> None:
        scene.order("ex.clone")
        await scene.show(100_00, 9)
        await scene.place(Side.BUY, 1)
        await asyncio.sleep(5)
        scene.simulation.checker.reconciled()
        assert len(scene.engine.state.orders) == 2
        frozen = scene.engine.state.scopes["account:SIM1"]
        assert (frozen.standing, frozen.why[:11]) == (Standing.REDUCING, "SENTINEL_I2")

    assert not {"I-5", "I-6"} & broken(script)


def test_two_brokers_may_give_their_orders_the_same_number() -> None:
    async def script(scene: Scene) -> None:
        first, second = scene.simulation.venues
        second.books.keep(Batch(counters={"order": 0, "trade": 0}))
        await scene.show(100_00, 9)
        await scene.place(Side.BUY, 1, price=95_00)
        second.foreign(CALL, Side.BUY, LOT, 105_00)
        await asyncio.sleep(5)
        assert first.books.orders.keys() == second.books.orders.keys()
        scene.simulation.checker.reconciled()

    assert not {"I-5", "I-6"} & broken(script, PLAIN, PLAIN)
