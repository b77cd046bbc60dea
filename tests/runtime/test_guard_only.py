"""S07: a whole house on a damaged store: nothing new, every way out, and back to normal after a restore."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from optconsole.engine.commands import CancelOrder, EngageKill, Flatten, PlaceOrder
from optconsole.engine.model.orders import OrderStatus, OrderTerms, OrderType, Side
from optconsole.engine.store.restore import restore
from optconsole.runtime.house import House
from tests.runtime.conftest import Open, Trader


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Only a file can be damaged."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


def open_quantities(house: House) -> dict[str, int]:
    return {key: held.qty for key, held in house.engine.state.positions.items() if held.qty}


def codes(house: House) -> list[str]:
    return [notice.code for notice in house.engine.state.notices]


async def with_a_position_and_a_resting_order(opened: Open, copy: Path) -> tuple[House, OrderTerms]:
    """A house that sold a call, was backed up, and then left a bid below the market that the copy does not know."""
    house = await opened(start_at="10:00")
    trader = Trader(house)
    call = await trader.at_the_money()
    assert (await trader.place(call, Side.SELL, lots=2)).status is OrderStatus.FILLED
    await house.engine.world.journal.backup(str(copy))
    quote = house.engine.board.get(call.name)
    assert quote is not None
    assert quote.bid is not None
    low = quote.bid // 2
    resting = await trader.place(call, Side.BUY, type=OrderType.LIMIT, price=low - low % 5)
    assert resting.status is OrderStatus.OPEN
    house.feed.pause()
    await house.engine.settled()
    await house.stop("over")
    return house, resting.terms


def ruin(home: Path) -> Path:
    file = home / "practice" / "journal.db"
    image = bytearray(file.read_bytes())
    image[4096 * 4 :] = b"\xff" * (len(image) - 4096 * 4)
    file.write_bytes(image)
    return file


async def test_on_a_damaged_store_only_the_ways_out_are_open_until_it_is_restored(
    opened: Open, home: Path, tmp_path: Path
) -> None:
    before, resting = await with_a_position_and_a_resting_order(opened, tmp_path / "copy.db")
    file = ruin(home)
    damaged = file.read_bytes()

    house = await opened()
    engine, trader = house.engine, Trader(house)
    assert engine.world.guard_only
    assert "GUARD_ONLY" in codes(house)
    assert engine.vitals().guard == "GUARD ONLY"
    # positions and our own orders come from the broker
    assert open_quantities(house) == open_quantities(before)
    mine = next(order for order in engine.state.orders.values() if order.status is OrderStatus.OPEN)
    assert (mine.terms.contract, mine.terms.price, mine.foreign) == (resting.contract, resting.price, False)
    # nothing that adds risk leaves
    call = await trader.at_the_money()
    denied = await trader.place(call, Side.SELL)
    assert (denied.status, denied.reason_code) == (OrderStatus.DENIED, "GUARD_ONLY")
    assert "optconsole db restore" in denied.reason
    # ways out: a cancel, a closing order, a flatten
    assert (await engine.submit(CancelOrder(id="c", actor="test", order_id=mine.id))).ok
    await trader.until(lambda: engine.state.orders[mine.id].status is OrderStatus.CANCELLED)
    exit_terms = OrderTerms(
        account="paper", contract=resting.contract, side=Side.BUY, qty=call.lot, type=OrderType.MARKET
    )
    assert (await engine.submit(PlaceOrder(id="x", actor="test", terms=exit_terms))).ok
    assert (await engine.submit(Flatten(id="f", actor="test"))).ok
    await trader.until(lambda: not open_quantities(house))
    assert (await engine.submit(EngageKill(id="k", actor="test", why="enough"))).ok
    house.feed.pause()
    await engine.settled()
    await house.stop("over")
    assert file.read_bytes() == damaged

    await restore(tmp_path / "copy.db", f"sqlite:///{file}", "practice", file.parent, "20250829-130000")
    after = await opened()
    assert after.engine.world.guard_only == ""
    assert open_quantities(after) == {}, "what was closed beside the damaged store is closed in the restored one"
    assert after.engine.state.killed, "the kill outlives the journal it was written to"
    assert after.engine.vitals().guard == ""
    own = [order for order in after.engine.state.orders.values() if order.tag]
    assert own
    assert not any(order.foreign for order in own), "orders of the lost journals are known by their tags"
    assert len({order.tag for order in own}) == len(own)
    assert f"{file.name}.replaced-20250829-130000" in os.listdir(file.parent)
    verdict = await after.engine.verify()
    assert verdict.ok, verdict.text
