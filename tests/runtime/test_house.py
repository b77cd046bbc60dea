from __future__ import annotations

import asyncio
import contextlib
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from optconsole.engine import events as ev
from optconsole.engine import queries as q
from optconsole.engine.commands import CancelOrder, Flatten, ModifyOrder, PlaceOrder
from optconsole.engine.events import Recorded
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus, OrderTerms, OrderType, Product, Side
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import JournalBroken
from optconsole.engine.state import digest
from optconsole.options import RunOptions
from optconsole.runtime.house import House, open_house
from tests.runtime.conftest import Open, Trader, codes_told


async def abandon(house: House) -> None:
    """Let go of everything as a killed process would: no farewell in the journal."""
    with contextlib.suppress(Refusal, JournalBroken):
        await house.stop("abandoned")


def open_quantities(house: House) -> dict[str, int]:
    return {key: held.qty for key, held in house.engine.state.positions.items() if held.qty}


async def test_a_protected_market_sale_fills_inside_the_book(opened: Open) -> None:
    house = await opened()
    trader = Trader(house)
    call = await trader.at_the_money()
    order = await trader.place(call, Side.SELL)
    assert order.status is OrderStatus.FILLED
    limit = order.terms.protection
    assert limit is not None
    assert all(trade.price >= limit for trade in house.engine.state.trades.values())
    assert sum(trade.charges for trade in house.engine.state.trades.values()) == order.charges > 2_000


async def test_a_resting_limit_is_modified_into_the_market_and_fills(opened: Open) -> None:
    house = await opened()
    trader = Trader(house)
    call = await trader.at_the_money()
    quote = house.engine.board.get(call.name)
    assert quote is not None
    assert quote.bid is not None
    assert quote.ask is not None
    low = quote.bid - 1_000
    resting = await trader.place(call, Side.BUY, type=OrderType.LIMIT, price=low - low % 5)
    assert resting.status is OrderStatus.OPEN
    high = quote.ask + 500
    reply = await house.engine.submit(ModifyOrder(id="m", actor="test", order_id=resting.id, price=high - high % 5))
    assert reply.ok
    await trader.until(lambda: house.engine.state.orders[resting.id].status is OrderStatus.FILLED)


async def test_a_cancelled_order_is_cancelled_by_the_exchanges_word(opened: Open) -> None:
    house = await opened()
    trader = Trader(house)
    call = await trader.at_the_money()
    quote = house.engine.board.get(call.name)
    assert quote is not None
    assert quote.bid is not None
    low = quote.bid - 1_000
    resting = await trader.place(call, Side.BUY, type=OrderType.LIMIT, price=low - low % 5)
    assert (await house.engine.submit(CancelOrder(id="x", actor="test", order_id=resting.id))).ok
    await trader.until(lambda: house.engine.state.orders[resting.id].status is OrderStatus.CANCELLED)


@pytest.mark.parametrize("type", [OrderType.SL, OrderType.SL_M])
async def test_a_stop_waits_for_its_trigger(opened: Open, type: OrderType) -> None:
    house = await opened()
    trader = Trader(house)
    call = await trader.at_the_money()
    await trader.place(call, Side.SELL)
    quote = house.engine.board.get(call.name)
    assert quote is not None
    assert quote.ask is not None
    trigger = quote.ask + 4_000 - quote.ask % 5
    price = trigger + 500 if type is OrderType.SL else None
    stop = await trader.place(call, Side.BUY, type=type, price=price, trigger=trigger)
    assert stop.status is OrderStatus.TRIGGER_PENDING


async def test_a_repeated_command_is_answered_and_not_repeated(opened: Open) -> None:
    house = await opened()
    trader = Trader(house)
    call = await trader.at_the_money()
    terms = OrderTerms(account="paper", contract=call.name, side=Side.SELL, qty=call.lot, type=OrderType.MARKET)
    command = PlaceOrder(id="same", actor="test", terms=terms)
    replies = await asyncio.gather(*(house.engine.submit(command) for _ in range(50)))
    assert len({reply.ids for reply in replies}) == 1
    assert len(house.engine.state.orders) == 1


async def test_stopping_and_starting_again_changes_no_order_position_or_profit(opened: Open, home: Path) -> None:
    first = await open_house(RunOptions(home=home))
    trader = Trader(first)
    call = await trader.at_the_money()
    await trader.place(call, Side.SELL, lots=2)
    quote = first.engine.board.get(call.name)
    assert quote is not None
    assert quote.bid is not None
    low = quote.bid - 1_000
    resting = await trader.place(call, Side.BUY, type=OrderType.LIMIT, price=low - low % 5)
    first.feed.pause()
    await first.engine.settled()
    before = first.engine.state
    stopped_at = first.engine.world.clock.now()
    await first.stop("over")

    again = await opened(hold=True)
    assert again.engine.state.positions == before.positions
    assert again.engine.state.trades == before.trades
    assert again.engine.state.orders[resting.id].status is OrderStatus.OPEN
    assert abs(again.engine.world.clock.now() - stopped_at) < timedelta(seconds=1)


