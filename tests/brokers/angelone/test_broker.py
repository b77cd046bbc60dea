"""The broker port against answers of every kind, over real sockets."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from optconsole.brokers.rehearsal.wire import Manner, Response, as_json, plain
from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus, Side
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.ports import (
    LOGIN_LOST,
    Accepted,
    BrokerOrder,
    BrokerTrade,
    BrokerUnreachable,
    Doubtful,
    LoginLost,
    ModifyRequest,
    NotSent,
    Rejected,
)
from tests.brokers.angelone.peer import (
    BOOK,
    CANCEL,
    DEAD,
    LIMITED,
    LOST,
    MODIFY,
    PLACE,
    PLACED,
    POSITIONS,
    PROFILE,
    RMS,
    TRADES,
    UPDATES,
    desk,
    failure,
    success,
)
from tests.brokers.angelone.stage import CALL, ORDER, TAG, order, request, trade

HTML = plain("<html>502 Bad Gateway</html>", 502, "text/html")
MARGIN = "/rest/secure/angelbroking/margin/v1/batch"


def update(**fields: Any) -> dict[str, Any]:
    return {"user-id": "A1", "status-code": "200", "order-status": "AB00", "error-message": "", "orderData": fields}


async def test_a_place_is_the_documented_request_byte_for_byte_as_json() -> None:
    async with desk() as it:
        it.bench.tell(PLACE, PLACED)
        assert await it.broker.place(request()) == Accepted(ORDER)
        assert it.bench.bodies(PLACE) == [
            {
                "variety": "NORMAL",
                "tradingsymbol": "NIFTY24NOV2625000CE",
                "symboltoken": "58662",
                "transactiontype": "BUY",
                "exchange": "NFO",
                "ordertype": "LIMIT",
                "producttype": "CARRYFORWARD",
                "duration": "DAY",
                "price": "123.45",
                "triggerprice": "0",
                "squareoff": "0",
                "stoploss": "0",
                "trailingStopLoss": "0",
                "quantity": "65",
                "disclosedquantity": "0",
                "ordertag": TAG,
            }
        ]
        headers = next(call.headers for call in it.bench.calls if call.path == PLACE)
        assert headers["authorization"] == "Bearer J.W.T"
        assert headers["x-privatekey"] == "demo_key"
        assert (headers["x-usertype"], headers["x-sourceid"]) == ("USER", "WEB")
        assert all(headers[f"x-{name}"] for name in ("clientlocalip", "clientpublicip", "macaddress"))


async def test_a_stop_is_of_its_own_variety_with_both_prices() -> None:
    async with desk() as it:
        it.bench.tell(PLACE, PLACED)
        await it.broker.place(request(price=121_00, trigger=121_50, side=Side.SELL))
        (body,) = it.bench.bodies(PLACE)
        assert (body["variety"], body["ordertype"]) == ("STOPLOSS", "STOPLOSS_LIMIT")
        assert (body["price"], body["triggerprice"]) == ("121.00", "121.50")


@pytest.mark.parametrize(
    "answer",
    [
        LOST,
        HTML,
        as_json({}),
        plain("<html>maintenance</html>", 200, "text/html"),
        plain("", 200),
        plain("Forbidden", 403),
        failure("AB1004", "Something Went Wrong, Please Try After Sometime"),
        failure("AB2000"),
        failure("AB2001", "Internal Error, Please Try After Sometime"),
        failure("AB1021"),
        failure("AB1008", status=503),
        success({"script": "NIFTY24NOV2625000CE"}),
        success(None),
        success({"orderid": "<b>1</b>"}),
        Response(302, b"", (("location", "http://127.0.0.1:1/"),)),
        as_json({"status": True, "data": {"orderid": ORDER}}, 500),
        PLACED.so(Manner(cut=40)),
        PLACED.so(Manner(hang=True)),
    ],
)
async def test_what_proves_nothing_leaves_an_order_in_doubt_and_is_sent_once(answer: Response) -> None:
    async with desk(connected=False, deadline=0.5) as it:
        it.bench.tell(PLACE, answer)
        assert isinstance(await it.broker.place(request()), Doubtful)
        assert it.bench.count(PLACE) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (LIMITED, "RATE_LIMITED"),
        (as_json({"success": False, "message": "Unregistered IP", "errorCode": "AG7002", "data": ""}), "IP_REFUSED"),
        (failure("AB1008", "Invalid Order Variety", 400), "BAD_VARIETY"),
        (DEAD, LOGIN_LOST),
        (as_json({"success": False, "message": "Token Expired", "errorCode": "AG8002", "data": ""}, 401), LOGIN_LOST),
    ],
)
async def test_listed_refusals_reject(answer: Response, code: str) -> None:
    async with desk(connected=False) as it:
        it.bench.tell(PLACE, answer)
        outcome = await it.broker.place(request())
        assert isinstance(outcome, Rejected)
        assert outcome.code == code


async def test_no_connection_means_that_nothing_was_sent() -> None:
    async with desk(connected=False) as it:
        await it.bench.server.close()
        assert isinstance(await it.broker.place(request()), NotSent)


async def test_an_order_that_was_not_taken_may_go_again_under_its_tag_and_one_that_may_be_there_may_not() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(PLACE, LIMITED, failure("AB2001"))
        assert isinstance(await it.broker.place(request()), Rejected)
        assert isinstance(await it.broker.place(request()), Doubtful)
        again = await it.broker.place(request())
        assert isinstance(again, Rejected)
        assert again.code == "DUPLICATE_TAG"
        assert it.bench.count(PLACE) == 2


async def test_a_price_off_its_step_is_refused_here_and_a_tag_seen_in_the_book_is_not_used_again() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(BOOK, success([order()]))
        await it.broker.orders()
        for wanted, code in ((request(price=123_46, tag="OTHER"), "BAD_TICK"), (request(), "DUPLICATE_TAG")):
            outcome = await it.broker.place(wanted)
            assert isinstance(outcome, Rejected)
            assert outcome.code == code
        assert it.bench.count(PLACE) == 0


async def test_a_dead_token_is_not_sent_again_and_a_new_one_is_used_without_a_restart() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(BOOK, DEAD, success(None))
        for _ in range(3):
            with pytest.raises(LoginLost):
                await it.broker.orders()
        assert it.bench.count(BOOK) == 1
        outcome = await it.broker.place(request())
        assert isinstance(outcome, Rejected)
        assert (outcome.code, it.bench.count(PLACE)) == (LOGIN_LOST, 0)
        it.credentials.held["access_token"] = "NEW"
        assert await it.broker.orders() == []


async def test_without_a_login_reads_say_so_and_orders_are_rejected() -> None:
    async with desk(connected=False) as it:
        del it.credentials.held["access_token"]
        with pytest.raises(LoginLost, match="broker login angelone"):
            await it.broker.positions()
        outcome = await it.broker.place(request())
        assert isinstance(outcome, Rejected)
        assert outcome.code == LOGIN_LOST


# ------------------------------------------------------------ change and cancel


async def test_a_change_repeats_what_the_broker_wants_from_the_order_it_placed() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(PLACE, PLACED)
        it.bench.tell(MODIFY, PLACED)
        await it.broker.place(request(price=121_00, trigger=121_50))
        change = ModifyRequest(broker_id=ORDER, qty=130, price=122_00, trigger=122_50)
        assert await it.broker.modify(change) == Accepted(ORDER)
        assert it.bench.bodies(MODIFY) == [
            {
                "variety": "STOPLOSS",
                "orderid": ORDER,
                "ordertype": "STOPLOSS_LIMIT",
                "producttype": "CARRYFORWARD",
                "duration": "DAY",
                "price": "122.00",
                "triggerprice": "122.50",
                "stoploss": "122.50",
                "quantity": "130",
                "disclosedquantity": "0",
                "tradingsymbol": "NIFTY24NOV2625000CE",
                "symboltoken": "58662",
                "exchange": "NFO",
            }
        ]
        assert it.bench.count(BOOK) == 0


async def test_a_stop_without_a_trigger_becomes_a_limit_order_and_is_cancelled_as_one() -> None:
    async with desk(connected=False) as it:
        for path in (PLACE, MODIFY, CANCEL):
            it.bench.tell(path, PLACED)
        await it.broker.place(request(price=121_00, trigger=121_50))
        await it.broker.modify(ModifyRequest(broker_id=ORDER, qty=65, price=98_00, trigger=None))
        (body,) = it.bench.bodies(MODIFY)
        assert (body["variety"], body["ordertype"], body["triggerprice"]) == ("NORMAL", "LIMIT", "0")
        await it.broker.cancel(ORDER)
        assert it.bench.bodies(CANCEL) == [{"variety": "NORMAL", "orderid": ORDER}]


async def test_the_variety_of_an_order_nobody_remembers_is_read_from_the_book() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(
            BOOK, success([order(variety="STOPLOSS", ordertype="STOPLOSS_LIMIT", orderstatus="trigger pending")])
        )
        it.bench.tell(CANCEL, PLACED)
        assert await it.broker.cancel(ORDER) == Accepted(ORDER)
        assert it.bench.bodies(CANCEL) == [{"variety": "STOPLOSS", "orderid": ORDER}]


async def test_an_order_that_is_unknown_or_over_is_neither_changed_nor_cancelled_and_nothing_leaves() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(BOOK, success([order(orderstatus="complete", filledshares="65")]))
        for broker_id, code in ((ORDER, "ORDER_DONE"), ("no-such-order", "NO_ORDER")):
            change = ModifyRequest(broker_id=broker_id, qty=65, price=99_00, trigger=None)
            for outcome in (await it.broker.modify(change), await it.broker.cancel(broker_id)):
                assert isinstance(outcome, Rejected)
                assert outcome.code == code
        assert it.bench.count(CANCEL) + it.bench.count(MODIFY) == 0


async def test_a_cancel_whose_order_cannot_be_looked_up_was_not_sent() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(BOOK, HTML)
        assert isinstance(await it.broker.cancel(ORDER), NotSent)
        it.bench.tell(BOOK, DEAD)
        outcome = await it.broker.cancel(ORDER)
        assert isinstance(outcome, Rejected)
        assert outcome.code == LOGIN_LOST


async def test_an_answer_about_another_order_proves_nothing_of_this_one() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(BOOK, success([order()]))
        it.bench.tell(CANCEL, success({"orderid": "261124000000999"}))
        assert isinstance(await it.broker.cancel(ORDER), Doubtful)


# ------------------------------------------------------------ books and money


async def test_an_empty_book_is_null_or_its_own_not_found_code_and_nothing_else() -> None:
    async with desk(connected=False) as it:
        reads = ((BOOK, it.broker.orders, "AB1013"), (TRADES, it.broker.trades, "AB1014"))
        for path, read, code in (*reads, (POSITIONS, it.broker.positions, "AB1016")):
            for answer in (success(None), success([]), success(""), success("null"), failure(code)):
                it.bench.tell(path, answer)
                assert await read() == []
            for answer in (
                failure("AB1015"),
                failure("AB1004"),
                HTML,
                LIMITED,
                plain("", 200),
                as_json({"status": False, "message": "", "errorcode": "", "data": None}),
                success({}),
                success(["x"]),
                success([order(orderid="", fillid="", netqty="")]),
            ):
                it.bench.tell(path, answer)
                with pytest.raises(BrokerUnreachable):
                    await read()


async def test_answers_that_prove_nothing_are_kept_as_evidence_for_the_list_of_refusals() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(PLACE, HTML, failure("AB2001"))
        await it.broker.place(request())
        await it.broker.place(request(tag="V1AAA000000002X"))
        assert it.notes.kinds() == ["BAD_ANSWER", "UNKNOWN_REFUSAL"]


async def test_a_secret_that_the_broker_repeats_is_neither_shown_nor_kept() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(PLACE, plain("<html>Bearer J.W.T of demo_key</html>", 502), failure("AB1008", "no J.W.T"))
        doubtful, rejected = await it.broker.place(request()), await it.broker.place(request(tag="V1AAA000000002X"))
        shown = f"{doubtful} {rejected} {it.notes.rows} {it.broker.vitals()}"
        assert "J.W.T" not in shown
        assert "demo_key" not in shown


async def test_a_row_that_cannot_be_read_is_kept_as_evidence() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(BOOK, success([order(), order(quantity="?")]))
        with pytest.raises(BrokerUnreachable, match="order book"):
            await it.broker.orders()
        assert it.notes.kinds() == ["BAD_ROW"]


async def test_an_unknown_status_is_a_row_with_its_word_and_evidence() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(BOOK, success([order(orderstatus="held by fairies")]))
        (row,) = await it.broker.orders()
        assert (row.status, row.word) == (OrderStatus.UNKNOWN, "held by fairies")
        assert it.notes.kinds() == ["UNKNOWN_STATUS"]


async def test_orders_of_shares_and_commodities_are_not_in_our_book() -> None:
    async with desk(connected=False) as it:
        share = order(exchange="NSE", tradingsymbol="SBIN-EQ", symboltoken="3045", producttype="DELIVERY")
        it.bench.tell(BOOK, success([share, order(), {"exchange": "MCX"}]))
        assert [row.contract for row in await it.broker.orders()] == [CALL]


async def test_trades_take_their_tag_from_the_order_book_which_is_read_where_an_order_is_new() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(BOOK, success([order(orderstatus="complete", filledshares="65")]))
        it.bench.tell(TRADES, success([trade()]))
        for _ in range(2):
            (row,) = await it.broker.trades()
            assert (row.tag, row.contract, row.price) == (TAG, CALL, 123_40)
        assert it.bench.count(BOOK) == 1


async def test_funds_and_margin_in_paise() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(RMS, success({"net": "9000.00", "utiliseddebits": "1000.50"}))
        assert await it.broker.funds() == Funds(account="angel", cash=10_000_50, margin_used=1_000_50)
        held = {"exchange": "NFO", "symboltoken": "58663", "producttype": "CARRYFORWARD", "netqty": "-65"}
        it.bench.tell(POSITIONS, success([held | {"tradingsymbol": "NIFTY24NOV2625000PE"}]))
        it.bench.tell(MARGIN, success({"totalMarginRequired": 29612.35, "marginComponents": {}}))
        assert await it.broker.margin([request(side=Side.SELL)]) == 29_612_35
        (batch,) = it.bench.bodies(MARGIN)
        assert [(row["token"], row["tradeType"], row["qty"], row["price"]) for row in batch["positions"]] == [
            ("58663", "SELL", 65, 0),
            ("58662", "SELL", 65, 123.45),
        ]


async def test_a_position_that_the_file_does_not_list_is_told_by_its_own_words_and_counts_in_the_margin() -> None:
    async with desk(connected=False) as it:
        share = {"exchange": "NFO", "symboltoken": "70001", "producttype": "CARRYFORWARD", "netqty": "200"}
        share |= {"symbolname": "M&M", "tradingsymbol": "M&M24NOV263000CE", "expirydate": "24NOV2026"}
        it.bench.tell(POSITIONS, success([share | {"optiontype": "CE", "strikeprice": "3000.0"}]))
        assert [row.contract for row in await it.broker.positions()] == ["M&M 24NOV26 3000 CE"]
        it.bench.tell(MARGIN, success({"totalMarginRequired": 1}))
        assert await it.broker.margin([]) == 1_00
        assert it.bench.bodies(MARGIN)[0]["positions"][0]["token"] == "70001"


async def test_margin_of_more_than_a_batch_holds_is_unknown() -> None:
    async with desk(connected=False) as it:
        with pytest.raises(BrokerUnreachable, match="50 positions at most"):
            await it.broker.margin([request()] * 51)


async def test_the_login_of_another_client_is_refused() -> None:
    async with desk(connected=False) as it:
        it.bench.tell(PROFILE, success({"clientcode": "B2"}))
        with pytest.raises(Refusal) as refused:
            await it.broker.connect(it.hear)
        assert refused.value.code == "WRONG_USER"


# ------------------------------------------------------------ updates


async def test_the_socket_is_opened_with_the_tokens_of_the_moment() -> None:
    async with desk() as it:
        (shake,) = it.bench.handshakes
        assert (shake.path, shake.headers["authorization"], shake.headers["x-feed-token"]) == (
            UPDATES,
            "Bearer J.W.T",
            "F.T",
        )


async def test_a_greeting_about_no_order_is_nothing_and_an_update_is_told_whatever_its_code_says() -> None:
    async with desk() as it:
        it.bench.push(UPDATES, "pong", update(orderid="", orderstatus="", quantity="0", price=0), update(**order()))
        await it.bench.until(lambda: bool(it.rows))
        (row,) = it.rows
        assert isinstance(row, BrokerOrder)
        assert (row.status, row.tag) == (OrderStatus.OPEN, TAG)


async def test_a_frame_may_be_binary_json_and_garbage_is_evidence() -> None:
    async with desk() as it:
        it.bench.push(
            UPDATES, b"\x00\x01", "{", "[]", update(**order(quantity="?")), msgspec.json.encode(update(**order()))
        )
        await it.bench.until(lambda: bool(it.rows))
        assert it.notes.kinds() == ["BAD_UPDATE"] * 3 + ["BAD_ROW"]


async def test_the_trades_of_a_fill_are_told_before_the_row_that_counts_them() -> None:
    async with desk() as it:
        it.bench.tell(TRADES, success([]), success([trade(fillsize="30"), trade(fillsize="35", fillid="10")]))
        it.bench.push(UPDATES, update(**order()))
        it.bench.push(UPDATES, update(**order(orderstatus="complete", filledshares="65", unfilledshares="0")))
        await it.bench.until(lambda: len(it.rows) == 4)
        assert [type(row) for row in it.rows] == [BrokerOrder, BrokerTrade, BrokerTrade, BrokerOrder]
        final = it.rows[-1]
        assert isinstance(final, BrokerOrder)
        assert final.status is OrderStatus.FILLED


async def test_rows_of_other_orders_do_not_wait_for_a_trade_book_and_those_of_the_same_order_do() -> None:
    async with desk() as it:
        slow = success([trade(fillsize="30")]).so(Manner(wait=0.3))
        it.bench.tell(TRADES, slow)
        it.bench.push(UPDATES, update(**order(filledshares="30")))
        it.bench.push(
            UPDATES,
            update(**order(orderid="2", ordertag="")),
            update(**order(filledshares="30", orderstatus="cancel pending")),
        )
        await it.bench.until(lambda: len(it.rows) == 4)
        assert [(row.broker_id, isinstance(row, BrokerTrade)) for row in it.rows] == [
            ("2", False),
            (ORDER, True),
            (ORDER, False),
            (ORDER, False),
        ]


async def test_an_update_that_was_overtaken_on_the_way_is_not_told() -> None:
    async with desk() as it:
        it.bench.tell(TRADES, success([trade(fillsize="30")]))
        newer = order(filledshares="30", updatetime="24-Nov-2026 10:15:05", price="124.00")
        it.bench.push(UPDATES, update(**newer), update(**order(updatetime="24-Nov-2026 10:15:06")))
        it.bench.push(UPDATES, update(**newer | {"updatetime": "24-Nov-2026 10:15:04", "price": "123.00"}))
        ended = newer | {"orderstatus": "cancelled", "updatetime": "24-Nov-2026 10:15:07"}
        it.bench.push(UPDATES, update(**ended), update(**newer | {"updatetime": "24-Nov-2026 10:15:08"}))
        it.bench.push(UPDATES, update(**order(orderid="2")))
        await it.bench.until(lambda: len(it.rows) == 4)
        told = [(row.broker_id, row.status, row.price) for row in it.rows if isinstance(row, BrokerOrder)]
        assert sorted(told) == sorted(
            [
                (ORDER, OrderStatus.PARTIAL, 124_00),
                (ORDER, OrderStatus.CANCELLED, 124_00),
                ("2", OrderStatus.OPEN, 123_45),
            ]
        )


async def test_a_trade_book_that_cannot_be_read_does_not_keep_the_update_for_ever() -> None:
    async with desk() as it:
        it.bench.tell(TRADES, HTML)
        it.bench.push(UPDATES, update(**order(filledshares="30")))
        await it.bench.until(lambda: len(it.rows) == 1)
        assert it.bench.count(TRADES) == 5


async def test_what_was_missed_while_the_socket_was_down_is_read_when_it_is_back() -> None:
    async with desk() as it:
        it.bench.tell(BOOK, success([order(orderstatus="cancelled")]))
        it.bench.sockets[UPDATES][0].abort()
        await it.bench.until(lambda: bool(it.rows))
        (row,) = it.rows
        assert isinstance(row, BrokerOrder)
        assert row.status is OrderStatus.CANCELLED


async def test_a_refused_socket_waits_for_another_token_and_does_not_hammer() -> None:
    async with desk(connected=False) as it:
        it.bench.refuse[UPDATES] = plain("expired", 403)
        await it.broker.connect(it.hear)
        assert len(it.bench.handshakes) == 1
        assert "refused with 403" in it.broker.vitals().note
        del it.bench.refuse[UPDATES]
        it.credentials.held["access_token"] = "NEW"
        await it.bench.until(lambda: bool(it.bench.sockets[UPDATES]))
        assert it.bench.handshakes[-1].headers["authorization"] == "Bearer NEW"


# ------------------------------------------------------------ health


async def test_vitals_judge_reading_and_writing_apart() -> None:
    async with desk() as it:
        it.bench.tell(PLACE, as_json({"success": False, "message": "ip", "errorCode": "AG7002", "data": ""}))
        await it.broker.place(request())
        await it.broker.orders()
        vitals = it.broker.vitals()
        assert (vitals.order_read, vitals.order_write) == (LinkState.LIVE, LinkState.STALE)
        assert "AG7002" in vitals.note
        it.bench.tell(PLACE, PLACED)
        await it.broker.place(request())
        vitals = it.broker.vitals()
        assert (vitals.order_write, vitals.note) == (LinkState.LIVE, "")
        assert vitals.latency_p50 is not None
        it.bench.tell(BOOK, DEAD)
        with pytest.raises(LoginLost):
            await it.broker.orders()
        assert it.broker.vitals().order_write is LinkState.DEAD
    assert it.broker.vitals().order_read is LinkState.CLOSED
