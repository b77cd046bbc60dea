"""Each verb does on the wire what the catalogue of faults says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.brokers.rehearsal.serve import Served
from tests.brokers.rehearsal.stage import until


def arm(served: Served, faults: str) -> None:
    served.plan.add(decode_faults(f"[{faults}]".encode()))


async def test_a_dropped_call_never_reaches_the_broker(served: Served, client: httpx.AsyncClient) -> None:
    arm(served, '{"verb":"rest.drop","op":"place"}')
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post("/place")
    assert served.wire.calls["place"] == 1
    assert served.wire.executed["place"] == 0


async def test_an_accepted_call_whose_answer_is_lost_was_executed(served: Served, client: httpx.AsyncClient) -> None:
    arm(served, '{"verb":"rest.accept_drop","op":"place"}')
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post("/place")
    assert served.wire.executed["place"] == 1


async def test_a_late_call_is_executed_after_its_error(served: Served, client: httpx.AsyncClient) -> None:
    arm(served, '{"verb":"rest.late","op":"place","seconds":0.02,"status":400,"body":"timed out","times":1}')
    assert (await client.post("/place")).text == "timed out"
    assert served.wire.executed["place"] == 0
    await served.wire.settled()
    assert served.wire.executed["place"] == 1


@pytest.mark.parametrize(("executes", "count"), [("true", 1), ("false", 0)])
async def test_any_reply_with_or_without_executing(
    served: Served, client: httpx.AsyncClient, executes: str, count: int
) -> None:
    arm(served, f'{{"verb":"rest.reply","op":"place","status":502,"body":"<html>","exec":{executes}}}')
    answer = await client.post("/place")
    assert (answer.status_code, answer.text) == (502, "<html>")
    assert served.wire.executed["place"] == count


async def test_a_stale_read_shows_what_was_shown_before(served: Served, client: httpx.AsyncClient) -> None:
    first = (await client.get("/book")).json()
    arm(served, '{"verb":"rest.stale","op":"book","seconds":300}')
    assert (await client.get("/book")).json() == first


async def test_empty_and_partial_reads_succeed(served: Served, client: httpx.AsyncClient) -> None:
    arm(served, '{"verb":"rest.empty","op":"book","nth":1},{"verb":"rest.partial","op":"book","nth":2}')
    assert (await client.get("/book")).json()["data"] == []
    assert (await client.get("/book")).json()["data"] == [1, 2]


async def test_a_cut_read_ends_within_its_body(served: Served, client: httpx.AsyncClient) -> None:
    arm(served, '{"verb":"rest.partial","op":"book","cut":5}')
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("/book")


async def test_a_trickled_answer_arrives_whole(served: Served, client: httpx.AsyncClient) -> None:
    arm(served, '{"verb":"rest.trickle","op":"book","gap":0.0001}')
    assert (await client.get("/book")).json()["asked"] == 1


async def test_a_hanging_call_is_given_up_by_the_client(served: Served, client: httpx.AsyncClient) -> None:
    arm(served, '{"verb":"rest.drop","op":"place","hang":true}')
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/place", timeout=0.05)


async def test_faults_choose_calls_by_number_fields_and_market_time(served: Served, client: httpx.AsyncClient) -> None:
    arm(
        served,
        '{"verb":"rest.reply","op":"place","status":500,"nth":2},'
        '{"verb":"rest.reply","op":"place","status":501,"when":{"tag":"X*"}},'
        '{"verb":"rest.reply","op":"place","status":502,"at":"10:30"}',
    )
    seen = [(await client.post("/place", data={"tag": tag})).status_code for tag in ("A", "B", "X1", "A")]
    assert seen == [200, 500, 501, 200]
    await served.market.advance(1800)
    assert (await client.post("/place", data={"tag": "A"})).status_code == 502


async def test_the_tape_draws_the_same_calls_from_the_same_seed(served: Served, client: httpx.AsyncClient) -> None:
    arm(served, '{"verb":"rest.reply","op":"a","status":500,"p":0.5}')
    seen = [(await client.get("/a")).status_code for _ in range(20)]
    assert {200, 500} == set(seen)
    assert sum(served.plan.acted().values()) == seen.count(500)


async def test_an_order_from_an_unknown_address_is_refused_and_a_read_is_not(
    served: Served, client: httpx.AsyncClient
) -> None:
    arm(served, '{"verb":"net.egress","ip":"203.0.113.1"}')
    assert (await client.post("/place")).json() == {"error": "not from 203.0.113.1"}
    assert (await client.get("/book")).status_code == 200


async def heard(stream: ClientConnection, count: int) -> Sequence[str | bytes]:
    async with asyncio.timeout(5):
        return [await stream.recv() for _ in range(count)]


@pytest.mark.parametrize(
    ("fault", "said", "expected"),
    [
        ('{"verb":"ws.dup","nth":1}', "ab", ["a", "a", "b"]),
        ('{"verb":"ws.reorder","nth":1}', "abc", ["b", "a", "c"]),
        ('{"verb":"ws.lose","nth":2}', "abc", ["a", "c"]),
        ('{"verb":"ws.garbage","nth":2,"hex":"ff00"}', "ab", ["a", b"\xff\x00", "b"]),
    ],
)
async def test_messages_are_doubled_swapped_lost_and_preceded_by_junk(
    served: Served, fault: str, said: str, expected: Sequence[str | bytes]
) -> None:
    arm(served, fault)
    async with connect(f"{served.ws_url}/?t=one", proxy=None) as stream:
        for each in said:
            await stream.send(each)
        assert await heard(stream, len(expected)) == expected


async def test_a_dropped_stream_ends_without_a_word(served: Served) -> None:
    arm(served, '{"verb":"ws.drop"}')
    async with connect(f"{served.ws_url}/?t=one", proxy=None) as stream:
        await stream.send("a")
        with pytest.raises(ConnectionClosed) as ended:
            await stream.recv()
    assert ended.value.rcvd is None


@pytest.mark.parametrize("verb", ["ws.freeze", "ws.half_open"])
async def test_a_frozen_stream_stays_open_and_says_nothing_not_even_pongs(served: Served, verb: str) -> None:
    arm(served, f'{{"verb":"{verb}"}}')
    async with connect(f"{served.ws_url}/?t=one", proxy=None, close_timeout=0.05, ping_interval=None) as stream:
        await stream.send("a")
        await until(lambda: served.plan.acted() == {1: 1})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(await stream.ping(), 0.1)
        assert stream.close_code is None


async def test_a_revoked_login_is_refused_at_the_next_handshake(served: Served) -> None:
    arm(served, '{"verb":"auth.revoke","op":"connect","nth":2}')
    async with connect(f"{served.ws_url}/?t=one", proxy=None):
        pass
    with pytest.raises(InvalidStatus):
        await connect(f"{served.ws_url}/?t=one", proxy=None)
