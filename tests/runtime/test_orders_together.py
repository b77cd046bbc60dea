"""Parents, brackets, groups and reversals against the paper exchange and a real journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from optconsole.engine.commands import AnyCommand, CancelOrder, PlaceGroup, PlaceOrder, Reply, Reverse, Scope, ScopeKind
from optconsole.engine.model.groups import GroupKind
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderStatus, OrderTerms, OrderType, Role, Side
from optconsole.engine.model.parents import ParentStatus
from tests.runtime.conftest import Open, Trader

pytestmark = pytest.mark.parametrize("home", ["sqlite"], indirect=True)


def terms(instrument: Instrument, side: Side, lots: int, price: int | None = None) -> OrderTerms:
    return OrderTerms(
        account="paper",
        contract=instrument.name,
        side=side,
        qty=lots * instrument.lot,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        price=price,
    )


class Desk(Trader):
    """A trader who also waits for what follows from an order."""

    asked = 0

    async def ask(self, kind: type[AnyCommand], /, **fields: object) -> Reply:
        Desk.asked += 1
        reply = await self.engine.submit(kind(id=f"desk-{Desk.asked}", actor="test", **fields))  # type: ignore[arg-type]
        assert reply.ok, reply
        await self.engine.settled()
        return reply

    def held(self, instrument: Instrument) -> int:
        position = self.engine.state.positions.get(f"paper/NRML/{instrument.name}")
        return 0 if position is None else position.qty

    def away(self, instrument: Instrument, side: Side, ticks: int) -> int:
        """A price so many ticks off the market, where an order of the side rests."""
        quote = self.engine.board.get(instrument.name)
        assert quote is not None
        assert quote.mark is not None
        return quote.mark - side.sign * ticks * instrument.tick


async def test_forty_lots_are_taken_by_the_exchange_in_two_orders(home: Path, opened: Open) -> None:
    desk = Desk(await opened(seed=7, start_at="10:00"))
    call = await desk.at_the_money()
    reply = await desk.ask(PlaceOrder, terms=terms(call, Side.BUY, 40, desk.away(call, Side.BUY, 100)))
    await desk.until(lambda: all(order.broker_id for order in desk.engine.state.orders.values()))
    assert [order.terms.qty for order in desk.engine.state.orders.values()] == [1755, 845]
    await desk.ask(CancelOrder, order_id=reply.ids[0])
    await desk.until(lambda: all(order.status is OrderStatus.CANCELLED for order in desk.engine.state.orders.values()))
    assert desk.engine.state.parents["P1"].status is ParentStatus.STOPPED


async def test_a_parent_and_its_bracket_are_the_same_after_a_restart(home: Path, opened: Open) -> None:
    house = await opened(seed=7, start_at="10:00")
    desk = Desk(house)
    call = await desk.at_the_money()
    limit = desk.away(call, Side.BUY, 100)
    await desk.ask(PlaceOrder, terms=terms(call, Side.BUY, 40, limit), stop=limit - 1000)
    before = desk.engine.state.parents["P1"]
    await house.stop("restart")
    again = await opened(seed=7)
    assert again.engine.state.parents["P1"] == before
    assert list(again.engine.state.brackets) == ["P1"]
    assert len(again.engine.state.orders) == 2
    assert (await again.engine.verify()).ok


async def test_a_filled_entry_has_its_stop_in_the_broker_s_book(home: Path, opened: Open) -> None:
    desk = Desk(await opened(seed=7, start_at="10:00"))
    call = await desk.at_the_money()
    stop = desk.away(call, Side.BUY, 400)
    await desk.ask(PlaceOrder, terms=terms(call, Side.BUY, 2), stop=stop, target=desk.away(call, Side.SELL, 400))
    await desk.until(
        lambda: any(order.role is Role.STOP and order.confirmed for order in desk.engine.state.orders.values())
    )
    guard = next(order for order in desk.engine.state.orders.values() if order.role is Role.STOP)
    assert guard.terms.qty == desk.held(call)
    assert desk.engine.state.protections[f"paper/NRML/{call.name}"].stop == stop


async def test_a_reversed_position_is_as_large_the_other_way(home: Path, opened: Open) -> None:
    desk = Desk(await opened(seed=7, start_at="10:00"))
    call = await desk.at_the_money()
    await desk.place(call, Side.BUY, 2)
    await desk.until(lambda: desk.held(call) == 130)
    await desk.ask(Reverse, scope=Scope(ScopeKind.CONTRACT, call.name))
    await desk.until(lambda: desk.held(call) == -130)
    assert not desk.engine.state.reversals
    await desk.until(lambda: desk.engine.state.parents["P1"].status is ParentStatus.DONE)


async def test_the_peer_of_an_order_that_fills_is_cancelled_at_the_exchange(home: Path, opened: Open) -> None:
    desk = Desk(await opened(seed=7, start_at="10:00"))
    call = await desk.at_the_money()
    far = terms(call, Side.BUY, 1, desk.away(call, Side.BUY, 200))
    near = terms(call, Side.BUY, 1, desk.away(call, Side.SELL, 40))
    await desk.ask(PlaceGroup, kind=GroupKind.OCO, orders=(far, near))
    await desk.until(lambda: desk.engine.state.groups["T1"].ended)
    ends = [order.status for order in desk.engine.state.orders.values()]
    assert ends == [OrderStatus.CANCELLED, OrderStatus.FILLED]
    assert desk.held(call) == 65
