"""The two sockets: what they want to let one in, what they say, and how they go wrong."""

from __future__ import annotations

import asyncio
import struct

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import Served
from optconsole.brokers.rehearsal.smartapi.packets import SIZES, StreamMode
from tests.brokers.paper.stage import CALL
from tests.brokers.rehearsal.smartapi.trader import Wire, frame, subscribing
from tests.brokers.rehearsal.stage import quoted, until


async def test_one_packet_a_mode_and_a_tick(wire: Wire, market: Market) -> None:
    async with wire.ticks() as socket:
        for mode in (1, 3):
            await socket.send(subscribing(mode, wire.token()))
        first = [await socket.recv(), await socket.recv()]
        assert [len(packet) for packet in first] == [SIZES[StreamMode.LTP], SIZES[StreamMode.SNAP]]
        quoted(market, CALL, 101_00)
        later = [await socket.recv(), await socket.recv()]
        assert [struct.unpack_from("<q", packet, 43)[0] for packet in later] == [101_00, 101_00]
        assert struct.unpack_from("<q", later[0], 27)[0] > struct.unpack_from("<q", first[1], 27)[0]
        assert bytes(later[1][2:27]).rstrip(b"\x00").decode() == wire.token()


async def test_a_token_that_is_let_go_ticks_no_more(wire: Wire, market: Market) -> None:
    async with wire.ticks() as socket:
        await socket.send(subscribing(1, wire.token()))
        await socket.recv()
        await socket.send(subscribing(1, wire.token(), action=0))
        await socket.send("ping")
        assert await socket.recv() == "pong"
        quoted(market, CALL, 101_00)
        await socket.send("ping")
        assert await socket.recv() == "pong"


async def test_text_ping_is_answered_by_text_pong_on_both_sockets(wire: Wire) -> None:
    async with wire.ticks() as socket:
        await socket.send("ping")
        assert await socket.recv() == "pong"
    async with wire.updates() as socket:
        await socket.recv()
        await socket.send("ping")
        assert await socket.recv() == "pong"


@pytest.mark.parametrize("payload", ["{", '{"action":2}', subscribing(9, "1"), subscribing(4, "58662", segment=2)])
async def test_a_bad_request_is_an_error_that_closes_nothing(wire: Wire, payload: str) -> None:
    async with wire.ticks() as socket:
        await socket.send(payload)
        assert (await frame(socket))["errorCode"] == "E1001"
        await socket.send("ping")
        assert await socket.recv() == "pong"


async def test_a_thousand_pairs_and_no_more(wire: Wire) -> None:
    tokens = ",".join(f'"{number}"' for number in range(1000))
    whole = f'{{"action":1,"params":{{"mode":1,"tokenList":[{{"exchangeType":2,"tokens":[{tokens}]}}]}}}}'
    async with wire.ticks() as socket:
        await socket.send(whole)
        await socket.send(whole)  # again is nothing new
        await socket.send(subscribing(2, "1"))
        said = await frame(socket)
        assert (said["errorCode"], said["correlationID"]) == ("E1002", "abcde12345")


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("Authorization", "Auth token"),
        ("x-client-code", "Client Code"),
        ("x-api-key", "API Key"),
        ("x-feed-token", "Feed Token"),
    ],
)
async def test_the_refusal_names_the_header_that_is_wrong(wire: Wire, header: str, what: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await wire.ticks(**{header: "x"})
    assert refused.value.response.status_code == 401
    assert refused.value.response.headers["x-error-message"] == f"Invalid Header - Invalid {what}"


async def test_a_browser_brings_its_credentials_in_the_query(wire: Wire, served: Served) -> None:
    given = served.credentials
    query = f"clientCode={given['client_code']}&feedToken={given['feed_token']}&apiKey={given['api_key']}"
    async with connect(f"{served.ws_url}/smart-stream?{query}") as socket:
        await socket.send("ping")
        assert await socket.recv() == "pong"


async def test_a_fourth_connection_is_one_too_many(wire: Wire) -> None:
    async with wire.ticks(), wire.ticks(), wire.ticks(), wire.updates():
        with pytest.raises(InvalidStatus) as refused:
            await wire.ticks()
        assert refused.value.response.status_code == 429


async def test_order_frames_follow_the_greeting_and_the_life_of_an_order(wire: Wire, market: Market) -> None:
    async with wire.updates() as socket:
        hello = await frame(socket)
        assert (hello["order-status"], hello["orderData"]["orderid"]) == ("AB00", "")
        orderid = await wire.place(quantity=str(2 * CALL.lot))
        said = [await frame(socket) for _each in range(3)]
        assert [each["order-status"] for each in said] == ["AB09", "AB01", "AB05"]
        last = said[-1]["orderData"]
        assert (last["orderid"], last["orderstatus"], last["ordertag"]) == (orderid, "complete", "OC7F3A91")
        assert "uniqueorderid" not in last
        await wire.place(quantity="1")
        assert (await frame(socket))["order-status"] == "AB03"


async def test_now_and_then_an_order_frame_is_binary(wire: Wire) -> None:
    async with wire.updates() as socket:
        await socket.recv()
        for _each in range(7):
            await wire.place(quantity="1", ordertag="")
        frames = [await socket.recv() for _each in range(7)]
        assert [isinstance(each, bytes) for each in frames].count(True) == 1


async def test_a_dead_login_is_refused_on_reconnection(wire: Wire, served: Served) -> None:
    async with wire.updates() as socket, wire.ticks() as ticks:
        served.dialect.revoke(True)
        await socket.recv()  # the greeting
        for each in (socket, ticks):
            with pytest.raises(ConnectionClosed):
                await each.recv()
    for attempt, status in ((wire.updates, 403), (wire.ticks, 401)):
        with pytest.raises(InvalidStatus) as refused:
            await attempt()
        assert refused.value.response.status_code == status


async def test_a_revoked_login_leaves_its_streams_open(wire: Wire, served: Served) -> None:
    async with wire.ticks() as socket:
        served.dialect.revoke(False)
        await socket.send("ping")
        assert await socket.recv() == "pong"


async def test_an_order_frame_may_be_lost_and_the_book_still_knows(wire: Wire, served: Served, market: Market) -> None:
    served.plan.add(decode_faults(b'[{"verb":"ws.lose","op":"orders"}]'))
    async with wire.updates() as socket:
        await socket.recv()
        orderid = await wire.place()
        await market.broker.delivered()
        assert (await wire.row(orderid))["orderstatus"] == "complete"
        await socket.send("ping")
        assert await socket.recv() == "pong"


async def test_a_frozen_stream_stays_open_and_says_nothing(wire: Wire, served: Served, market: Market) -> None:
    async with wire.ticks() as socket:
        await socket.send(subscribing(1, wire.token()))
        await socket.recv()
        served.plan.add(decode_faults(b'[{"verb":"ws.freeze","op":"ticks"}]'))
        quoted(market, CALL, 101_00)
        await until(lambda: all(peer.silent for peer in served.server.peers))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.05)
        assert socket.close_code is None
        socket.transport.abort()
