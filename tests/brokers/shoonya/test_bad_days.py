"""A whole rehearsed Shoonya on its bad days: answers lost, logins dead at night, streams that freeze or are taken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.ports import (
    LOGIN_LOST,
    Accepted,
    BrokerOrder,
    BrokerTrade,
    BrokerUnreachable,
    Doubtful,
    LoginLost,
    PlaceRequest,
    Rejected,
)
from tests.brokers.paper.stage import CALL, INDEX
from tests.contract.shoonya_rig import ShoonyaRig, shoonya


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ShoonyaRig]:
    async with shoonya(tmp_path) as opened:
        await opened.show((99_00, 650), (101_00, 650), 100_00)
        yield opened


def arm(rig: ShoonyaRig, **fault: object) -> None:
    rig.served.plan.add(decode_faults(json.dumps([fault]).encode()))


def order(tag: str = "V1AAA000000001X", price: int = 90_00, trigger: int | None = None, lots: int = 1) -> PlaceRequest:
    return PlaceRequest(
        tag=tag,
        account="FA",
        instrument=CALL,
        side=Side.BUY,
        qty=lots * CALL.lot,
        type=OrderType.LIMIT if trigger is None else OrderType.SL,
        price=price,
        trigger=trigger,
        product=Product.NRML,
        validity=Validity.DAY,
    )


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for is another's state
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("verb", "there"), [("rest.drop", False), ("rest.accept_drop", True)])
async def test_a_lost_answer_is_doubt_and_the_book_knows_by_the_tag(rig: ShoonyaRig, verb: str, there: bool) -> None:
    """B01, B02"""
    arm(rig, verb=verb, op="place")
    assert isinstance(await rig.broker.place(order()), Doubtful)
    assert [row.tag for row in await rig.broker.orders()] == (["V1AAA000000001X"] if there else [])


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 400, "body": '{"stat":"Not_Ok","emsg":"Server Timeout :"}'},
        {"status": 502, "body": "<html>Bad Gateway</html>"},
        {"status": 200, "body": "<html>login</html>"},
        {"status": 200, "body": "{}"},
        {"status": 429, "body": ""},
    ],
)
async def test_an_order_that_was_taken_under_an_answer_that_says_otherwise_is_in_doubt(
    rig: ShoonyaRig, reply: dict[str, object]
) -> None:
    """B04, B05, B06, B11"""
    arm(rig, verb="rest.reply", op="place", exec=True, **reply)
    assert isinstance(await rig.broker.place(order()), Doubtful)
    assert len(await rig.broker.orders()) == 1


async def test_an_answer_that_trickles_in_is_an_answer(rig: ShoonyaRig) -> None:
    arm(rig, verb="rest.trickle", op="place", gap=0.001)
    assert isinstance(await rig.broker.place(order()), Accepted)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_plain_text_refusal_is_a_lost_login(rig: ShoonyaRig, status: int) -> None:
    """B08"""
    arm(rig, verb="rest.reply", op="place", status=status, body="Forbidden", headers={"content-type": "text/plain"})
    outcome = await rig.broker.place(order())
    assert isinstance(outcome, Rejected)
    assert outcome.code == LOGIN_LOST


async def test_a_book_cut_short_is_no_book(rig: ShoonyaRig) -> None:
    """B14"""
    await rig.broker.place(order())
    arm(rig, verb="rest.partial", op="book", cut=40)
    with pytest.raises(BrokerUnreachable):
        await rig.broker.orders()


async def test_the_night_ends_the_login_and_the_morning_s_is_used_at_once(rig: ShoonyaRig) -> None:
    """B08, W02, C09: nothing is asked twice with a dead token, by REST or by the stream"""
    await rig.gateway.feed.start(lambda _quotes: None)
    rig.gateway.feed.watch([CALL.name])
    arm(rig, verb="auth.rollover", op="book", nth=1)
    with pytest.raises(LoginLost):
        await rig.broker.orders()
    await until(lambda: rig.broker.vitals().quotes is LinkState.DEAD)
    assert rig.broker.vitals().order_write is LinkState.DEAD
    asked = sum(rig.served.wire.calls.values())
    with pytest.raises(LoginLost):
        await rig.broker.trades()
    assert isinstance(await rig.broker.cancel("26111800000001"), Rejected)
    assert sum(rig.served.wire.calls.values()) == asked
    rig.keys.held["access_token"] = rig.served.dialect.login()["access_token"]
    await until(lambda: rig.broker.vitals().quotes is LinkState.LIVE)
    assert await rig.broker.orders() == []


async def test_an_order_the_risk_desk_refuses_later_is_told_as_refused(rig: ShoonyaRig) -> None:
    """B15"""
    arm(rig, verb="ex.reject_after_ack", op="place", reason="RED:Margin Shortfall")
    outcome = await rig.broker.place(order())
    assert isinstance(outcome, Accepted)
    await rig.inbox.until(
        lambda rows: any(isinstance(row, BrokerOrder) and row.status is OrderStatus.REJECTED for row in rows)
    )
    (row,) = await rig.broker.orders()
    assert row.status is OrderStatus.REJECTED
    assert "Margin Shortfall" in row.reason


async def test_updates_that_come_twice_say_the_same_twice(rig: ShoonyaRig) -> None:
    """W05"""
    arm(rig, verb="ws.dup", op="order")
    await rig.broker.place(order(price=102_00))
    await rig.inbox.until(
        lambda rows: sum(isinstance(row, BrokerOrder) and row.status is OrderStatus.FILLED for row in rows) == 2
    )
    trades = [row for row in rig.inbox.rows if isinstance(row, BrokerTrade)]
    assert len(trades) == 2
    assert trades[0] == trades[1] == (await rig.broker.trades())[0]


async def test_updates_that_were_lost_are_in_the_books_and_told_after_the_next_connection(rig: ShoonyaRig) -> None:
    """W04"""
    arm(rig, verb="ws.lose", op="order")
    placed = await rig.broker.place(order(price=102_00))
    assert isinstance(placed, Accepted)
    async with asyncio.timeout(10):
        traded = False
        while not traded:
            traded = bool(await rig.broker.trades())
    assert rig.inbox.rows == []
    rig.served.plan.clear()
    arm(rig, verb="ws.drop", op="text", nth=1)
    await rig.gateway.feed.start(lambda _quotes: None)
    await rig.gateway.broker._stream.send("h")
    await rig.inbox.until(lambda rows: any(isinstance(row, BrokerOrder) for row in rows))
    assert isinstance(rig.inbox.rows[0], BrokerTrade)


async def test_garbage_between_the_frames_is_laid_down_and_nothing_else_happens(rig: ShoonyaRig) -> None:
    """W10"""
    seen: list[Quote] = []
    await rig.gateway.feed.start(seen.extend)
    rig.gateway.feed.watch([CALL.name])
    await until(lambda: bool(seen))
    arm(rig, verb="ws.garbage", op="ticks", text='{"t":"tf","e":"NFO","lp":')
    arm(rig, verb="ws.garbage", op="ticks", hex="ff00ff")
    await rig.show((99_50, 650), (100_50, 1300), 100_25)
    await until(lambda: seen[-1].ltp == 100_25)
    assert {kind for kind, _, _ in rig.evidence} == {"BAD_FRAME"}


async def test_another_stream_on_our_login_takes_ours_and_ours_comes_back(rig: ShoonyaRig) -> None:
    """W08: the waits between are the socket's own"""
    login = {"t": "a", "uid": "FA1234", "actid": "FA1234", "source": "API"}
    async with connect(f"{rig.served.ws_url}/NorenWSAPI/") as other:
        await other.send(json.dumps({**login, "accesstoken": rig.served.credentials["access_token"]}))
        assert json.loads(await other.recv())["s"] == "OK"
        await until(lambda: rig.served.wire.calls["connect"] >= 3)


