"""An engine on the live stage, against rehearsed brokers over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from optconsole.engine import queries as q
from optconsole.engine.clock import fresh_id
from optconsole.engine.commands import PlaceOrder, Reply
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Side
from optconsole.runtime.house import House
from tests.runtime.live.conftest import Raise
from tests.runtime.live.rehearsals import PASSPHRASE, rehearsed, write_home

BROKERS = ("zerodha", "angelone", "shoonya")
PATIENCE = 20.0


async def until(true: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 - what is waited for is in another part of the program
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"never: {what}") from None


async def near_call(house: House) -> Instrument:
    """The second expiry's call nearest the index, watched until it has a price."""
    engine = house.engine
    await until(lambda: engine.board.get("NIFTY") is not None, "a quote of the index")
    spot = engine.board.get("NIFTY")
    assert spot is not None
    assert spot.ltp is not None
    known = await engine.query(q.ListUnderlyings())
    assert isinstance(known, q.UnderlyingList)
    expiry = next(row for row in known.underlyings if row.name == "NIFTY").expiries[1]
    found = await engine.query(q.FindInstruments(underlying="NIFTY", expiry=expiry))
    assert isinstance(found, q.InstrumentList)
    calls = [each for each in found.instruments if each.right == "CE" and each.strike is not None]
    call = min(calls, key=lambda each: abs((each.strike or 0) - (spot.ltp or 0)))
    engine.world.feed.watch([call.name])
    await until(lambda: (quote := engine.board.get(call.name)) and quote.bid and quote.ask, f"a book of {call.name}")
    return call


async def place(house: House, account: str, call: Instrument, side: Side, price: int) -> Reply:
    terms = OrderTerms(account=account, contract=call.name, side=side, qty=call.lot, type=OrderType.LIMIT, price=price)
    return await house.engine.submit(PlaceOrder(id=fresh_id(), actor="test", terms=terms))


def order_of(house: House, reply: Reply) -> Order:
    assert reply.ok, reply
    return house.engine.state.orders[reply.ids[0]]


@pytest.mark.parametrize("broker", BROKERS)
async def test_a_live_account_quotes_trades_and_agrees_with_its_broker(
    broker: str, home: Path, tmp_path: Path, live: Raise
) -> None:
    async with rehearsed(broker, tmp_path / "market") as there:
        write_home(home, there)
        house = await live()
        state = house.engine.state
        assert state.accounts[broker].account.mode == "LIVE"
        assert [notice.text for notice in state.notices if notice.level == "alarm"] == []
        call = await near_call(house)
        quote = house.engine.board.get(call.name)
        assert quote is not None
        assert quote.ask is not None
        reply = await place(house, broker, call, Side.BUY, quote.ask + 20 * call.tick)
        await until(lambda: order_of(house, reply).status is OrderStatus.FILLED, "the fill")
        theirs = await there.market.broker.positions()
        assert [(row.contract, row.qty) for row in theirs] == [(call.name, call.lot)]
        ours = {key: held.qty for key, held in house.engine.state.positions.items() if held.qty}
        assert ours == {f"{broker}/NRML/{call.name}": call.lot}
        assert house.engine.state.letters == {}


@pytest.mark.parametrize("broker", BROKERS)
async def test_a_restart_finds_the_position_and_the_resting_order_again(
    broker: str, home: Path, tmp_path: Path, live: Raise
) -> None:
    async with rehearsed(broker, tmp_path / "market") as there:
        write_home(home, there)
        house = await live()
        call = await near_call(house)
        quote = house.engine.board.get(call.name)
        assert quote is not None
        assert quote.bid is not None
        low = quote.bid - 15_00
        reply = await place(house, broker, call, Side.BUY, low - low % call.tick)
        await until(lambda: order_of(house, reply).status is OrderStatus.OPEN, "the order resting")
        await house.stop("restart")
        again = await live()
        assert order_of(again, reply).status is OrderStatus.OPEN
        assert [row.tag for row in await there.market.broker.orders()] == [order_of(again, reply).tag]


@pytest.mark.parametrize("broker", BROKERS)
async def test_an_engine_that_starts_locked_enters_nothing_and_trades_once_it_is_unlocked(
    broker: str, home: Path, tmp_path: Path, live: Raise
) -> None:
    async with rehearsed(broker, tmp_path / "market") as there:
        write_home(home, there)
        house = await live(passphrase=None)
        codes = {notice.code for notice in house.engine.state.notices}
        assert "NOT_AGREED" in codes
        assert await house.strongroom.unlock(PASSPHRASE)
        await until(lambda: not house.market.stops(), "the day's contracts")
        await until(lambda: house.engine.health(broker).book_age is not None, "the book")
        call = await near_call(house)
        quote = house.engine.board.get(call.name)
        assert quote is not None
        assert quote.ask is not None
        reply = await place(house, broker, call, Side.BUY, quote.ask + 20 * call.tick)
        await until(lambda: order_of(house, reply).status is OrderStatus.FILLED, "the fill")


async def test_a_paper_account_trades_on_a_broker_s_prices_and_never_reaches_it(
    home: Path, tmp_path: Path, live: Raise
) -> None:
    async with rehearsed("zerodha", tmp_path / "market") as there:
        write_home(home, there)
        house = await live()
        call = await near_call(house)
        quote = house.engine.board.get(call.name)
        assert quote is not None
        assert quote.ask is not None
        reply = await place(house, "trial", call, Side.BUY, quote.ask + 20 * call.tick)
        await until(lambda: order_of(house, reply).status is OrderStatus.FILLED, "the fill on paper")
        assert await there.market.broker.orders() == []
