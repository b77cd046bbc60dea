"""S04, S05: the store fails under a running house. Ways out stay open and on record; the kill switch always works."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelOrder, EngageKill, Flatten, PlaceOrder, SetStop
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Product, Role, Side
from optconsole.engine.model.protection import StopMode
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.store.database import Database
from optconsole.engine.store.emergency import EmergencyLog
from optconsole.engine.store.journal import SqlJournal
from optconsole.runtime.house import House
from tests.runtime.conftest import Open, Trader


class Disk:
    """Takes the journal's writes or refuses them; the exchange's own book is on another."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._store, self._emergency = Database.write, EmergencyLog.append
        self.full = self.dead = False
        patch.setattr(Database, "write", self._write())
        patch.setattr(EmergencyLog, "append", self._append())

    def _write(self) -> Callable[..., None]:
        def write(database: Database, work: Any, *, fence: bool = False) -> None:
            if self.full:
                raise sqlite3.OperationalError("database or disk is full")
            self._store(database, work, fence=fence)

        return write

    def _append(self) -> Callable[..., None]:
        def append(log: EmergencyLog, rows: Any, share: float = 1.0) -> None:
            if self.dead:
                raise OSError(5, "Input/output error")
            self._emergency(log, rows, share)

        return append


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """One database is enough: what fails here is above it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


class Scene(NamedTuple):
    """A house with a short call and a bid that rests far below the market."""

    house: House
    trader: Trader
    call: Instrument
    resting: Order

    def entry(self, name: str) -> PlaceOrder:
        terms = OrderTerms(
            account="paper", contract=self.call.name, side=Side.SELL, qty=self.call.lot, type=OrderType.MARKET
        )
        return PlaceOrder(id=name, actor="test", terms=terms)

    def flat(self) -> bool:
        return not any(held.qty for held in self.house.engine.state.positions.values())


async def scene(opened: Open) -> Scene:
    house = await opened(start_at="10:00")
    trader = Trader(house)
    call = await trader.at_the_money()
    assert (await trader.place(call, Side.SELL, lots=2)).status is OrderStatus.FILLED
    quote = house.engine.board.get(call.name)
    assert quote is not None
    assert quote.bid is not None
    low = quote.bid // 2
    resting = await trader.place(call, Side.BUY, type=OrderType.LIMIT, price=low - low % 5)
    assert resting.status is OrderStatus.OPEN
    return Scene(house, trader, call, resting)


async def test_a_failing_store_refuses_entries_and_carries_out_a_flatten(opened: Open, disk: Disk) -> None:
    stage = await scene(opened)
    engine = stage.house.engine
    journal = engine.world.journal
    assert isinstance(journal, SqlJournal)
    disk.full = True
    assert (await engine.submit(stage.entry("e1"))).code == "STORE_DOWN"
    reply = await engine.submit(stage.entry("e2"))
    assert (reply.ok, reply.code) == (False, "STORE_DOWN")
    vitals = engine.vitals()
    assert (vitals.guard, vitals.store) == ("STORE DOWN", LinkState.STALE)
    assert engine.broken is None

    assert (await engine.submit(Flatten(id="f", actor="test"))).ok
    await stage.trader.until(stage.flat)
    stage.house.feed.pause()
    await engine.settled()
    assert engine.state.orders[stage.resting.id].status is OrderStatus.CANCELLED

    disk.full = False
    assert await journal.revive()
    assert (await journal.head())[0] == engine.state.seq
    verdict = await engine.verify()
    assert verdict.ok, verdict.text
    refusals = [fact for fact in await journal.read(limit=9999) if isinstance(fact.event, ev.CommandRefused)]
    assert [fact.cause for fact in refusals] == ["e1"], "the refusal nobody had foreseen is on record too"
    assert engine.vitals().guard == ""


async def test_a_kill_that_nothing_can_store_is_latched_cancels_and_is_stored_later(opened: Open, disk: Disk) -> None:
    stage = await scene(opened)
    engine = stage.house.engine
    latch = engine.world.latch
    assert latch is not None
    disk.full = disk.dead = True
    reply = await engine.submit(EngageKill(id="k", actor="test", why="all fails"))
    assert (reply.ok, reply.code) == (True, "KILLED_UNSTORED")
    assert latch.why == "all fails"
    theirs = {row.broker_id: row.status for row in await engine.world.brokers["paper"].orders()}
    await stage.trader.until(lambda: True)
    while theirs[stage.resting.broker_id or ""] is OrderStatus.OPEN:
        theirs = {row.broker_id: row.status for row in await engine.world.brokers["paper"].orders()}
    assert theirs[stage.resting.broker_id or ""] is OrderStatus.CANCELLED
    assert not stage.flat(), "an order without a record is never sent"
    assert any(check.code == "KILLED" for check in engine.stops())

    disk.full = disk.dead = False
    await stage.trader.until(lambda: engine.state.killed and stage.flat())
    assert latch.why is None
    stage.house.feed.pause()
    await engine.settled()
    journal = engine.world.journal
    assert isinstance(journal, SqlJournal)
    await journal.revive()
    verdict = await engine.verify()
    assert verdict.ok, verdict.text


async def test_a_kill_that_nothing_can_store_leaves_the_stop_that_nothing_could_replace(
    opened: Open, disk: Disk
) -> None:
    stage = await scene(opened)
    engine = stage.house.engine
    quote = engine.board.get(stage.call.name)
    assert quote is not None
    assert quote.mark is not None
    assert (await engine.submit(CancelOrder(id="c", actor="test", order_id=stage.resting.id))).ok
    await engine.settled()
    level = quote.mark * 2
    reply = await engine.submit(
        SetStop(
            id="s",
            actor="test",
            account="paper",
            product=Product.NRML,
            contract=stage.call.name,
            stop=level - level % 5,
            mode=StopMode.BROKER,
        )
    )
    assert reply.ok, reply.text
    await engine.settled()
    (stop,) = [order for order in engine.state.orders.values() if order.role is Role.STOP]
    disk.full = disk.dead = True
    reply = await engine.submit(EngageKill(id="k", actor="test", why="all fails"))
    assert (reply.code, reply.ids) == ("KILLED_UNSTORED", ())
    await engine.settled()
    theirs = {row.broker_id: row.status for row in await engine.world.brokers["paper"].orders()}
    assert theirs[stop.broker_id or ""] is OrderStatus.TRIGGER_PENDING


async def test_a_latched_kill_is_carried_out_by_the_next_start(opened: Open, disk: Disk) -> None:
    stage = await scene(opened)
    disk.full = disk.dead = True
    await stage.house.engine.submit(EngageKill(id="k", actor="test", why="all fails"))
    # what a crash leaves behind: the latch and a store that knows nothing of it
    await stage.house.stop("gone")
    disk.full = disk.dead = False
    again = await opened()
    await Trader(again).until(lambda: not any(held.qty for held in again.engine.state.positions.values()))
    assert again.engine.state.killed
    assert again.engine.state.kill_reason == "all fails"
    assert again.engine.world.latch is not None
    assert again.engine.world.latch.why is None


async def test_an_engine_whose_store_was_taken_says_so_and_sends_nothing_more(
    opened: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S10: seen within the beat of the lease, without any order having been tried."""
    monkeypatch.setattr("optconsole.runtime.keeper.LEASE_SECONDS", 1)
    stage = await scene(opened)
    engine = stage.house.engine
    before = await engine.world.brokers["paper"].orders()
    (home / "practice" / "journal.db.lease").write_text("99\n")
    await stage.trader.until(lambda: engine.broken is not None)
    assert (engine.vitals().guard, engine.vitals().store) == ("FENCED", LinkState.DEAD)
    for command in (stage.entry("e"), Flatten(id="f", actor="test"), EngageKill(id="k", actor="test", why="w")):
        reply = await engine.submit(command)
        assert (reply.ok, reply.code) == (False, "FENCED")
        assert "attach to the other" in reply.text
    await engine.settled()
    assert await engine.world.brokers["paper"].orders() == before


async def test_little_room_on_the_disk_stops_entries_only(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await scene(opened)
    engine = stage.house.engine
    free = {"now": (1 << 30) - 1}
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(total=10 << 30, free=free["now"]))
    reply = await engine.submit(stage.entry("e1"))
    assert (reply.ok, reply.code) == (False, "DISK_LOW")
    assert "1.0 GB" in reply.text
    assert engine.vitals().guard == "DISK LOW"
    free["now"] = (1 << 30) + 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(total=30 << 30, free=free["now"]))
    assert (await engine.submit(stage.entry("e2"))).code == "DISK_LOW", "5 % of a large disk"
    assert (await engine.submit(Flatten(id="f", actor="test"))).ok
    await stage.trader.until(stage.flat)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(total=10 << 30, free=free["now"]))
    assert (await engine.submit(stage.entry("e3"))).ok
