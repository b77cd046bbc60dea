"""What happens by the clock: end of day, square-off of MIS, settlement at expiry."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.model.instruments import Instrument, Right
from optconsole.engine.model.orders import OrderStatus, Product, Side
from optconsole.engine.ports import BrokerOrder, BrokerTrade, Rejected
from tests.brokers.paper.stage import (
    CALL,
    CAPITAL,
    DAY,
    EXPIRY,
    FUTURE,
    INDEX,
    LISTED,
    LOT,
    PUT,
    Stage,
    at,
    open_stage,
    option,
)


class TestEndOfDay:
    async def test_day_orders_expire_at_the_close_and_trade_no_more(self, stage: Stage) -> None:
        broker_id = await stage.place(stage.request())
        stage.clock.set(at("15:39:59"))
        stage.broker.on_time(stage.clock.now())
        assert (await stage.order(broker_id)).status is OrderStatus.OPEN
        stage.clock.set(at("15:40"))
        stage.show(CALL, (99_00, 650), (99_00, 650), ltp=99_00)
        order = await stage.order(broker_id)
        assert (order.status, order.filled, order.code) == (OrderStatus.EXPIRED, 0, "DAY_OVER")
        assert stage.told_orders(broker_id)[-1] == order

    async def test_a_partly_filled_order_keeps_its_fills(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, LOT), ltp=99_00)
        broker_id = await stage.place(stage.request(qty=2 * LOT))
        stage.broker.end_session(DAY)
        order = await stage.order(broker_id)
        assert (order.status, order.filled) == (OrderStatus.EXPIRED, LOT)

    async def test_ending_twice_changes_nothing(self, stage: Stage) -> None:
        await stage.place(stage.request())
        stage.broker.end_session(DAY)
        told = len(stage.updates)
        stage.broker.end_session(DAY)
        stage.broker.on_time(at("15:41"))
        assert len(stage.updates) == told

    async def test_an_order_of_a_day_nobody_saw_end_expires_at_the_next_load(self, stage: Stage) -> None:
        broker_id = await stage.place(stage.request())
        stage.clock.set(at("09:20", DAY + timedelta(days=1)))
        stage.broker.load(LISTED)
        (order,) = await stage.broker.orders()
        assert (order.broker_id, order.status) == (broker_id, OrderStatus.EXPIRED)

    async def test_a_new_day_shows_an_empty_book_and_forgets_old_prices(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_00)
        await stage.place(stage.request())
        stage.broker.end_session(DAY)
        stage.clock.set(at("09:20", DAY + timedelta(days=1)))
        stage.broker.load(LISTED)
        assert (await stage.broker.orders(), await stage.broker.trades()) == ([], [])
        assert await stage.net() == {CALL.name: LOT}
        broker_id = await stage.place(stage.request())
        assert (await stage.order(broker_id)).filled == 0

    async def test_listing_more_contracts_during_the_day_forgets_nothing(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_00)
        stage.broker.load([*LISTED, option(26_000)])
        broker_id = await stage.place(stage.request())
        assert (await stage.order(broker_id)).status is OrderStatus.FILLED


@pytest.fixture
def intraday() -> PaperSettings:
    return PaperSettings(mis_cutoff_minutes=15, mis_square_off_minutes=10)


class TestSquareOff:
    async def test_mis_is_closed_before_the_close_and_nrml_is_not(
        self, tmp_path: Path, intraday: PaperSettings
    ) -> None:
        stage = await open_stage(tmp_path, at("15:00"), intraday)
        stage.show(INDEX, ltp=25_000_00, booked=False)
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        await stage.place(stage.request(product=Product.MIS, price=101_00))
        await stage.place(stage.request(product=Product.NRML, qty=2 * LOT, price=101_00))
        resting = await stage.place(stage.request(product=Product.MIS, price=90_00))
        stage.updates.clear()
        stage.clock.set(at("15:29:59"))
        stage.broker.on_time(stage.clock.now())
        assert stage.updates == []
        stage.clock.set(at("15:30"))
        stage.broker.on_time(stage.clock.now())
        (cancelled,) = stage.told_orders(resting)
        assert (cancelled.status, cancelled.code) == (OrderStatus.CANCELLED, "AUTO_SQUARE_OFF")
        first, trade, last = [row for row in stage.updates if row is not cancelled]
        assert isinstance(first, BrokerOrder)
        assert (first.tag, first.side, first.product, first.code) == ("", Side.SELL, Product.MIS, "AUTO_SQUARE_OFF")
        assert isinstance(trade, BrokerTrade)
        assert (trade.tag, trade.price, trade.qty, trade.product) == ("", 99_00, LOT, Product.MIS)
        assert isinstance(last, BrokerOrder)
        assert last.status is OrderStatus.FILLED
        assert await stage.net() == {CALL.name: 2 * LOT}
        await stage.broker.close()

    async def test_a_short_is_bought_back_in_slices_below_the_freeze(
        self, tmp_path: Path, intraday: PaperSettings
    ) -> None:
        stage = await open_stage(tmp_path, at("15:00"), intraday)
        stage.show(INDEX, ltp=25_000_00, booked=False)
        far = LISTED[2]
        for size in (20 * LOT, 15 * LOT):
            stage.show(far, (1_00, size), (1_05, 9_999), ltp=1_00)
            bought = stage.request(qty=size, product=Product.MIS, price=1_05, instrument=far)
            await stage.place(bought)
        stage.updates.clear()
        stage.clock.set(at("15:31"))
        stage.show(far, (1_00, 99_999), (1_05, 9_999), ltp=1_00)
        assert [trade.qty for trade in stage.told_trades()] == [27 * LOT, 8 * LOT]
        assert await stage.net() == {}
        await stage.broker.close()

    async def test_without_a_buyer_the_order_waits_and_is_not_repeated(
        self, tmp_path: Path, intraday: PaperSettings
    ) -> None:
        stage = await open_stage(tmp_path, at("15:00"), intraday)
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        await stage.place(stage.request(product=Product.MIS, price=101_00))
        stage.show(CALL, None, (100_00, 650), ltp=99_50)
        for minute in range(30, 35):
            stage.clock.set(at(f"15:{minute}"))
            stage.broker.on_time(stage.clock.now())
        own = [order for order in await stage.broker.orders() if not order.tag]
        assert [(order.status, order.filled) for order in own] == [(OrderStatus.OPEN, 0)]
        stage.show(CALL, (98_00, 650), (100_00, 650), ltp=99_50)
        assert await stage.net() == {}
        await stage.broker.close()

    async def test_a_waiting_square_off_follows_the_band(self, tmp_path: Path, intraday: PaperSettings) -> None:
        stage = await open_stage(tmp_path, at("15:00"), intraday)
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=100_00)
        await stage.place(stage.request(product=Product.MIS, price=101_00))
        stage.show(CALL, None, None, ltp=100_00)
        stage.clock.set(at("15:30"))
        stage.broker.on_time(stage.clock.now())
        stage.clock.set(at("15:32"))
        stage.show(CALL, (50_00, 650), None, ltp=50_00)
        assert await stage.net() == {}
        assert stage.told_trades()[-1].price == 50_00
        await stage.broker.close()

    async def test_the_brokers_own_order_cannot_be_cancelled(self, tmp_path: Path, intraday: PaperSettings) -> None:
        stage = await open_stage(tmp_path, at("15:00"), intraday)
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        await stage.place(stage.request(product=Product.MIS, price=101_00))
        stage.show(CALL, None, None, ltp=99_50)
        stage.clock.set(at("15:30"))
        stage.broker.on_time(stage.clock.now())
        own = next(order for order in await stage.broker.orders() if not order.tag)
        outcome = await stage.broker.cancel(own.broker_id)
        assert isinstance(outcome, Rejected)
        assert outcome.code == "BROKER_ORDER"
        await stage.broker.close()

    async def test_a_restart_in_the_middle_does_not_close_twice(self, tmp_path: Path, intraday: PaperSettings) -> None:
        stage = await open_stage(tmp_path, at("15:00"), intraday)
        stage.show(CALL, (99_00, LOT), (100_00, 650), ltp=99_50)
        await stage.place(stage.request(product=Product.MIS, qty=3 * LOT, price=101_00))
        stage.clock.set(at("15:30"))
        stage.broker.on_time(stage.clock.now())
        assert await stage.net() == {CALL.name: 2 * LOT}
        await stage.broker.close()
        again = await open_stage(tmp_path, settings=intraday, clock=stage.clock)
        again.show(CALL, (99_00, 6500), (100_00, 650), ltp=99_50)
        again.broker.on_time(again.clock.now())
        assert await again.net() == {}
        assert sum(trade.qty for trade in await again.broker.trades() if trade.side is Side.SELL) == 3 * LOT
        await again.broker.close()


async def hold(stage: Stage, instrument: Instrument, side: Side, price: int) -> None:
    """Open one lot at ``price``."""
    stage.show(instrument, (price, 650), (price, 650), ltp=price)
    await stage.place(stage.request(side, price=price, instrument=instrument))


async def closing_half_hour(stage: Stage, values: list[int]) -> None:
    """Show the index once a minute in the last half hour, with other values before it."""
    stage.clock.set(at("15:09:30", EXPIRY))
    stage.show(INDEX, ltp=20_000_00, booked=False)
    for minute in range(30):
        stage.clock.set(at("15:10:30", EXPIRY) + timedelta(minutes=minute))
        stage.show(INDEX, ltp=values[minute % len(values)], booked=False)
    stage.clock.set(at("15:40", EXPIRY))
    stage.show(INDEX, ltp=99_999_00, booked=False)


class TestExpiry:
    async def test_each_position_is_paid_its_intrinsic_value_of_the_closing_mean(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, at("10:00", EXPIRY))
        stage.show(INDEX, ltp=25_000_00, booked=False)
        far = LISTED[2]
        await hold(stage, CALL, Side.BUY, 100_00)
        await hold(stage, PUT, Side.SELL, 50_00)
        await hold(stage, far, Side.SELL, 10_00)
        await hold(stage, FUTURE, Side.BUY, 25_010_00)
        before = stage.broker._books.cash
        await closing_half_hour(stage, [25_100_00, 25_100_01])
        value = 25_100_01  # the mean 25,100.005 to the nearest paisa
        paid = {row.contract: (row.qty, row.price) for row in stage.told_settlements()}
        assert paid == {
            CALL.name: (LOT, value - 25_000_00),
            PUT.name: (-LOT, 0),
            far.name: (-LOT, 0),
            FUTURE.name: (LOT, value),
        }
        assert await stage.net() == {}
        intrinsic = LOT * (value - 25_000_00)
        tax = round(intrinsic * 15 / 10_000)  # 0.15 % of the intrinsic value, of the exercised long only
        assert stage.broker._books.cash - before == intrinsic - tax + LOT * (value - 25_010_00)
        assert len(await stage.broker.settlements()) == 4
        await stage.broker.close()

    async def test_an_assigned_short_pays_and_bears_no_tax(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, at("10:00", EXPIRY))
        stage.show(INDEX, ltp=25_000_00, booked=False)
        await hold(stage, PUT, Side.SELL, 50_00)
        before = stage.broker._books.cash
        await closing_half_hour(stage, [24_900_00])
        assert stage.broker._books.cash - before == -LOT * 100_00
        await stage.broker.close()

    async def test_settling_happens_once(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, at("10:00", EXPIRY))
        stage.show(INDEX, ltp=25_000_00, booked=False)
        await hold(stage, CALL, Side.BUY, 100_00)
        await closing_half_hour(stage, [25_100_00])
        stage.broker.end_session(EXPIRY)
        stage.broker.on_time(at("15:50", EXPIRY))
        await stage.broker.close()
        again = await open_stage(tmp_path, clock=stage.clock)
        again.broker.end_session(EXPIRY)
        assert again.updates == []
        assert len(await again.broker.settlements()) == 1
        await again.broker.close()

    async def test_the_closing_minutes_survive_a_restart(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, at("10:00", EXPIRY))
        stage.show(INDEX, ltp=25_000_00, booked=False)
        await hold(stage, CALL, Side.BUY, 100_00)
        stage.clock.set(at("15:15:10", EXPIRY))
        stage.show(INDEX, ltp=25_200_00, booked=False)
        stage.clock.set(at("15:16:10", EXPIRY))
        stage.show(INDEX, ltp=25_300_00, booked=False)
        await stage.broker.close()
        again = await open_stage(tmp_path, clock=stage.clock)
        again.clock.set(at("15:17:10", EXPIRY))
        again.show(INDEX, ltp=25_400_00, booked=False)
        again.clock.set(at("15:40", EXPIRY))
        again.broker.on_time(again.clock.now())
        (row,) = again.told_settlements()
        assert row.price == 300_00, "the minute under way at the restart is lost, the finished one is not"
        await again.broker.close()

    async def test_an_expiry_nobody_watched_is_settled_at_the_first_index_value_seen_after(
        self, tmp_path: Path
    ) -> None:
        stage = await open_stage(tmp_path, at("10:00", EXPIRY))
        stage.show(INDEX, ltp=25_000_00, booked=False)
        await hold(stage, CALL, Side.BUY, 100_00)
        await stage.broker.close()
        later = option(25_000, Right.CALL, date(2026, 12, 1))
        again = await open_stage(tmp_path, at("09:30", date(2026, 11, 25)), listed=[INDEX, later])
        assert await again.net() == {CALL.name: LOT}, "an unknown value settles nothing"
        again.show(INDEX, ltp=25_050_00, booked=False)
        (row,) = again.told_settlements()
        assert (row.contract, row.price) == (CALL.name, 50_00)
        await again.broker.close()

    async def test_expired_orders_go_before_positions_are_settled(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, at("10:00", EXPIRY))
        stage.show(INDEX, ltp=25_000_00, booked=False)
        await hold(stage, CALL, Side.BUY, 100_00)
        resting = await stage.place(stage.request(Side.SELL, price=200_00))
        await closing_half_hour(stage, [25_100_00])
        assert (await stage.order(resting)).status is OrderStatus.EXPIRED
        assert stage.updates.index(stage.told_orders(resting)[-1]) < stage.updates.index(stage.told_settlements()[0])
        await stage.broker.close()


async def test_funds_are_capital_plus_flows_less_charges_less_margin(stage: Stage) -> None:
    assert (await stage.broker.funds()).cash == CAPITAL
    stage.show(CALL, (100_00, 650), (100_00, 650), ltp=100_00)
    await stage.place(stage.request(Side.SELL, price=100_00))
    funds = await stage.broker.funds()
    # market.md 9: selling 65 NIFTY options at 100 costs 36.08 in all
    assert funds.cash == CAPITAL + LOT * 100_00 - 36_08
    assert funds.margin_used > LOT * 100_00
    assert funds.free == funds.cash - funds.margin_used
