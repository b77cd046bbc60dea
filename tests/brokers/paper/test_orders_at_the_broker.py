"""Placing, changing and cancelling, as a client of the paper broker sees it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.model.orders import OrderStatus, Side, Validity
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.ports import Accepted, BrokerOrder, BrokerTrade, Doubtful, NotSent, Rejected
from tests.brokers.paper.stage import CALL, HEDGE, INDEX, LOT, Stage, at, open_stage


async def test_a_marketable_buy_fills_at_once_and_is_told_in_order(stage: Stage) -> None:
    stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
    broker_id = await stage.place(stage.request(price=101_00))
    kinds = [(type(row).__name__, getattr(row, "status", None)) for row in stage.updates]
    assert kinds == [("BrokerOrder", OrderStatus.OPEN), ("BrokerTrade", None), ("BrokerOrder", OrderStatus.FILLED)]
    (trade,) = await stage.broker.trades()
    assert (trade.broker_id, trade.qty, trade.price, trade.side) == (broker_id, LOT, 100_00, Side.BUY)
    assert await stage.net() == {CALL.name: LOT}


async def test_a_resting_buy_fills_when_the_ask_comes_down_not_when_the_last_trade_touches(stage: Stage) -> None:
    stage.show(CALL, (99_00, 650), (101_00, 650), ltp=100_50)
    broker_id = await stage.place(stage.request(price=100_00))
    stage.show(CALL, (99_00, 650), (101_00, 650), ltp=99_00)
    assert (await stage.order(broker_id)).filled == 0
    stage.show(CALL, (99_00, 650), (99_95, 650), ltp=99_00)
    assert (await stage.order(broker_id)).status is OrderStatus.FILLED
    assert stage.told_trades()[0].price == 99_95


async def test_the_unfilled_part_waits_for_new_size(stage: Stage) -> None:
    stage.show(CALL, (99_00, 650), (100_00, LOT), ltp=99_50)
    broker_id = await stage.place(stage.request(qty=4 * LOT))
    stage.show(CALL, (99_00, 650), (100_00, LOT), ltp=99_60)
    assert (await stage.order(broker_id)).filled == LOT, "an unchanged book has nothing new to sell"
    stage.show(CALL, (99_00, 650), (100_00, 2 * LOT), ltp=99_60)
    assert (await stage.order(broker_id)).filled == 3 * LOT
    stage.show(CALL, (99_00, 650), (99_90, 650), ltp=99_60)
    assert [trade.price for trade in stage.told_trades()] == [100_00, 100_00, 99_90]
    assert (await stage.order(broker_id)).status is OrderStatus.FILLED


async def test_two_orders_share_one_showing(stage: Stage) -> None:
    stage.show(CALL, (99_00, 650), (100_00, LOT), ltp=99_50)
    await stage.place(stage.request())
    second = await stage.place(stage.request())
    assert (await stage.order(second)).filled == 0


async def test_depth_is_walked_when_the_source_has_one(stage: Stage) -> None:
    stage.books[CALL.name] = Depth(CALL.name, 1, (), ((100_00, LOT), (100_10, LOT), (102_00, 650)))
    stage.show(CALL, (99_00, 650), (100_00, LOT), ltp=99_50)
    await stage.place(stage.request(qty=3 * LOT, price=101_00))
    assert [(trade.qty, trade.price) for trade in stage.told_trades()] == [(LOT, 100_00), (LOT, 100_10)]


async def test_an_order_before_the_first_quote_rests_and_an_ioc_expires(stage: Stage) -> None:
    resting = await stage.place(stage.request())
    gone = await stage.place(stage.request(validity=Validity.IOC))
    assert (await stage.order(resting)).status is OrderStatus.OPEN
    assert (await stage.order(gone)).status is OrderStatus.EXPIRED
    stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
    assert (await stage.order(resting)).status is OrderStatus.FILLED


async def test_a_stop_latches_and_tells_so_before_it_trades(stage: Stage) -> None:
    stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
    stop = await stage.place(stage.request(Side.BUY, price=112_00, trigger=110_00))
    assert (await stage.order(stop)).status is OrderStatus.TRIGGER_PENDING
    stage.show(CALL, (109_00, 650), (111_00, 650), ltp=110_00)
    told = [(row.status, row.triggered) for row in stage.told_orders(stop)]
    assert told == [
        (OrderStatus.TRIGGER_PENDING, False),
        (OrderStatus.OPEN, True),
        (OrderStatus.FILLED, True),
    ]
    assert stage.told_trades()[0].price == 111_00


async def test_the_same_tag_is_refused_and_makes_no_second_order(stage: Stage) -> None:
    first = await stage.place(stage.request(tag="V1AAA000000001X"))
    again = await stage.broker.place(stage.request(tag="V1AAA000000001X"))
    assert isinstance(again, Rejected)
    assert again.code == "DUPLICATE_TAG"
    assert [order.broker_id for order in await stage.broker.orders()] == [first]


async def test_a_tag_stays_taken_on_later_days(stage: Stage, tmp_path: Path) -> None:
    await stage.place(stage.request(tag="V1AAA000000001X"))
    await stage.broker.close()
    later = await open_stage(tmp_path, at("10:00", at("10:00").date().replace(day=19)))
    outcome = await later.broker.place(later.request(tag="V1AAA000000001X"))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "DUPLICATE_TAG"
    await later.broker.close()


class TestModify:
    async def test_a_better_price_trades_at_once_and_keeps_what_was_filled(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, LOT), ltp=99_50)
        broker_id = await stage.place(stage.request(qty=3 * LOT))
        stage.show(CALL, (99_00, 650), (101_00, 650), ltp=99_50)
        assert isinstance(await stage.modify(broker_id, 3 * LOT, 101_00), Accepted)
        order = await stage.order(broker_id)
        assert (order.status, order.filled, order.price) == (OrderStatus.FILLED, 3 * LOT, 101_00)

    async def test_less_than_is_filled_is_refused_and_changes_nothing(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, 2 * LOT), ltp=99_50)
        broker_id = await stage.place(stage.request(qty=3 * LOT))
        before = await stage.order(broker_id)
        for qty in (LOT, 2 * LOT):
            outcome = await stage.modify(broker_id, qty, 100_00)
            assert isinstance(outcome, Rejected)
            assert outcome.code == "BELOW_FILLED"
        assert await stage.order(broker_id) == before

    async def test_a_finished_or_unknown_order_cannot_be_changed(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        filled = await stage.place(stage.request())
        cancelled = await stage.place(stage.request(price=90_00))
        await stage.broker.cancel(cancelled)
        codes = [
            getattr(await stage.modify(key, LOT, 91_00), "code", "") for key in (filled, cancelled, "P99999900000001")
        ]
        assert codes == ["ORDER_FILLED", "ORDER_FINAL", "UNKNOWN_ORDER"]

    async def test_new_terms_pass_the_same_checks_as_a_new_order(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        broker_id = await stage.place(stage.request(price=90_00))
        before = await stage.order(broker_id)
        for qty, price, code in (
            (LOT + 1, 90_00, "LOT_MULTIPLE"),
            (28 * LOT, 90_00, "FREEZE_QUANTITY"),
            (LOT, 90_02, "TICK_SIZE"),
            (LOT, 150_00, "LPP"),
        ):
            outcome = await stage.modify(broker_id, qty, price)
            assert isinstance(outcome, Rejected)
            assert outcome.code == code
        assert await stage.order(broker_id) == before

    async def test_a_waiting_stop_keeps_waiting_on_a_new_trigger(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        stop = await stage.place(stage.request(price=112_00, trigger=110_00))
        assert isinstance(await stage.modify(stop, LOT, 107_00, 105_00), Accepted)
        order = await stage.order(stop)
        assert (order.status, order.trigger, order.price) == (OrderStatus.TRIGGER_PENDING, 105_00, 107_00)

    async def test_a_waiting_stop_without_trigger_becomes_a_marketable_limit(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        stop = await stage.place(stage.request(price=112_00, trigger=110_00))
        assert isinstance(await stage.modify(stop, LOT, 101_00, None), Accepted)
        assert (await stage.order(stop)).status is OrderStatus.FILLED

    async def test_a_triggered_stop_can_follow_the_price(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        stop = await stage.place(stage.request(price=110_00, trigger=110_00))
        stage.show(CALL, (112_00, 650), (113_00, 650), ltp=112_00)
        assert (await stage.order(stop)).triggered
        assert isinstance(await stage.modify(stop, LOT, 115_00, 110_00), Accepted)
        assert (await stage.order(stop)).status is OrderStatus.FILLED

    async def test_a_new_price_loses_the_place_in_the_queue(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (101_00, 650), ltp=99_50)
        first = await stage.place(stage.request())
        second = await stage.place(stage.request())
        await stage.modify(first, LOT, 99_50)
        await stage.modify(first, LOT, 100_00)
        stage.show(CALL, (99_00, 650), (100_00, LOT), ltp=99_50)
        assert ((await stage.order(first)).filled, (await stage.order(second)).filled) == (0, LOT)

    async def test_a_smaller_size_keeps_the_place_in_the_queue(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (101_00, 650), ltp=99_50)
        first = await stage.place(stage.request(qty=2 * LOT))
        second = await stage.place(stage.request())
        await stage.modify(first, LOT, 100_00)
        stage.show(CALL, (99_00, 650), (100_00, LOT), ltp=99_50)
        assert ((await stage.order(first)).filled, (await stage.order(second)).filled) == (LOT, 0)


class TestCancel:
    async def test_what_is_unfilled_goes_and_what_is_filled_stays(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, LOT), ltp=99_50)
        broker_id = await stage.place(stage.request(qty=3 * LOT))
        assert isinstance(await stage.broker.cancel(broker_id), Accepted)
        order = await stage.order(broker_id)
        assert (order.status, order.filled) == (OrderStatus.CANCELLED, LOT)
        stage.show(CALL, (99_00, 650), (99_00, 650), ltp=99_50)
        assert await stage.net() == {CALL.name: LOT}

    async def test_a_filled_order_says_so(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        outcome = await stage.broker.cancel(await stage.place(stage.request()))
        assert isinstance(outcome, Rejected)
        assert outcome.code == "ORDER_FILLED"
        assert "filled completely" in outcome.reason

    async def test_twice_or_unknown_is_refused(self, stage: Stage) -> None:
        broker_id = await stage.place(stage.request())
        await stage.broker.cancel(broker_id)
        codes = [getattr(await stage.broker.cancel(key), "code", "") for key in (broker_id, "nonsense")]
        assert codes == ["ORDER_FINAL", "UNKNOWN_ORDER"]


class TestDelays:
    async def test_an_order_meets_the_market_that_it_finds_on_arrival(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, settings=PaperSettings(ack_latency_ms=400, latency_jitter_ms=100))
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        started = stage.clock.monotonic()
        await stage.place(stage.request())
        assert 0.4 <= stage.clock.monotonic() - started <= 0.5
        vitals = stage.broker.vitals()
        assert vitals.latency_p50 is not None
        assert 400 <= vitals.latency_p50 <= 500
        await stage.broker.close()

    async def test_updates_come_late_but_in_order_while_the_book_knows_already(self, tmp_path: Path) -> None:
        settings = PaperSettings(update_latency_ms=250, latency_jitter_ms=200)
        stage = await open_stage(tmp_path, settings=settings)
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        broker_id = await stage.place(stage.request())
        assert stage.updates == []
        assert (await stage.order(broker_id)).status is OrderStatus.FILLED
        for _ in range(20):
            await stage.clock.sleep(0)
        assert [type(row) for row in stage.updates] == [BrokerOrder, BrokerTrade, BrokerOrder]
        assert stage.clock.monotonic() >= 0.25
        await stage.broker.close()


async def test_the_book_is_read_after_every_call_that_is_on_its_way(tmp_path: Path) -> None:
    stage = await open_stage(tmp_path, settings=PaperSettings(ack_latency_ms=300))
    call = asyncio.create_task(stage.broker.place(stage.request()))
    await asyncio.sleep(0)
    assert stage.broker.book_is_proof
    (row,) = await stage.broker.orders()
    outcome = await call
    assert isinstance(outcome, Accepted)
    assert row.broker_id == outcome.broker_id
    await stage.broker.close()


async def test_after_the_connection_is_closed_nothing_leaves(stage: Stage) -> None:
    await stage.broker.close()
    assert isinstance(await stage.broker.place(stage.request()), NotSent)


async def test_one_batch_may_hold_several_quotes_of_a_contract(stage: Stage) -> None:
    stop = await stage.place(stage.request(price=112_00, trigger=110_00))
    quotes = [
        Quote(name=CALL.name, ts=number, bid=bid, bid_qty=650, ask=bid + 1_00, ask_qty=650, ltp=bid)
        for number, bid in enumerate((100_00, 115_00, 100_00))
    ]
    stage.broker.on_quotes(quotes)
    assert [trade.price for trade in stage.told_trades()] == [101_00], "latched at 115, filled when the ask came back"
    assert (await stage.order(stop)).status is OrderStatus.FILLED


async def test_a_step_the_ledger_cannot_take_did_not_happen_and_is_in_doubt(stage: Stage) -> None:
    stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
    resting = await stage.place(stage.request(price=98_00))
    stage.broker._ledger._db.execute("PRAGMA query_only=ON")
    outcome = await stage.broker.place(stage.request())
    assert isinstance(outcome, Doubtful)
    stage.show(CALL, (97_00, 650), (98_00, 650), ltp=99_50)
    assert stage.broker.vitals().order_write == "DEAD"
    assert (await stage.order(resting)).filled == 0
    assert await stage.net() == {}
    stage.broker._ledger._db.execute("PRAGMA query_only=OFF")
    stage.show(CALL, (97_00, 650), (98_00, 650), ltp=99_50)
    assert (await stage.order(resting)).status is OrderStatus.FILLED
    assert stage.broker.vitals().order_write == "LIVE"


async def test_other_contracts_quotes_touch_nothing(stage: Stage) -> None:
    broker_id = await stage.place(stage.request())
    stage.show(HEDGE, (1_00, 650), (1_05, 650), ltp=1_00)
    stage.show(INDEX, ltp=24_000_00, booked=False)
    assert (await stage.order(broker_id)).filled == 0
