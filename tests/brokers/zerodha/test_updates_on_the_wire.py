"""Order updates over a real socket: fills before ends, nothing twice, and what was missed is read (W04-W06)."""

from __future__ import annotations

import asyncio

import msgspec

from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.ports import Accepted, BrokerOrder, BrokerTrade, BrokerUpdate
from tests.brokers.zerodha.loopback import Asked, Bench, bench, error, good
from tests.brokers.zerodha.samples import LISTED_CALL, ORDER_ROW
from tests.brokers.zerodha.test_wire import BUY

ID = "1990000000000000001"
ROW = msgspec.json.decode(ORDER_ROW)


def trade(number: int, qty: int, order: str = ID) -> dict[str, object]:
    return {
        "trade_id": str(number),
        "order_id": order,
        "exchange": "NFO",
        "tradingsymbol": LISTED_CALL.symbol,
        "transaction_type": "BUY",
        "product": "NRML",
        "quantity": qty,
        "average_price": 123.45,
        "fill_timestamp": "2026-11-24 10:15:02",
    }


def order(status: str, filled: int, order: str = ID, **more: object) -> dict[str, object]:
    return ROW | {"status": status, "filled_quantity": filled, "order_id": order, **more}


async def listening(desk: Bench) -> None:
    """Wait until the socket is let in, after which the books are read once."""
    await desk.kite.until(lambda: len(desk.kite.lines) == 1 and bool(desk.kite.calls("GET", "/trades")))


def shape(heard: list[BrokerUpdate]) -> list[str]:
    return [row.trade_id if isinstance(row, BrokerTrade) else row.status.value for row in heard]


def ended(heard: list[BrokerUpdate]) -> bool:
    return any(isinstance(row, BrokerOrder) and row.status.final for row in heard)


async def test_a_fill_is_told_before_the_order_that_ends_with_it() -> None:
    async with bench() as desk:
        await listening(desk)
        desk.kite.answers[f"GET /orders/{ID}/trades"] = good([trade(1, 65)])
        desk.kite.answers["GET /orders"] = good([ROW])
        await desk.kite.order(order("OPEN", 0))
        await desk.kite.order(order("COMPLETE", 65))
        await desk.until(ended)
        assert shape(desk.heard) == ["OPEN", "1", "FILLED"]


async def test_each_fill_is_told_once_however_often_the_order_is_pushed() -> None:
    async with bench() as desk:
        await listening(desk)
        fills = [trade(1, 15)]
        desk.kite.answers[f"GET /orders/{ID}/trades"] = lambda _asked: good(fills)
        desk.kite.answers["GET /orders"] = good([ROW])
        await desk.kite.order(order("UPDATE", 15))
        await desk.kite.order(order("UPDATE", 15))
        await desk.until(lambda heard: len(heard) >= 3)
        fills.append(trade(2, 50))
        await desk.kite.order(order("COMPLETE", 65))
        await desk.kite.order(order("COMPLETE", 65))
        await desk.until(lambda heard: len(heard) >= 6)
        assert shape(desk.heard) == ["1", "PARTIAL", "PARTIAL", "2", "FILLED", "FILLED"]
        assert len(desk.kite.calls("GET", f"/orders/{ID}/trades")) == 2


async def test_a_trade_book_behind_the_order_book_is_read_again() -> None:
    answers = [good([]), good([trade(1, 65)])]

    def late(_asked: Asked) -> tuple[int, bytes]:
        return answers.pop(0)

    async with bench() as desk:
        await listening(desk)
        desk.kite.answers[f"GET /orders/{ID}/trades"] = late
        desk.kite.answers["GET /orders"] = good([ROW])
        await desk.kite.order(order("COMPLETE", 65))
        await desk.until(ended)
        assert shape(desk.heard) == ["1", "FILLED"]


async def test_an_end_is_told_even_where_its_trades_cannot_be_read() -> None:
    async with bench() as desk:
        await listening(desk)
        desk.kite.answers[f"GET /orders/{ID}/trades"] = error(503, "NetworkException", "down")
        await desk.kite.order(order("COMPLETE", 65))
        await desk.until(ended)
        assert shape(desk.heard) == ["FILLED"]


async def test_fills_of_many_orders_at_once_cost_one_reading_of_the_trade_book() -> None:
    ids = [f"20000000000000{number:02d}" for number in range(8)]
    async with bench() as desk:
        await listening(desk)
        reads = len(desk.kite.calls("GET", "/trades"))
        desk.kite.answers["GET /trades"] = good([trade(number, 65, each) for number, each in enumerate(ids)])
        desk.kite.answers["GET /orders"] = good([order("COMPLETE", 65, each) for each in ids])
        for each in ids:
            desk.kite.answers[f"GET /orders/{each}/trades"] = good([trade(ids.index(each), 65, each)])
            await desk.kite.order(order("COMPLETE", 65, each))
        await desk.until(lambda heard: len(heard) >= 16)
        for each in ids:
            place = [row.broker_id == each for row in desk.heard]
            first = desk.heard[place.index(True)]
            assert isinstance(first, BrokerTrade)
        single = [asked for asked in desk.kite.asked if asked.path.endswith("/trades") and asked.path != "/trades"]
        assert len(single) + len(desk.kite.calls("GET", "/trades")) - reads <= 4


