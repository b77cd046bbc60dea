"""Whatever a client does and the market shows, the books add up, and a broker opened anew agrees with them."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.model.orders import Product, Side, Validity
from optconsole.engine.ports import BrokerOrder, BrokerTrade
from optconsole.runtime.rates import order_charges
from tests.brokers.paper.stage import CALL, CAPITAL, HEDGE, INDEX, LOT, PUT, Stage, open_stage

Step = Callable[[Stage, list[str]], Coroutine[None, None, None]]
contracts = st.sampled_from([CALL, PUT, HEDGE])
prices = st.integers(0, 20).map(lambda ticks: 100_00 + ticks * 5)
lots = st.integers(1, 4).map(lambda count: count * LOT)


@st.composite
def shows(draw: st.DrawFn) -> Step:
    contract, bid, ask = draw(contracts), draw(prices), draw(prices)
    bid_size, ask_size = draw(lots), draw(lots)

    async def step(stage: Stage, _ids: list[str]) -> None:
        stage.clock.set(stage.clock.now() + timedelta(seconds=1))
        stage.show(contract, (min(bid, ask - 5), bid_size), (ask, ask_size), ltp=bid)

    return step


@st.composite
def places(draw: st.DrawFn) -> Step:
    contract, side, qty, price = draw(contracts), draw(st.sampled_from(Side)), draw(lots), draw(prices)
    offset, product, validity = (
        draw(st.none() | st.integers(1, 5)),
        draw(st.sampled_from(Product)),
        draw(st.sampled_from(Validity)),
    )

    async def step(stage: Stage, ids: list[str]) -> None:
        trigger = None if offset is None else price - side.sign * offset * 5
        request = stage.request(side, qty, price, contract, trigger, product, validity)
        outcome = await stage.broker.place(request)
        ids.extend([outcome.broker_id] if hasattr(outcome, "broker_id") else [])

    return step


@st.composite
def changes(draw: st.DrawFn) -> Step:
    which, qty, price, cancel = draw(st.integers(0, 50)), draw(lots), draw(prices), draw(st.booleans())

    async def step(stage: Stage, ids: list[str]) -> None:
        if not ids:
            return
        broker_id = ids[which % len(ids)]
        if cancel:
            await stage.broker.cancel(broker_id)
        else:
            await stage.modify(broker_id, qty, price)

    return step


async def play(folder: Path, steps: list[Step]) -> None:
    stage = await open_stage(folder)
    stage.show(INDEX, ltp=25_000_00, booked=False)
    ids: list[str] = []
    for step in steps:
        await step(stage, ids)
    orders = {order.broker_id: order for order in await stage.broker.orders()}
    trades = await stage.broker.trades()
    cash = (await stage.broker.funds()).cash
    books_add_up(orders, trades, await positions(stage), cash)
    told_is_true(stage, orders, trades)
    await stage.broker.close()
    again = await open_stage(folder, clock=stage.clock)
    again.show(INDEX, ltp=25_000_00, booked=False)
    assert {order.broker_id: order for order in await again.broker.orders()} == orders
    assert await again.broker.trades() == trades
    assert await positions(again) == await positions(stage)
    assert (await again.broker.funds()).cash == cash
    await again.broker.close()


async def positions(stage: Stage) -> dict[tuple[str, Product], int]:
    return {(row.contract, row.product): row.qty for row in await stage.broker.positions()}


def books_add_up(
    orders: dict[str, BrokerOrder], trades: list[BrokerTrade], held: dict[tuple[str, Product], int], cash: int
) -> None:
    filled: dict[str, int] = defaultdict(int)
    value: dict[str, int] = defaultdict(int)
    net: dict[tuple[str, Product], int] = defaultdict(int)
    flow = 0
    for trade in trades:
        filled[trade.broker_id] += trade.qty
        value[trade.broker_id] += trade.qty * trade.price
        net[trade.contract, trade.product] += trade.side.sign * trade.qty
        flow -= trade.side.sign * trade.qty * trade.price
    assert len({trade.trade_id for trade in trades}) == len(trades)
    for broker_id, order in orders.items():
        assert order.filled == filled[broker_id] <= order.qty
    assert held == {key: qty for key, qty in net.items() if qty}
    instruments = {instrument.name: instrument for instrument in (CALL, PUT, HEDGE)}
    charges = sum(
        order_charges(order.updated_at.date(), instruments[order.contract], order.side, value[key])
        for key, order in orders.items()
        if value[key]
    )
    assert cash == CAPITAL + flow - charges


def told_is_true(stage: Stage, orders: dict[str, BrokerOrder], trades: list[BrokerTrade]) -> None:
    """The client was told every trade once, and last of each order how it stands."""
    assert stage.told_trades() == trades
    for broker_id, order in orders.items():
        assert stage.told_orders(broker_id)[-1] == order


@settings(max_examples=40, deadline=None)
@given(st.lists(shows() | places() | changes(), max_size=25))
def test_the_books_add_up(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder), steps))
