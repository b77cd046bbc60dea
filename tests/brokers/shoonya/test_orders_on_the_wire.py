"""Orders over a real connection: one request each, and an outcome for whatever comes back or does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from optconsole.engine.model.orders import OrderStatus, OrderType, Side
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.ports import (
    LOGIN_LOST,
    Accepted,
    BrokerOrder,
    BrokerTrade,
    BrokerUnreachable,
    BrokerUpdate,
    Doubtful,
    LoginLost,
    ModifyRequest,
    NotSent,
    Rejected,
)
from tests.brokers.shoonya.loopback import DEAD, Bench, bench, shoonya
from tests.brokers.shoonya.stage import CALL, request
from tests.brokers.shoonya.test_published_examples import FILLED, OPENED
from tests.brokers.shoonya.test_rows import ORDER

NUMBER = "26112400000017"
PLACED = json.dumps({"stat": "Ok", "norenordno": NUMBER}).encode()
CHANGED = json.dumps({"stat": "Ok", "result": NUMBER}).encode()
TRADE = {**ORDER, "trantype": "B", "flid": "380225664", "flqty": "65", "flprc": "123.40", "fltm": "24-11-2026 10:15:04"}


def book(*rows: dict[str, Any]) -> bytes:
    return json.dumps(list(rows)).encode()


@pytest.fixture
async def desk() -> AsyncIterator[tuple[Bench, list[BrokerUpdate]]]:
    async with shoonya() as house, bench(house) as opened:
        told: list[BrokerUpdate] = []
        await opened.gateway.broker.connect(told.append)
        yield opened, told


Desk = tuple[Bench, list[BrokerUpdate]]


async def test_an_order_leaves_once_with_the_token_and_the_raw_body(desk: Desk) -> None:
    opened, _ = desk
    opened.house.answer("PlaceOrder", PLACED)
    assert await opened.gateway.broker.place(request()) == Accepted(NUMBER)
    (sent,) = opened.house.asked("PlaceOrder")
    assert sent.headers["authorization"] == "bearer acc-demo"
    assert sent.headers["content-type"] == "text/plain"
    assert sent.body.startswith(b'jData={"uid":"FA1234","actid":"FA1234","exch":"NFO"')
    assert opened.gateway.broker.vitals().latency_p50 is not None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, b"<html>502 Bad Gateway</html>"),
        (200, b"<html>maintenance</html>"),
        (200, b"{}"),
        (400, b'{"stat":"Not_Ok","emsg":"Server Timeout :"}'),
        (200, b'{"stat":"Not_Ok","emsg":"a text that nobody has seen"}'),
        (429, b""),
        (302, b""),
    ],
)
async def test_an_unclear_answer_is_doubt_and_is_kept_and_the_order_is_sent_once(
    desk: Desk, status: int, body: bytes
) -> None:
    opened, _ = desk
    opened.house.answer("PlaceOrder", body, status=status)
    assert isinstance(await opened.gateway.broker.place(request()), Doubtful)
    assert len(opened.house.asked("PlaceOrder")) == 1
    assert "UNCLEAR_ANSWER" in opened.desk.kinds()


async def test_a_connection_that_breaks_after_the_order_leaves_it_in_doubt(desk: Desk) -> None:
    opened, _ = desk
    opened.house.answer("PlaceOrder", lambda _fields: None)
    assert isinstance(await opened.gateway.broker.place(request()), Doubtful)
    assert len(opened.house.asked("PlaceOrder")) == 1


async def test_no_connection_means_that_nothing_was_sent_and_the_tag_is_free_again() -> None:
    async with shoonya() as house, bench(house, rest_url="http://127.0.0.1:9/none") as opened:
        await opened.gateway.broker.connect(lambda _update: None)
        assert isinstance(await opened.gateway.broker.place(request()), NotSent)
        assert isinstance(await opened.gateway.broker.place(request()), NotSent)


async def test_a_broker_that_repeats_our_token_tells_it_to_nobody_else(desk: Desk) -> None:
    opened, _ = desk
    opened.house.answer("PlaceOrder", b"<html>bad header: Bearer acc-demo</html>")
    opened.house.answer("OrderBook", b'{"stat":"Not_Ok","emsg":"who is acc-demo"}')
    outcome = await opened.gateway.broker.place(request())
    with pytest.raises(BrokerUnreachable) as failed:
        await opened.gateway.broker.orders()
    await opened.house.sockets[-1].send('{"t":"om" acc-demo')
    await opened.house.until(lambda: "BAD_FRAME" in opened.desk.kinds())
    assert "acc-demo" not in f"{outcome} {failed.value} {opened.desk.kept}"


async def test_a_tag_leaves_once(desk: Desk) -> None:
    opened, _ = desk
    opened.house.answer("PlaceOrder", b"<html>")
    assert isinstance(await opened.gateway.broker.place(request()), Doubtful)
    again = await opened.gateway.broker.place(request())
    assert isinstance(again, Rejected)
    assert again.code == "DUPLICATE_TAG"
    assert len(opened.house.asked("PlaceOrder")) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": 123_46}, "OFF_TICK"),
        ({"trigger": 120_01}, "OFF_TICK"),
        ({"qty": 66}, "BAD_LOT"),
        ({"qty": 0}, "BAD_LOT"),
        ({"price": 0}, "OFF_TICK"),
        ({"tag": "a&b"}, "BAD_TAG"),
    ],
)
async def test_what_the_risk_desk_would_refuse_later_is_not_sent(
    desk: Desk, changes: dict[str, Any], code: str
) -> None:
    opened, _ = desk
    outcome = await opened.gateway.broker.place(request(**changes))
    assert isinstance(outcome, Rejected)
    assert outcome.code == code
    assert opened.house.asked("PlaceOrder") == []


async def test_a_dead_token_is_shown_to_the_broker_once_and_a_new_one_is_used_at_once(desk: Desk) -> None:
    opened, _ = desk
    broker, house = opened.gateway.broker, opened.house
    house.answer("PlaceOrder", DEAD)
    first = await broker.place(request(tag="A1"))
    assert isinstance(first, Rejected)
    assert first.code == LOGIN_LOST
    with pytest.raises(LoginLost):
        await broker.orders()
    second = await broker.place(request(tag="A2"))
    assert isinstance(second, Rejected)
    assert second.code == LOGIN_LOST
    assert len(house.asked("PlaceOrder")) == 1
    assert broker.vitals().order_write is LinkState.DEAD
    opened.keys.held["access_token"] = "acc-new"
    house.answer("PlaceOrder", PLACED)
    assert await broker.place(request(tag="A3")) == Accepted(NUMBER)
    assert house.asked("PlaceOrder")[-1].headers["authorization"] == "bearer acc-new"


async def test_without_a_login_nothing_is_asked(desk: Desk) -> None:
    opened, _ = desk
    del opened.keys.held["access_token"]
    asked = len(opened.house.requests)
    with pytest.raises(LoginLost):
        await opened.gateway.broker.funds()
    assert isinstance(await opened.gateway.broker.cancel(NUMBER), Rejected)
    assert len(opened.house.requests) == asked


async def test_a_stop_turns_into_a_limit_order_by_a_change_without_a_trigger(desk: Desk) -> None:
    opened, _ = desk
    opened.house.answer("PlaceOrder", PLACED)
    opened.house.answer("ModifyOrder", CHANGED)
    await opened.gateway.broker.place(request(side=Side.SELL, price=119_00, trigger=120_00))
    turned = ModifyRequest(broker_id=NUMBER, qty=65, price=98_00, trigger=None)
    assert await opened.gateway.broker.modify(turned) == Accepted(NUMBER)
    fields = opened.house.asked("ModifyOrder")[0].fields
    assert (fields["prctyp"], fields["tsym"], fields["qty"], fields["prc"]) == (
        "LMT",
        "NIFTY24NOV26C25000",
        "65",
        "98.00",
    )
    assert "trgprc" not in fields


async def test_an_order_of_an_earlier_life_is_looked_up_before_it_is_changed(desk: Desk) -> None:
    opened, _ = desk
    opened.house.answer("OrderBook", book({**ORDER, "ret": "IOC"}))
    opened.house.answer("ModifyOrder", CHANGED)
    change = ModifyRequest(broker_id=NUMBER, qty=65, price=98_00, trigger=99_00)
    assert await opened.gateway.broker.modify(change) == Accepted(NUMBER)
    fields = opened.house.asked("ModifyOrder")[0].fields
    assert (fields["ret"], fields["prctyp"], fields["trgprc"]) == ("IOC", "SL-LMT", "99.00")


async def test_an_order_that_nobody_knows_cannot_be_changed_and_one_that_cannot_be_looked_up_is_not(desk: Desk) -> None:
    opened, _ = desk
    change = ModifyRequest(broker_id="26112400000099", qty=65, price=98_00, trigger=None)
    unknown = await opened.gateway.broker.modify(change)
    assert isinstance(unknown, Rejected)
    assert unknown.code == "ORDER_UNKNOWN"
    opened.house.answer("OrderBook", b"<html>", status=502)
    assert isinstance(await opened.gateway.broker.modify(change), NotSent)
    assert opened.house.asked("ModifyOrder") == []


async def test_orders_beyond_the_rate_wait_and_those_that_would_wait_too_long_are_not_sent() -> None:
    async with shoonya() as house, bench(house, orders_a_second=3, longest_wait=0.2) as opened:
        house.answer("PlaceOrder", PLACED)
        await opened.gateway.broker.connect(lambda _update: None)
        outcomes = await asyncio.gather(*(opened.gateway.broker.place(request(tag=f"A{n}")) for n in range(5)))
        held = [outcome for outcome in outcomes if isinstance(outcome, NotSent)]
        assert [outcome.held for outcome in held] == [True, True]
        assert len(house.asked("PlaceOrder")) == 3


async def test_what_a_sister_broker_takes_in_a_minute_slows_orders_and_holds_none_back() -> None:
    async with shoonya() as house, bench(house, orders_a_minute=2, longest_wait=0.1) as opened:
        house.answer("PlaceOrder", PLACED)
        await opened.gateway.broker.connect(lambda _update: None)
        outcomes = [await opened.gateway.broker.place(request(tag=f"A{n}")) for n in range(4)]
        assert outcomes == [Accepted(NUMBER)] * 4


async def test_the_books_are_read_by_their_endpoints(desk: Desk) -> None:
    opened, _ = desk
    house, broker = opened.house, opened.gateway.broker
    house.answer("OrderBook", book(ORDER))
    house.answer("SingleOrdHist", book({**ORDER, "status": "OPEN"}, {**ORDER, "status": "PENDING"}))
    house.answer("TradeBook", book(TRADE))
    held = {"exch": "NFO", "tsym": "NIFTY24NOV26C25000", "prd": "I", "netqty": "-65"}
    house.answer("PositionBook", book(held, {**held, "prd": "B", "netqty": "-65"}, {**held, "prd": "M", "netqty": "0"}))
    house.answer("Limits", b'{"stat":"Ok","cash":"1000.00","marginused":"400.50"}')
    house.answer("GetBasketMargin", b'{"stat":"Ok","marginused":"900.00","marginusedtrade":"700.25","remarks":"ok"}')
    (order,) = await broker.orders()
    assert (order.broker_id, order.contract, order.type) == (NUMBER, CALL, OrderType.SL)
    assert [each.status for each in await broker.history(NUMBER)] == [OrderStatus.SENT, OrderStatus.OPEN]
    (trade,) = await broker.trades()
    assert (trade.trade_id, trade.price) == ("380225664", 123_40)
    assert [(each.contract, each.qty) for each in await broker.positions()] == [(CALL, -130)]
    assert (await broker.funds()).free == 599_50
    assert await broker.margin([request(), request(tag="B2")]) == 700_25
    asked = house.asked("GetBasketMargin")[0].fields
    assert asked["tsym"] == asked["basketlists"][0]["tsym"] == "NIFTY24NOV26C25000"
    assert await broker.settlements() == []


async def test_a_book_with_a_row_that_cannot_be_read_is_unknown_unless_it_is_of_another_market(desk: Desk) -> None:
    opened, _ = desk
    share = {**ORDER, "norenordno": "26112400000018", "exch": "NSE", "tsym": "ACC-EQ", "qty": "?"}
    opened.house.answer("OrderBook", book(ORDER, share))
    assert [order.broker_id for order in await opened.gateway.broker.orders()] == [NUMBER]
    assert "BAD_ROW" in opened.desk.kinds()
    opened.house.answer("OrderBook", book(ORDER, {**ORDER, "norenordno": "26112400000018", "qty": "?"}))
    with pytest.raises(BrokerUnreachable):
        await opened.gateway.broker.orders()


async def test_a_book_is_not_read_before_the_contracts_are_known() -> None:
    async with shoonya() as house:
        house.answer("OrderBook", book(ORDER))
        async with bench(house) as opened:
            opened.gateway.broker._master = None
            with pytest.raises(BrokerUnreachable):
                await opened.gateway.broker.orders()


async def test_a_contract_that_is_not_listed_keeps_the_brokers_name(desk: Desk) -> None:
    opened, _ = desk
    opened.house.answer("OrderBook", book({**ORDER, "tsym": "NIFTY01DEC26C1"}))
    (order,) = await opened.gateway.broker.orders()
    assert order.contract == "NIFTY01DEC26C1"
    assert "UNKNOWN_CONTRACT" in opened.desk.kinds()


async def test_a_fill_is_told_before_the_end_of_its_order(desk: Desk) -> None:
    opened, told = desk
    for text in (OPENED, FILLED):
        await opened.house.sockets[-1].send(text)
    await opened.house.until(lambda: len(told) == 3)
    assert [type(each) for each in told] == [BrokerOrder, BrokerTrade, BrokerOrder]


async def test_a_fill_without_its_details_is_completed_from_the_books(desk: Desk) -> None:
    opened, told = desk
    filled = {"qty": "65", "status": "COMPLETE", "fillshares": "65", "prctyp": "LMT", "trgprc": "0", "trantype": "B"}
    opened.house.answer("TradeBook", book(TRADE))
    opened.house.answer("OrderBook", book({**ORDER, **filled}))
    bare = {name: value for name, value in json.loads(FILLED).items() if name not in ("flid", "fltm")}
    await opened.house.push(**bare)
    await opened.house.until(lambda: len(told) == 2)
    trade, order = told
    assert isinstance(trade, BrokerTrade)
    assert isinstance(order, BrokerOrder)
    assert (trade.trade_id, order.status) == ("380225664", OrderStatus.FILLED)


async def test_a_reading_does_not_overtake_what_the_stream_said_meanwhile(desk: Desk) -> None:
    opened, told = desk
    late = asyncio.Event()

    def slowly(_fields: dict[str, Any]) -> bytes:
        late.set()
        return book({**ORDER, "prctyp": "LMT", "status": "OPEN", "trgprc": "0"})

    opened.house.pause["OrderBook"] = asyncio.Event()
    opened.house.answer("OrderBook", slowly)
    opened.gateway.broker._catch_up()
    await opened.house.until(lambda: bool(opened.house.asked("OrderBook")))
    await opened.house.sockets[-1].send(FILLED)
    await opened.house.until(lambda: len(told) == 2)
    opened.house.pause["OrderBook"].set()
    await late.wait()
    await asyncio.gather(*opened.gateway.broker._readings.values())
    assert [type(each) for each in told] == [BrokerTrade, BrokerOrder]
    assert isinstance(told[-1], BrokerOrder)
    assert told[-1].status is OrderStatus.FILLED


async def test_what_happened_while_the_socket_was_down_is_read(desk: Desk) -> None:
    opened, told = desk
    opened.house.answer("OrderBook", book(ORDER))
    await opened.house.sockets[-1].close()
    await opened.house.until(lambda: bool(told))
    assert [each.broker_id for each in told if isinstance(each, BrokerOrder)] == [NUMBER]


async def test_the_span_of_nothing_is_no_answer() -> None:
    async with shoonya() as house, bench(house) as opened:
        house.answer("SpanCalc", b'{"stat":"Ok"}')
        with pytest.raises(BrokerUnreachable):
            await opened.gateway.portfolio.span([])