async def test_replaying_the_journal_gives_the_live_state(opened: Open) -> None:
    house = await opened()
    trader = Trader(house)
    call = await trader.at_the_money()
    await trader.place(call, Side.SELL)
    await house.engine.submit(Flatten(id="f", actor="test"))
    await trader.until(lambda: not open_quantities(house))
    house.feed.pause()
    await house.engine.settled()
    verdict = await house.engine.query(q.VerifyJournal())
    assert isinstance(verdict, q.JournalVerdict)
    assert verdict.ok, verdict.text
    assert verdict.events == house.engine.state.seq
    assert digest(house.engine.state.copy()) == digest(house.engine.state)


async def test_a_second_engine_on_the_same_home_is_refused(opened: Open, home: Path) -> None:
    await opened()
    with pytest.raises(Refusal) as refused:
        await open_house(RunOptions(home=home))
    assert refused.value.code == "ENGINE_RUNNING"


async def test_a_fresh_practice_market_begins_on_the_day_asked_for(opened: Open) -> None:
    house = await opened(first_day=date(2026, 12, 1), hold=True)
    assert house.engine.world.clock.now().replace(second=0, microsecond=0) == datetime(2026, 12, 1, 9, 20, tzinfo=IST)
    assert house.engine.state.day == date(2026, 12, 1)


async def test_a_first_day_without_a_session_is_refused_with_the_next_that_has_one(home: Path) -> None:
    with pytest.raises(Refusal) as refused:
        await open_house(RunOptions(home=home, first_day=date(2026, 11, 24)))
    assert refused.value.code == "NO_SESSION"
    assert "the next one is Wed 25 Nov 2026" in str(refused.value)


async def test_a_practice_market_that_has_begun_takes_no_other_first_day(home: Path) -> None:
    first = await open_house(RunOptions(home=home, hold=True))
    await first.stop("test over")
    with pytest.raises(Refusal) as refused:
        await open_house(RunOptions(home=home, first_day=date(2026, 11, 25)))
    assert refused.value.code == "PRACTICE_BEGUN"
    again = await open_house(RunOptions(home=home, first_day=date(2026, 11, 23), hold=True))
    await again.stop("test over")


async def test_a_start_that_is_refused_lets_the_home_go(home: Path, opened: Open) -> None:
    with pytest.raises(Refusal) as refused:
        await open_house(RunOptions(home=home, start_at="25:00"))
    assert refused.value.code == "BAD_TIME"
    assert (await opened()).engine.state.ready


async def test_the_close_squares_off_intraday_settles_expiry_and_opens_the_next_day(opened: Open) -> None:
    house = await opened(start_at="15:25", speed=0.0, rate=20, hold=True)
    engine, trader = house.engine, Trader(house)
    await trader.until(lambda: engine.board.get("NIFTY") is not None)
    first_day = engine.state.day
    assert first_day is not None
    moment = engine.world.clock.now()
    await house.feed.run_to(moment.replace(hour=15, minute=26, second=0))
    expiring = await trader.at_the_money(nth_expiry=0)
    carried = await trader.at_the_money(nth_expiry=1)
    assert expiring.expiry == first_day
    await trader.place(expiring, Side.BUY)
    await trader.place(carried, Side.SELL)
    quote = engine.board.get(carried.name)
    assert quote is not None
    assert quote.bid is not None
    low = quote.bid - 2_000
    resting = await trader.place(carried, Side.BUY, type=OrderType.LIMIT, price=low - low % 5)
    assert resting.status is OrderStatus.OPEN
    house.feed.resume(0.0)
    await trader.until(lambda: engine.state.day is not None and engine.state.day > first_day, 60.0)
    house.feed.pause()
    await engine.settled()
    assert list(open_quantities(house)) == [f"paper/NRML/{carried.name}"]
    assert resting.id not in engine.state.orders
    theirs = await engine.world.brokers["paper"].positions()
    assert {(row.contract, row.qty) for row in theirs if row.qty} == {(carried.name, -carried.lot)}
    kinds = {type(fact.event).__name__ for fact in await engine.world.journal.read(limit=1000)}
    assert {"PositionSettled", "OrderExpired", "SessionClosed"} <= kinds