@pytest.mark.parametrize("verb", ["ws.freeze", "ws.half_open"])
async def test_a_stream_that_freezes_is_given_up_within_ten_seconds_and_opened_anew(tmp_path: Path, verb: str) -> None:
    """W01, W03"""
    async with shoonya(tmp_path, silence=1.0) as rig:
        seen: list[Quote] = []
        await rig.show((99_00, 650), (101_00, 650), 100_00)
        await rig.gateway.feed.start(seen.extend)
        rig.gateway.feed.watch([CALL.name, INDEX.name])
        await until(lambda: bool(seen))
        arm(rig, verb=verb, op="ticks", nth=1)
        await rig.show((99_50, 650), (100_50, 650), 100_25)
        await until(lambda: rig.served.wire.calls["connect"] >= 2)
        await until(lambda: seen[-1].ltp == 100_25 or any(quote.ltp == 100_25 for quote in seen))


async def test_what_the_stream_does_not_carry_is_polled_within_the_rate(tmp_path: Path) -> None:
    """W14"""
    async with shoonya(tmp_path, ack_patience=0.3) as rig:
        rig.hazards(most_scrips=1)
        await rig.show((99_00, 650), (101_00, 650), 100_00)
        seen: list[Quote] = []
        await rig.gateway.feed.start(seen.extend)
        rig.gateway.feed.watch([INDEX.name, CALL.name])
        await until(lambda: {quote.name for quote in seen} == {INDEX.name, CALL.name})
        assert rig.gateway.feed.unstreamed() == [CALL.name]


async def test_a_mute_stream_is_found_out_by_a_market_that_moves(tmp_path: Path) -> None:
    """W07: a token of yesterday is let in, subscribed, and told nothing"""
    async with shoonya(tmp_path, silence=0.5) as rig:
        seen: list[Quote] = []
        await rig.show((99_00, 650), (101_00, 650), 100_00)
        await rig.gateway.feed.start(seen.extend)
        rig.gateway.feed.watch([CALL.name])
        await until(lambda: bool(seen))
        rig.hazards(mute=True)
        await rig.show((99_00, 650), (101_00, 650), 100_50)
        await until(lambda: "MUTE_STREAM" in [kind for kind, _, _ in rig.evidence])
        assert seen[-1].ltp == 100_50
