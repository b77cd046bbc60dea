"""Orders over real loopback HTTP: what is sent, how often, and what each kind of answer proves."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.ports import (
    LOGIN_LOST,
    Accepted,
    BrokerUnreachable,
    Doubtful,
    LoginLost,
    ModifyRequest,
    NotSent,
    Rejected,
)
from tests.brokers.zerodha.loopback import (
    HANG_UP,
    SILENT,
    Asked,
    Vault,
    bench,
    error,
    good,
)
from tests.brokers.zerodha.samples import LISTED_CALL, NO_MARGIN, ORDER_ROW, TOKEN_DEAD, TOO_MANY, option
from tests.brokers.zerodha.test_wire import BUY

ID = "1990000000000000001"
PLACE = "POST /orders/regular"
ROW = msgspec.json.decode(ORDER_ROW)


async def test_an_order_leaves_once_as_documented_and_is_accepted_by_its_id() -> None:
    async with bench() as desk:
        desk.kite.answers[PLACE] = good({"order_id": ID})
        assert await desk.gateway.broker.place(BUY) == Accepted(ID)
        (asked,) = desk.kite.calls("POST", "/orders/regular")
        assert asked.headers["authorization"] == "token demo_api_key:demo_access"
        assert asked.headers["x-kite-version"] == "3"
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        assert asked.form == {
            "exchange": "NFO",
            "tradingsymbol": LISTED_CALL.symbol,
            "transaction_type": "BUY",
            "order_type": "LIMIT",
            "product": "NRML",
            "validity": "DAY",
            "quantity": "65",
            "price": "125.95",
            "tag": BUY.tag,
        }
        assert desk.gateway.broker.vitals().latency_p50 is not None


DOUBTS = {
    "a page of HTML from the edge": (502, b"<html><h1>502 Bad Gateway</h1></html>"),
    "a page of HTML that says all is well": (200, b"<html>ok</html>"),
    "a timeout dressed as a bad request": error(400, "OrderException", "Request timed out after 7 seconds."),
    "the network beyond Kite": error(503, "NetworkException", "Unable to reach the OMS."),
    "an answer Kite did not understand": error(502, "DataException", "Unexpected reply."),
    "anything": error(500, "GeneralException", "Something unexpected went wrong."),
    "no JSON in a 403": (403, b"Forbidden"),
    "an empty object": (200, b"{}"),
    "success without an id": good({}),
    "an id that is none": good({"order_id": "../positions"}),
    "a redirect": (302, b""),
    "a connection that ends": HANG_UP,
    "silence": SILENT,
}


@pytest.mark.parametrize("answer", DOUBTS.values(), ids=DOUBTS.keys())
async def test_what_proves_nothing_is_doubt_and_nothing_is_sent_again(answer: tuple[int, bytes]) -> None:
    async with bench(deadline=0.3) as desk:
        desk.kite.answers[PLACE] = answer
        outcome = await desk.gateway.broker.place(BUY)
        assert isinstance(outcome, Doubtful), outcome
        again = await desk.gateway.broker.place(BUY)
        assert isinstance(again, Rejected)
        assert again.code == "DUPLICATE_TAG"
        assert len(desk.kite.calls("POST", "/orders/regular")) == 1
        assert desk.gateway.broker.vitals().order_write is LinkState.STALE


REFUSALS = {
    "NO_MARGIN": (400, NO_MARGIN),
    "RATE_LIMITED": (429, TOO_MANY),
    "IP_REFUSED": error(
        403, "PermissionException", "IP (203.0.113.7) is not allowed to place orders for this app. Update allowed IPs."
    ),
    LOGIN_LOST: (403, TOKEN_DEAD),
}


@pytest.mark.parametrize(("code", "answer"), REFUSALS.items())
async def test_what_is_provably_refused_has_its_code(code: str, answer: tuple[int, bytes]) -> None:
    async with bench() as desk:
        desk.kite.answers[PLACE] = answer
        outcome = await desk.gateway.broker.place(BUY)
        assert isinstance(outcome, Rejected), outcome
        assert outcome.code == code
        assert len(desk.kite.calls("POST", "/orders/regular")) == 1
        dead = code in (LOGIN_LOST, "IP_REFUSED")
        assert desk.gateway.broker.vitals().order_write is (LinkState.DEAD if dead else LinkState.LIVE)


async def test_an_order_that_found_no_connection_was_not_sent_and_may_be_sent_again() -> None:
    async with bench() as desk:
        await desk.kite.hide()
        for _ in range(5):  # connections that were kept open are found dead
            with pytest.raises(BrokerUnreachable):
                await desk.gateway.broker.orders()
        outcome = await desk.gateway.broker.place(BUY)
        assert isinstance(outcome, NotSent), outcome
        assert not outcome.held
        assert desk.gateway.broker.vitals().order_write is LinkState.DEAD
        desk.kite.answers[PLACE] = good({"order_id": ID})
        await desk.kite.show()
        assert await desk.gateway.broker.place(BUY) == Accepted(ID)


async def test_a_contract_that_the_days_file_does_not_list_is_refused_here() -> None:
    async with bench() as desk:
        unlisted = msgspec.structs.replace(BUY, instrument=option(19_000))
        outcome = await desk.gateway.broker.place(unlisted)
        assert isinstance(outcome, Rejected)
        assert outcome.code == "NO_CONTRACT"
        assert desk.kite.calls("POST", "/orders/regular") == []


async def test_a_closed_broker_sends_nothing() -> None:
    async with bench(connected=False) as desk:
        broker = desk.gateway.broker
        assert isinstance(await broker.place(BUY), NotSent)
        assert isinstance(await broker.cancel(ID), NotSent)
        assert desk.kite.asked == []
        assert broker.vitals().order_write is LinkState.CLOSED


async def test_a_change_and_a_cancel_go_to_the_orders_own_path() -> None:
    async with bench() as desk:
        broker = desk.gateway.broker
        for method in ("PUT", "DELETE"):
            desk.kite.answers[f"{method} /orders/regular/{ID}"] = good({"order_id": ID})
        change = ModifyRequest(broker_id=ID, qty=130, price=98_00, trigger=None)
        assert await broker.modify(change) == Accepted(ID)
        assert await broker.cancel(ID) == Accepted(ID)
        (put,) = desk.kite.calls("PUT", f"/orders/regular/{ID}")
        assert put.form == {"order_type": "LIMIT", "quantity": "130", "price": "98.00", "validity": "DAY"}
        (delete,) = desk.kite.calls("DELETE", f"/orders/regular/{ID}")
        assert (delete.body, delete.query) == (b"", {})


async def test_an_order_of_another_kind_is_cancelled_where_it_is_and_with_its_parent() -> None:
    async with bench() as desk:
        desk.kite.answers["GET /orders"] = good([ROW | {"variety": "co", "parent_order_id": "77", "status": "OPEN"}])
        desk.kite.answers[f"DELETE /orders/co/{ID}"] = good({"order_id": ID})
        await desk.gateway.broker.orders()
        assert await desk.gateway.broker.cancel(ID) == Accepted(ID)
        (asked,) = desk.kite.calls("DELETE", f"/orders/co/{ID}")
        assert asked.query == {"parent_order_id": ["77"]}


async def test_an_acceptance_that_names_another_order_is_doubt() -> None:
    async with bench() as desk:
        desk.kite.answers[f"DELETE /orders/regular/{ID}"] = good({"order_id": "1990000000000000002"})
        assert isinstance(await desk.gateway.broker.cancel(ID), Doubtful)
        assert desk.notes.kinds == ["UNPROVEN_ANSWER"]


@pytest.mark.parametrize("odd", ["", "no-such-order", "../user/margins", "1 2", "١٢٣", "9" * 41])
async def test_what_cannot_be_an_order_id_never_becomes_a_path(odd: str) -> None:
    async with bench() as desk:
        before = len(desk.kite.asked)
        for outcome in (
            await desk.gateway.broker.cancel(odd),
            await desk.gateway.broker.modify(ModifyRequest(broker_id=odd, qty=1, price=1, trigger=None)),
        ):
            assert isinstance(outcome, Rejected)
            assert outcome.code == "NO_ORDER"
        assert not [asked for asked in desk.kite.asked[before:] if asked.method in ("PUT", "DELETE")]


async def test_a_new_token_is_used_at_the_next_request() -> None:
    def by_token(asked: Asked) -> tuple[int, bytes]:
        fresh = asked.headers["authorization"].endswith(":tomorrow")
        return good({"order_id": ID}) if fresh else (403, TOKEN_DEAD)

    async with bench() as desk:
        desk.kite.answers[PLACE] = by_token
        outcome = await desk.gateway.broker.place(BUY)
        assert isinstance(outcome, Rejected)
        assert outcome.code == LOGIN_LOST
        desk.vault["access_token"] = "tomorrow"
        other = msgspec.structs.replace(BUY, tag="1AAA000002E0005")
        assert await desk.gateway.broker.place(other) == Accepted(ID)


async def test_without_a_login_nothing_connects_and_nothing_leaves() -> None:
    async with bench(connected=False) as desk:
        del desk.vault["access_token"]
        with pytest.raises(Refusal) as refused:
            await desk.gateway.broker.connect(desk.take)
        assert refused.value.code == "LOGIN_NEEDED"
        assert desk.kite.asked == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((403, TOKEN_DEAD), LoginLost),
        ((502, b"<html>"), BrokerUnreachable),
        ((200, b"<html>"), BrokerUnreachable),
        ((200, b"{}"), BrokerUnreachable),
        ((200, b""), BrokerUnreachable),
        ((429, TOO_MANY), BrokerUnreachable),
        ((200, b'{"status":"success","data":null}'), BrokerUnreachable),
        ((200, b'{"status":"success","data":[{"order_id":"1"}]}'), BrokerUnreachable),
        (error(400, "OrderException", "No data"), BrokerUnreachable),
        (HANG_UP, BrokerUnreachable),
        (SILENT, BrokerUnreachable),
    ],
)
async def test_a_reading_that_is_none_is_never_an_empty_book(answer: tuple[int, bytes], kind: type[Exception]) -> None:
    async with bench(deadline=0.3) as desk:
        broker = desk.gateway.broker
        for path in ("/orders", "/trades", "/portfolio/positions", "/user/margins"):
            desk.kite.answers[f"GET {path}"] = answer
        for read in (broker.orders, broker.trades, broker.positions, broker.funds):
            with pytest.raises(BrokerUnreachable) as failed:
                await read()
            assert type(failed.value) is kind
            assert len(str(failed.value)) > 15
        assert broker.vitals().order_read is LinkState.DEAD


async def test_the_books_are_read_as_documented() -> None:
    trade = {
        "trade_id": "10000000",
        "order_id": ID,
        "exchange": "NFO",
        "tradingsymbol": LISTED_CALL.symbol,
        "transaction_type": "BUY",
        "product": "NRML",
        "quantity": 65,
        "average_price": 123.45,
        "fill_timestamp": "2026-11-24 10:15:02",
        "order_timestamp": "10:15:02",
    }
    held = {"exchange": "NFO", "tradingsymbol": LISTED_CALL.symbol, "product": "NRML", "quantity": 65}
    async with bench() as desk:
        desk.kite.answers |= {
            "GET /orders": good([ROW]),
            "GET /trades": good([trade]),
            "GET /portfolio/positions": good({"net": [held], "day": []}),
            "GET /user/margins": good({"equity": {"net": 100.5, "utilised": {"span": 10}}, "commodity": {}}),
            "POST /margins/basket": good({"initial": {"total": 99}, "final": {"total": 50.25}, "orders": []}),
        }
        broker = desk.gateway.broker
        # a client that has just started knows the tag of a trade from the order book alone
        (read,) = await broker.trades()
        assert (read.tag, read.price, read.qty) == ("oc7f3a91", 123_45, 65)
        assert [(row.broker_id, row.tag) for row in await broker.orders()] == [(ID, "oc7f3a91")]
        assert [(row.contract, row.qty) for row in await broker.positions()] == [(BUY.instrument.name, 65)]
        funds = await broker.funds()
        assert (funds.cash, funds.margin_used, funds.free) == (110_50, 10_00, 100_50)
        assert await broker.margin([]) == 10_00
        assert await broker.margin([BUY]) == 60_25
        (asked,) = desk.kite.calls("POST", "/margins/basket")
        assert asked.query == {"consider_positions": ["true"]}
        assert msgspec.json.decode(asked.body)[0]["price"] == 125.95
        assert await broker.settlements() == []


def test_a_secret_of_the_vault_shows_itself_to_nobody() -> None:
    assert "demo" not in repr(Vault(api_key="demo").get("api_key"))
