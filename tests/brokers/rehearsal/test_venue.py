"""Faults of the exchange and the risk desk: the book shows them, and the ground truth stays true."""

from __future__ import annotations

import pytest

from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.plan import FaultPlan
from optconsole.engine.model.orders import OrderStatus, Side
from optconsole.engine.ports import Accepted, BrokerOrder, BrokerUpdate, ModifyRequest
from tests.brokers.paper.stage import CALL
from tests.brokers.rehearsal.stage import an_order, quoted


@pytest.fixture
def told(market: Market) -> list[BrokerUpdate]:
    told: list[BrokerUpdate] = []
    market.updates(told.append)
    return told


def arm(market: Market, fault: str) -> None:
    market.desk.plan = FaultPlan(market.now, decode_faults(f"[{fault}]".encode()))


async def book(market: Market) -> list[tuple[OrderStatus, int, int]]:
    return [(row.status, row.qty, row.filled) for row in await market.desk.orders()]


async def test_a_part_fills_and_the_rest_stays_until_cancelled(market: Market, told: list[BrokerUpdate]) -> None:
    arm(market, f'{{"verb":"ex.partial","units":{CALL.lot}}}')
    outcome = await market.desk.place(an_order(market, lots=3))
    assert isinstance(outcome, Accepted)
    assert await book(market) == [(OrderStatus.PARTIAL, 3 * CALL.lot, CALL.lot)]
    assert [row.qty for row in await market.desk.positions()] == [CALL.lot]
    assert isinstance(await market.desk.cancel(outcome.broker_id), Accepted)
    assert await book(market) == [(OrderStatus.CANCELLED, 3 * CALL.lot, CALL.lot)]
    await market.broker.delivered()
    assert all(row.qty == 3 * CALL.lot for row in told if isinstance(row, BrokerOrder))


async def test_an_order_is_taken_then_refused(market: Market, told: list[BrokerUpdate]) -> None:
    arm(market, '{"verb":"ex.reject_after_ack","reason":"RMS:no"}')
    assert isinstance(await market.desk.place(an_order(market)), Accepted)
    assert [row.status for row in told if isinstance(row, BrokerOrder)] == [OrderStatus.OPEN, OrderStatus.REJECTED]
    assert [row.reason for row in await market.desk.orders()] == ["RMS:no"]
    assert await market.broker.orders() == []


async def test_a_stop_is_refused_when_its_trigger_comes(market: Market) -> None:
    arm(market, '{"verb":"ex.reject_at_trigger"}')
    await market.desk.place(an_order(market, Side.SELL, price=89_00, trigger=90_00))
    quoted(market, CALL, 91_00)
    assert await book(market) == [(OrderStatus.TRIGGER_PENDING, CALL.lot, 0)]
    quoted(market, CALL, 90_00)
    assert await book(market) == [(OrderStatus.REJECTED, CALL.lot, 0)]


async def test_an_order_never_fills_but_can_be_moved_and_withdrawn(market: Market) -> None:
    arm(market, '{"verb":"ex.never_fill","when":{"side":"BUY"}}')
    outcome = await market.desk.place(an_order(market, price=150_00))
    assert isinstance(outcome, Accepted)
    quoted(market, CALL, 90_00)
    moved = ModifyRequest(broker_id=outcome.broker_id, qty=2 * CALL.lot, price=140_00, trigger=None)
    assert isinstance(await market.desk.modify(moved), Accepted)
    assert await book(market) == [(OrderStatus.OPEN, 2 * CALL.lot, 0)]
    assert isinstance(await market.desk.cancel(outcome.broker_id), Accepted)
    assert not isinstance(await market.desk.cancel(outcome.broker_id), Accepted)


async def test_the_broker_closes_what_is_open(market: Market) -> None:
    await market.desk.place(an_order(market, lots=2))
    await market.close_out()
    assert await market.desk.positions() == []
    assert [row.side for row in await market.desk.trades()] == [Side.BUY, Side.SELL]
