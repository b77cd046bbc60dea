"""Stops and exits in a whole house, against the embedded exchange."""

from __future__ import annotations

from pathlib import Path

from optconsole.engine.commands import EngageKill, Flatten, SetStop
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Role, Side
from optconsole.engine.model.protection import Guard, StopMode
from optconsole.options import RunOptions
from optconsole.runtime.house import House, open_house
from tests.runtime.conftest import Open, Trader
from tests.runtime.test_house import abandon, open_quantities


async def sold(house: House, lots: int = 2) -> Instrument:
    """A short of so many lots."""
    trader = Trader(house)
    call = await trader.at_the_money()
    order = await trader.place(call, Side.SELL, lots)
    assert order.status is OrderStatus.FILLED
    return call


def mark(house: House, call: Instrument) -> int:
    quote = house.engine.board.get(call.name)
    assert quote is not None
    assert quote.mark is not None
    return quote.mark - quote.mark % call.tick


async def guard(house: House, call: Instrument, away: int = 2_000, mode: StopMode = StopMode.BOTH) -> None:
    reply = await house.engine.submit(
        SetStop(
            id=f"s{house.engine.state.seq}",
            actor="test",
            account="paper",
            product=Product.NRML,
            contract=call.name,
            stop=mark(house, call) + away,
            mode=mode,
        )
    )
    assert reply.ok, reply.text


def state(house: House) -> Guard | None:
    return next((each.state for each in house.engine.state.protections.values()), None)


async def test_a_stop_works_once_the_brokers_book_shows_it_and_is_repaired_when_it_goes(opened: Open) -> None:
    house = await opened()
    trader, call = Trader(house), await sold(house)
    await guard(house, call)
    await trader.until(lambda: state(house) is Guard.WORKING)
    broker = house.engine.world.brokers["paper"]
    (shown,) = [row for row in await broker.orders() if row.status is OrderStatus.TRIGGER_PENDING]
    assert (shown.side, shown.qty, shown.type) == (Side.BUY, 2 * call.lot, OrderType.SL)
    await broker.cancel(shown.broker_id)
    await trader.until(lambda: any(notice.code == "STOP_MISSING" for notice in house.engine.state.notices))
    await trader.until(lambda: state(house) is Guard.WORKING)
    alive = [row for row in await broker.orders() if row.status is OrderStatus.TRIGGER_PENDING]
    assert [row.qty for row in alive] == [2 * call.lot]


async def test_a_part_exit_leaves_a_stop_of_the_size_that_is_left(opened: Open) -> None:
    house = await opened()
    trader, call = Trader(house), await sold(house)
    await guard(house, call)
    await trader.until(lambda: state(house) is Guard.WORKING)
    await house.engine.submit(Flatten(id="f", actor="test", percent=50))
    await trader.until(lambda: not house.engine.state.flattening and state(house) is Guard.WORKING)
    assert list(open_quantities(house).values()) == [-call.lot]
    stops = [order for order in house.engine.state.orders.values() if order.role is Role.STOP]
    assert sum(order.remaining for order in stops if order.status.working) == call.lot


async def test_a_flatten_closes_by_the_stop_itself(opened: Open) -> None:
    house = await opened()
    trader, call = Trader(house), await sold(house)
    await guard(house, call)
    await trader.until(lambda: state(house) is Guard.WORKING)
    await house.engine.submit(Flatten(id="f", actor="test"))
    await trader.until(lambda: not house.engine.state.flattening and not house.engine.state.protections)
    assert open_quantities(house) == {}
    roles = [order.role for order in house.engine.state.orders.values() if order.terms.side is Side.BUY]
    assert roles == [Role.STOP]


async def test_a_tight_stop_acts_on_the_engines_own_watch(opened: Open) -> None:
    house = await opened(start_at="10:00", speed=20.0)
    trader, call = Trader(house), await sold(house, 1)
    await guard(house, call, away=call.tick * 4, mode=StopMode.LOCAL)
    await trader.until(lambda: not open_quantities(house) and not house.engine.state.flattening, 30)
    (exit_,) = [order for order in house.engine.state.orders.values() if order.filled and order.terms.side is Side.BUY]
    assert (exit_.terms.note, exit_.role) == ("LEG_SL", Role.EXIT)


async def test_a_guard_and_a_kill_survive_a_crash(opened: Open, home: Path) -> None:
    first = await open_house(RunOptions(home=home))
    call = await sold(first)
    await guard(first, call)
    await Trader(first).until(lambda: state(first) is Guard.WORKING)
    first.feed.pause()
    await abandon(first)

    again = await opened()
    trader = Trader(again)
    await trader.until(lambda: state(again) is Guard.WORKING)
    await again.engine.submit(EngageKill(id="k", actor="test"))
    await trader.until(lambda: not again.engine.state.flattening and not again.engine.state.protections)
    assert open_quantities(again) == {}
    assert again.engine.state.killed
    assert not any(order.status.working for order in again.engine.state.orders.values())