async def test_intraday_positions_are_closed_by_the_broker_before_the_close(opened: Open) -> None:
    house = await opened(start_at="15:20", speed=0.0, rate=20, hold=True)
    engine, trader = house.engine, Trader(house)
    await trader.until(lambda: engine.board.get("NIFTY") is not None)
    call = await trader.at_the_money()
    order = await trader.place(call, Side.SELL, product=Product.MIS)
    assert order.status is OrderStatus.FILLED
    close = engine.world.clock.now().replace(hour=15, minute=35, second=0)
    await house.feed.run_to(close)
    await engine.settled()
    assert open_quantities(house) == {}
    adopted = [held for held in engine.state.orders.values() if held.terms.side is Side.BUY]
    assert [held.status for held in adopted] == [OrderStatus.FILLED]


async def test_a_flatten_cut_short_by_a_crash_is_finished_by_the_next_start(opened: Open, home: Path) -> None:
    first = await open_house(RunOptions(home=home))
    trader = Trader(first)
    await trader.place(await trader.at_the_money(), Side.SELL)
    wish = ev.FlattenBegun(flatten_id="f", kind="all", name="", percent=100, why="flatten")
    fact = Recorded(seq=first.engine.state.seq + 1, at=first.engine.world.clock.now(), actor="t", cause="f", event=wish)
    # What a crash leaves behind: the wish is durable, its closing orders were never decided.
    await first.engine.world.journal.append([fact])
    first.feed.pause()
    await abandon(first)

    again = await opened()
    await Trader(again).until(lambda: not open_quantities(again) and not again.engine.state.flattening)


async def test_a_later_goal_replaces_the_one_before_and_a_pause_gives_it_up(opened: Open) -> None:
    house = await opened(start_at="10:00", speed=1.0, hold=True)
    clock, feed = house.engine.world.clock, house.feed
    start = clock.now()
    far = asyncio.create_task(feed.run_to(start + timedelta(hours=3)))
    await asyncio.sleep(0)
    feed.resume(0.0)
    await feed.run_to(start + timedelta(seconds=30))
    async with asyncio.timeout(20):
        await far
    assert clock.now() == start + timedelta(seconds=30)
    feed.resume(1.0)
    late = asyncio.create_task(feed.run_to(start + timedelta(hours=2)))
    await asyncio.sleep(0)
    feed.pause()
    async with asyncio.timeout(20):
        await late
    feed.resume(0.0)
    await Trader(house).until(lambda: clock.now() > start + timedelta(seconds=60))
    assert not feed.paused


async def test_the_worst_case_of_a_stop_to_buy_is_its_worst_price(opened: Open) -> None:
    house = await opened()
    trader = Trader(house)
    call = await trader.at_the_money()
    quote = house.engine.board.get(call.name)
    assert quote is not None
    assert quote.ask is not None
    trigger = quote.ask + 4_000 - quote.ask % 5
    terms = OrderTerms(
        account="paper", contract=call.name, side=Side.BUY, qty=call.lot, type=OrderType.SL_M, trigger=trigger
    )
    preview = await house.engine.query(q.PreviewOrder(terms=terms))
    assert isinstance(preview, q.OrderPreview)
    assert preview.protection is not None
    assert preview.protection > trigger
    assert preview.max_loss == call.lot * preview.protection


async def test_the_journal_says_why_the_engine_stopped(opened: Open) -> None:
    first = await opened(hold=True)
    await first.stop("the day is done")
    again = await opened(hold=True)
    facts = await again.engine.world.journal.read(limit=1000)
    assert [fact.event.reason for fact in facts if isinstance(fact.event, ev.EngineStopped)] == ["the day is done"]


async def test_a_start_plays_to_its_goal_and_holds_and_refuses_one_that_is_past(opened: Open) -> None:
    with pytest.raises(Refusal) as refused:
        await opened(start_at="10:00", until="09:30")
    assert refused.value.code == "TIME_PASSED"
    house = await opened(until="10:01", speed=0.0)
    await Trader(house).until(lambda: house.feed.paused)
    assert house.engine.world.clock.now().strftime("%H:%M:%S") == "10:01:00"


async def test_a_state_that_its_journal_does_not_give_is_an_alarm_while_trading_goes_on(opened: Open) -> None:
    house = await opened(hold=True)
    trader = Trader(house)
    await trader.place(await trader.at_the_money(), Side.SELL)
    await house.engine.self_check()
    await house.engine.settled()
    assert codes_told(house) == []
    house.engine.state.order_count += 1
    await house.engine.self_check()
    await house.engine.self_check()
    await house.engine.settled()
    assert codes_told(house) == ["SENTINEL_I8"]
