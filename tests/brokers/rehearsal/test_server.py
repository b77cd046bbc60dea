"""The port itself: HTTP/1.1 and WebSocket as any client expects them, within bounds."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from optconsole.brokers.rehearsal.serve import Served
from optconsole.brokers.rehearsal.server import LARGEST_BODY


async def test_one_connection_serves_request_after_request(served: Served, client: httpx.AsyncClient) -> None:
    for count in range(1, 4):
        assert (await client.get("/x")).json()["asked"] == count
    assert served.server.connections == 1


async def test_a_chunked_body_arrives_whole(client: httpx.AsyncClient) -> None:
    async def parts():
        for _ in range(3):
            yield b"x" * 1000

    answer = await client.post("/x", content=parts())
    assert answer.json()["size"] == 3000


async def test_a_body_beyond_the_bound_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/x", content=b"x" * (LARGEST_BODY + 1))).status_code == 413


async def test_what_is_no_request_is_answered_as_such_and_cut_off(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
    writer.write(b"HELLO\r\n\r\n")
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 400")
    writer.close()


async def test_a_stream_says_back_what_it_hears_and_closes_in_order(served: Served) -> None:
    async with connect(f"{served.ws_url}/?t=one", proxy=None) as stream:
        await stream.send("text")
        await stream.send(b"\x01\x02")
        assert await stream.recv() == "text"
        assert await stream.recv() == b"\x01\x02"
        await (await stream.ping())
    assert stream.close_code == 1000


async def test_a_stream_is_refused_before_the_upgrade(served: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{served.ws_url}/?t=two", proxy=None)
    assert refused.value.response.status_code == 403


async def test_closing_the_server_ends_streams(served: Served) -> None:
    async with connect(f"{served.ws_url}/?t=one", proxy=None) as stream:
        await served.server.close()
        with pytest.raises(ConnectionClosed):
            await stream.recv()
