"""The Broker port's contract: what the engine relies on, whoever implements it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.ports import (
    Accepted,
    BrokerOrder,
    BrokerTrade,
    BrokerUpdate,
    ModifyRequest,
    PlaceRequest,
    Rejected,
)
from tests.contract.rig import Rig
from tests.contract.rigs import RIGS

MANY = 650


@pytest.fixture(params=sorted(RIGS))
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async with RIGS[request.param](tmp_path) as opened:
        await opened.show((99_00, MANY), (101_00, MANY), 100_00)
        yield opened


def order(
    rig: Rig,
    tag: str = "V1AAA000000001X",
    side: Side = Side.BUY,
    lots: int = 1,
    price: int = 100_00,
    trigger: int | None = None,
    validity: Validity = Validity.DAY,
) -> PlaceRequest:
    return PlaceRequest(
        tag=tag,
        account=rig.broker.account.id,
        instrument=rig.instrument,
        side=side,
        qty=lots * rig.instrument.lot,
        type=OrderType.LIMIT if trigger is None else OrderType.SL,
        price=price,
        trigger=trigger,
        product=Product.NRML,
        validity=validity,
    )


async def accepted(rig: Rig, request: PlaceRequest) -> str:
    outcome = await rig.broker.place(request)
    assert isinstance(outcome, Accepted), outcome
    # taken is not at the exchange yet: the broker tells when it is
    await rig.inbox.until(lambda rows: any(_at_the_exchange(row, outcome.broker_id) for row in rows))
    return outcome.broker_id


def _at_the_exchange(row: BrokerUpdate, broker_id: str) -> bool:
    return isinstance(row, BrokerOrder) and row.broker_id == broker_id and row.status is not OrderStatus.SENT


async def row(rig: Rig, broker_id: str) -> BrokerOrder:
    (found,) = [order for order in await rig.broker.orders() if order.broker_id == broker_id]
    return found


def told(rows: list[BrokerUpdate], broker_id: str, status: OrderStatus) -> bool:
    return any(isinstance(row, BrokerOrder) and row.broker_id == broker_id and row.status is status for row in rows)


async def test_an_accepted_order_is_in_the_book_under_its_tag_with_its_terms(rig: Rig) -> None:
    request = order(rig)
    broker_id = await accepted(rig, request)
    found = await row(rig, broker_id)
    assert (found.tag, found.account, found.contract) == (request.tag, request.account, rig.instrument.name)
    assert (found.side, found.qty, found.filled, found.price) == (Side.BUY, request.qty, 0, 100_00)
    assert (found.status, found.product, found.validity) == (OrderStatus.OPEN, Product.NRML, Validity.DAY)
    assert found.updated_at.utcoffset() is not None


async def test_a_resting_order_is_told_and_does_not_trade(rig: Rig) -> None:
    broker_id = await accepted(rig, order(rig))
    await rig.inbox.until(lambda rows: told(rows, broker_id, OrderStatus.OPEN))
    assert await rig.broker.trades() == []
    assert await rig.broker.positions() == []


async def test_a_marketable_order_trades_at_the_shown_price_and_tells_the_trade_before_the_end(rig: Rig) -> None:
    broker_id = await accepted(rig, order(rig, price=102_00))
    await rig.inbox.until(lambda rows: told(rows, broker_id, OrderStatus.FILLED))
    (trade,) = [row for row in rig.inbox.rows if isinstance(row, BrokerTrade)]
    assert (trade.price, trade.qty, trade.side, trade.tag) == (101_00, rig.instrument.lot, Side.BUY, "V1AAA000000001X")
    final = next(row for row in rig.inbox.rows if isinstance(row, BrokerOrder) and row.status.final)
    assert rig.inbox.rows.index(trade) < rig.inbox.rows.index(final)
    assert await rig.broker.trades() == [trade]
    (held,) = await rig.broker.positions()
    assert (held.contract, held.qty) == (rig.instrument.name, rig.instrument.lot)


async def test_fills_add_up_over_several_showings(rig: Rig) -> None:
    lot = rig.instrument.lot
    await rig.show((99_00, MANY), (100_00, lot), 100_00)
    broker_id = await accepted(rig, order(rig, lots=3))
    await rig.show((99_00, MANY), (99_50, 2 * lot), 100_00)
    await rig.inbox.until(lambda rows: told(rows, broker_id, OrderStatus.FILLED))
    trades = [trade for trade in await rig.broker.trades() if trade.broker_id == broker_id]
    assert [(trade.qty, trade.price) for trade in trades] == [(lot, 100_00), (2 * lot, 99_50)]
    assert len({trade.trade_id for trade in trades}) == 2
    assert (await row(rig, broker_id)).filled == 3 * lot


async def test_a_stop_waits_latches_and_trades(rig: Rig) -> None:
    broker_id = await accepted(rig, order(rig, price=112_00, trigger=110_00))
    waiting = await row(rig, broker_id)
    assert (waiting.status, waiting.triggered, waiting.trigger) == (OrderStatus.TRIGGER_PENDING, False, 110_00)
    await rig.show((109_00, MANY), (111_00, MANY), 110_00)
    await rig.inbox.until(lambda rows: told(rows, broker_id, OrderStatus.FILLED))
    assert (await row(rig, broker_id)).triggered


async def test_a_stop_changed_to_have_no_trigger_is_a_limit_order_under_the_same_id(rig: Rig) -> None:
    broker_id = await accepted(rig, order(rig, price=112_00, trigger=110_00))
    lot = rig.instrument.lot
    change = ModifyRequest(broker_id=broker_id, qty=lot, price=98_00, trigger=None)
    assert isinstance(await rig.broker.modify(change), Accepted)
    turned = await row(rig, broker_id)
    assert (turned.type, turned.trigger, turned.triggered) == (OrderType.LIMIT, None, False)
    assert (turned.status, turned.price) == (OrderStatus.OPEN, 98_00)
    await rig.show((97_00, MANY), (97_50, MANY), 97_00)
    await rig.inbox.until(lambda rows: told(rows, broker_id, OrderStatus.FILLED))


async def test_the_rest_of_an_ioc_ends_at_once(rig: Rig) -> None:
    lot = rig.instrument.lot
    await rig.show((99_00, MANY), (100_00, lot), 100_00)
    broker_id = await accepted(rig, order(rig, lots=2, validity=Validity.IOC))
    await rig.inbox.until(lambda rows: any(isinstance(row, BrokerOrder) and row.status.final for row in rows))
    ended = await row(rig, broker_id)
    assert ended.status in (OrderStatus.EXPIRED, OrderStatus.CANCELLED)
    assert ended.filled == lot


async def test_one_order_per_tag(rig: Rig) -> None:
    broker_id = await accepted(rig, order(rig))
    again = await rig.broker.place(order(rig))
    assert isinstance(again, Rejected)
    assert [row.broker_id for row in await rig.broker.orders()] == [broker_id]


async def test_orders_sent_together_all_arrive_once(rig: Rig) -> None:
    requests = [order(rig, tag=f"V1AAA0000000{number:02d}X", price=90_00 + number * 5) for number in range(20)]
    outcomes = await asyncio.gather(*(rig.broker.place(request) for request in requests))
    ids = {outcome.broker_id for outcome in outcomes if isinstance(outcome, Accepted)}
    assert len(ids) == 20
    assert sorted(row.tag for row in await rig.broker.orders()) == sorted(request.tag for request in requests)


async def test_a_refusal_is_an_outcome_with_a_code_and_a_reason_and_leaves_no_working_order(rig: Rig) -> None:
    odd = order(rig, tag="V1AAA0000000BDX", price=100_01)
    outcome = await rig.broker.place(odd)
    assert isinstance(outcome, Rejected)
    assert outcome.code == outcome.code.upper()
    assert len(outcome.reason) > 10
    assert not any(row.status.working for row in await rig.broker.orders())


async def test_new_terms_are_in_the_book_and_are_told(rig: Rig) -> None:
    lot = rig.instrument.lot
    broker_id = await accepted(rig, order(rig))
    outcome = await rig.broker.modify(ModifyRequest(broker_id=broker_id, qty=2 * lot, price=99_50, trigger=None))
    assert isinstance(outcome, Accepted)
    await rig.inbox.until(
        lambda rows: any(isinstance(row, BrokerOrder) and (row.price, row.qty) == (99_50, 2 * lot) for row in rows)
    )
    assert ((await row(rig, broker_id)).price, (await row(rig, broker_id)).qty) == (99_50, 2 * lot)


async def test_a_cancelled_order_is_told_and_trades_no_more(rig: Rig) -> None:
    broker_id = await accepted(rig, order(rig))
    assert isinstance(await rig.broker.cancel(broker_id), Accepted)
    await rig.inbox.until(lambda rows: told(rows, broker_id, OrderStatus.CANCELLED))
    await rig.show((98_00, MANY), (99_00, MANY), 99_00)
    assert await rig.broker.trades() == []


async def test_a_finished_or_unknown_order_can_neither_be_changed_nor_cancelled(rig: Rig) -> None:
    broker_id = await accepted(rig, order(rig, price=102_00))
    await rig.inbox.until(lambda rows: told(rows, broker_id, OrderStatus.FILLED))
    for known in (broker_id, "no-such-order"):
        change = ModifyRequest(broker_id=known, qty=rig.instrument.lot, price=99_00, trigger=None)
        assert isinstance(await rig.broker.modify(change), Rejected)
        assert isinstance(await rig.broker.cancel(known), Rejected)


async def test_money_moves_with_trades_and_margin_with_shorts(rig: Rig) -> None:
    before = await rig.broker.funds()
    assert before.free == before.cash - before.margin_used
    asked = await rig.broker.margin([order(rig, side=Side.SELL, price=99_00)])
    assert asked > 0
    broker_id = await accepted(rig, order(rig, side=Side.SELL, price=99_00))
    await rig.inbox.until(lambda rows: told(rows, broker_id, OrderStatus.FILLED))
    after = await rig.broker.funds()
    assert after.margin_used > before.margin_used
    assert after.cash != before.cash


async def test_a_client_that_lost_everything_reads_the_same_books(rig: Rig) -> None:
    await accepted(rig, order(rig, tag="V1AAA000000001X", price=102_00))
    working = await accepted(rig, order(rig, tag="V1AAA000000002X", price=90_00))
    before = (await rig.broker.orders(), await rig.broker.trades(), await rig.broker.positions())
    await rig.reconnect()
    assert (await rig.broker.orders(), await rig.broker.trades(), await rig.broker.positions()) == before
    assert isinstance(await rig.broker.cancel(working), Accepted)
    await rig.inbox.until(lambda rows: told(rows, working, OrderStatus.CANCELLED))


async def test_vitals_tell_whether_orders_can_be_sent(rig: Rig) -> None:
    await accepted(rig, order(rig))
    vitals = rig.broker.vitals()
    assert (vitals.order_read, vitals.order_write) == (LinkState.LIVE, LinkState.LIVE)
    assert vitals.latency_p50 is not None
    assert vitals.latency_p50 >= 0
    await rig.broker.close()
    assert rig.broker.vitals().order_write is LinkState.CLOSED
