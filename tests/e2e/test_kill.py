"""kill -9 at any moment: the book afterwards is the exchange's book, and the journal is whole."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest

from optconsole.engine import queries as q
from optconsole.engine.commands import CancelOrder, PlaceOrder
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.orders import OrderTerms, OrderType, Side
from optconsole.engine.ports import Snapshot
from optconsole.link.address import socket_path
from optconsole.link.client import SocketLink
from optconsole.link.protocol import LinkLost
from tests.e2e.process import EngineProcess

KILLS = 6


async def trade_until_lost(home: Path, rng: random.Random, acknowledged: set[str], answering: asyncio.Event) -> None:
    """Place and cancel as fast as the engine answers, until it is gone; ``answering`` is set with the first answer."""
    link = await SocketLink.connect(socket_path(home))
    try:
        known = await link.query(q.ListUnderlyings())
        assert isinstance(known, q.UnderlyingList)
        nifty = next(row for row in known.underlyings if row.name == "NIFTY")
        listed = await link.query(q.FindInstruments(underlying="NIFTY", expiry=nifty.expiries[1]))
        assert isinstance(listed, q.InstrumentList)
        options = [item for item in listed.instruments if item.kind is Kind.OPTION]
        middle = options[len(options) // 2 - 10 : len(options) // 2 + 10]
        while True:
            contract = rng.choice(middle)
            terms = OrderTerms(
                account="paper",
                contract=contract.name,
                side=rng.choice([Side.BUY, Side.SELL]),
                qty=contract.lot,
                type=OrderType.MARKET,
            )
            reply = await link.submit(PlaceOrder(id=f"{rng.getrandbits(64):x}", actor="test", terms=terms))
            answering.set()
            if reply.ok:
                acknowledged.update(reply.ids)
                if rng.random() < 0.3:
                    await link.submit(CancelOrder(id=f"{rng.getrandbits(64):x}", actor="test", order_id=reply.ids[0]))
    except LinkLost:
        return
    finally:
        await link.close()


async def read(home: Path) -> tuple[Snapshot, q.JournalVerdict]:
    link = await SocketLink.connect(socket_path(home))
    try:
        snapshot = await link.snapshot()
        verdict = await link.query(q.VerifyJournal())
        assert isinstance(verdict, q.JournalVerdict)
        return snapshot, verdict
    finally:
        await link.close()


def exchange_book(home: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Net quantity by contract and orders by tag, straight from the exchange's own file."""
    connection = sqlite3.connect(f"file:{home / 'practice' / 'exchange.db'}?mode=ro", uri=True)
    try:
        net: dict[str, int] = {}
        for contract, side, qty in connection.execute("select contract, side, qty from trades"):
            net[contract] = net.get(contract, 0) + (qty if side == "BUY" else -qty)
        tags = {tag: 0 for (tag,) in connection.execute("select tag from orders")}
        for (tag,) in connection.execute("select tag from orders"):
            tags[tag] += 1
        return {name: qty for name, qty in net.items() if qty}, tags
    finally:
        connection.close()


@pytest.mark.slow
def test_an_engine_killed_at_any_moment_comes_back_with_the_exchanges_book(tmp_path: Path) -> None:
    home, rng = tmp_path / "home", random.Random(7)
    acknowledged: set[str] = set()
    for _ in range(KILLS):
        engine = EngineProcess(home)

        async def storm(running: EngineProcess = engine) -> None:
            answering = asyncio.Event()
            trading = asyncio.create_task(trade_until_lost(home, rng, acknowledged, answering))
            await asyncio.wait((trading, asyncio.create_task(answering.wait())), return_when="FIRST_COMPLETED")
            await asyncio.sleep(rng.uniform(0.0, 0.5))
            running.kill()
            await trading

        asyncio.run(storm())
    engine = EngineProcess(home)
    try:
        snapshot, verdict = asyncio.run(read(home))
    finally:
        assert engine.stop() == 0
    assert verdict.ok, verdict.text
    state = snapshot.state
    net, tags = exchange_book(home)
    assert {held.key.contract: held.qty for held in state.positions.values() if held.qty} == net
    assert max(tags.values()) == 1
    assert set(tags) == {order.tag for order in state.orders.values() if order.broker_id is not None}
    assert acknowledged <= set(state.orders), "an order that was answered is missing after the restarts"
    assert len(acknowledged) > KILLS
    assert state.epoch == KILLS + 1
    assert not [notice for notice in state.notices if notice.code == "POSITION_DRIFT"]