async def test_an_update_that_comes_before_the_answer_to_the_order_is_told_under_its_tag() -> None:
    async with bench() as desk:
        await listening(desk)
        pushes: list[asyncio.Task[None]] = []

        def slow(_asked: Asked) -> tuple[int, bytes]:
            push = desk.kite.order(order("OPEN", 0, tag=BUY.tag, tags=[BUY.tag]))
            pushes.append(asyncio.get_running_loop().create_task(push))
            return good({"order_id": ID})

        desk.kite.answers["POST /orders/regular"] = slow
        assert await desk.gateway.broker.place(BUY) == Accepted(ID)
        await desk.until(lambda heard: len(heard) == 1)
        (told,) = desk.heard
        assert isinstance(told, BrokerOrder)
        assert told.tag == BUY.tag


async def test_what_was_pushed_while_the_socket_was_down_is_read_when_it_is_back() -> None:
    async with bench() as desk:
        await listening(desk)
        desk.kite.answers["GET /orders"] = good([order("COMPLETE", 65)])
        desk.kite.answers["GET /trades"] = good([trade(1, 65)])
        desk.kite.drop()
        await desk.until(ended)
        assert shape(desk.heard) == ["1", "FILLED"]


async def test_what_cannot_be_read_is_kept_as_evidence_and_ends_nothing() -> None:
    async with bench() as desk:
        await listening(desk)
        for text in ("{", '{"type":"order","data":{"order_id":1}}', '{"type":"error","data":"Too many\\u001b tokens"}'):
            await desk.kite.say(text)
        await desk.kite.say('{"type":"message","data":"Markets close early today"}')
        await desk.kite.order(order("PARKED", 0))
        await desk.kite.order(order("PARKED", 0))
        await desk.until(lambda heard: len(heard) == 2)
        # what stays odd is told once
        assert desk.notes.kinds == ["BAD_FRAME", "BAD_FRAME", "FEED_ERROR", "BROKER_NOTICE", "UNKNOWN_STATUS"]
        told = desk.heard[-1]
        assert isinstance(told, BrokerOrder)
        assert (told.status, told.word) == (OrderStatus.UNKNOWN, "PARKED")


async def test_a_push_without_the_tag_keeps_the_one_that_is_known() -> None:
    async with bench() as desk:
        await listening(desk)
        desk.kite.answers["POST /orders/regular"] = good({"order_id": ID})
        await desk.gateway.broker.place(BUY)
        await desk.kite.order(order("OPEN", 0, tag=None, tags=None))
        await desk.until(lambda heard: len(heard) == 1)
        (told,) = desk.heard
        assert isinstance(told, BrokerOrder)
        assert told.tag == BUY.tag


async def test_a_hint_reads_the_one_order_it_is_about() -> None:
    async with bench() as desk:
        await listening(desk)
        desk.kite.answers[f"GET /orders/{ID}"] = good([order("OPEN PENDING", 0), order("OPEN", 0)])
        await desk.gateway.broker.reread(ID)
        assert shape(desk.heard) == ["OPEN"]


async def test_an_order_that_begins_to_rest_is_looked_for_since_nothing_is_pushed() -> None:
    resting = order("OPEN", 0, tag=BUY.tag, tags=[BUY.tag])
    looks = [good([]), good([resting | {"status": "VALIDATION PENDING"}]), good([resting])]

    def book(_asked: Asked) -> tuple[int, bytes]:
        return looks.pop(0) if len(looks) > 1 else looks[0]

    async with bench() as desk:
        await listening(desk)
        desk.kite.answers["POST /orders/regular"] = good({"order_id": ID})
        desk.kite.answers["GET /orders"] = book
        assert await desk.gateway.broker.place(BUY) == Accepted(ID)
        await desk.until(lambda heard: len(heard) == 1)
        assert shape(desk.heard) == ["OPEN"]


async def test_an_order_that_was_pushed_is_not_looked_for() -> None:
    async with bench() as desk:
        await listening(desk)
        desk.kite.answers["POST /orders/regular"] = good({"order_id": ID})
        await desk.gateway.broker.place(BUY)
        reads = len(desk.kite.calls("GET", "/orders"))
        await desk.kite.order(order("OPEN", 0, tag=BUY.tag))
        await desk.until(lambda heard: len(heard) == 1)
        other = msgspec.structs.replace(BUY, tag="1AAA000002E0005")
        desk.kite.answers["POST /orders/regular"] = good({"order_id": "1990000000000000002"})
        desk.kite.answers["GET /orders"] = good([order("OPEN", 0), order("OPEN", 0, "1990000000000000002")])
        await desk.gateway.broker.place(other)
        await desk.until(lambda heard: len(heard) == 2)
        assert [row.broker_id for row in desk.heard] == [ID, "1990000000000000002"]
        assert len(desk.kite.calls("GET", "/orders")) <= reads + 2


async def test_what_was_overtaken_on_the_way_is_not_told() -> None:
    async with bench() as desk:
        await listening(desk)
        later, sooner = (
            {"exchange_update_timestamp": "2026-11-24 10:15:05"},
            {"exchange_update_timestamp": "2026-11-24 10:15:03"},
        )
        desk.kite.answers[f"GET /orders/{ID}/trades"] = good([trade(1, 15)])
        desk.kite.answers["GET /orders"] = good([ROW])
        await desk.kite.order(order("OPEN", 0, price=99, **later))
        await desk.kite.order(order("OPEN", 0, price=98, **sooner))
        await desk.kite.order(order("UPDATE", 15, price=99, **later))
        await desk.kite.order(order("UPDATE", 0, price=99, **later))
        await desk.kite.order(order("CANCELLED", 15, price=99, **later))
        await desk.kite.order(order("OPEN", 15, price=99, **later))
        await desk.kite.order(order("OPEN", 0, "1990000000000000002"))
        await desk.until(lambda heard: any(row.broker_id.endswith("2") for row in heard))
        assert shape(desk.heard) == ["OPEN", "1", "PARTIAL", "CANCELLED", "OPEN"]
