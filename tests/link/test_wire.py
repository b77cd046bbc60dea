"""Frames: what is not a message ends its own connection and nothing else."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole import __version__
from optconsole.engine import commands as cmd
from optconsole.engine import queries as q
from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import Snapshot
from optconsole.link import wire
from optconsole.link.client import SocketLink
from optconsole.link.server import CONNECTIONS_AT_ONCE, LinkServer
from tests.link.small_engine import CALL, SmallEngine, until

HELLO = wire.frame(wire.Hello(wire.PROTOCOL, __version__))


@given(st.binary(max_size=300))
def test_random_bytes_are_a_message_or_a_bad_frame(body: bytes) -> None:
    for decode in (wire.decode_hello, wire.decode_request, wire.decode_response):
        # any other exception fails the test
        with suppress(wire.BadFrame):
            assert isinstance(decode(body), wire.Message)


def test_a_body_nested_without_end_is_a_bad_frame() -> None:
    with pytest.raises(wire.BadFrame):
        wire.decode_request(b'{"type":"Ask","rid":1,"query":' + b"[" * 100_000)


def test_a_message_too_large_for_the_other_end_is_not_sent() -> None:
    with pytest.raises(wire.BadFrame, match="larger"):
        wire.frame(wire.Ask(1, q.GetQuotes(names=("X" * 100,))), limit=50)


def test_text_that_is_not_unicode_is_not_sent() -> None:
    with pytest.raises(wire.BadFrame, match="Unicode"):
        wire.frame(wire.Failed(1, "X", "\ud800"))


def test_what_is_sent_is_what_arrives_offsets_included() -> None:
    engine = SmallEngine()
    facts = wire.Facts(1, tuple(engine.journal))
    taken = wire.SnapshotTaken(2, Snapshot(seq=3, state=engine.state, vitals=engine.vitals(), version="0"))
    for message in (facts, taken):
        arrived = wire.decode_response(wire.frame(message)[4:])
        assert arrived == message
        assert wire.frame(arrived) == wire.frame(message)
    command = cmd.Flatten(id="1", actor="cli", scope=cmd.Scope(cmd.ScopeKind.UNDERLYING, "NIFTY"))
    for request in (wire.Submit(3, command), wire.Ask(4, q.GetQuotes(names=(CALL,))), wire.OpenTap(5, 0.5)):
        assert wire.decode_request(wire.frame(request)[4:]) == request


async def test_more_consoles_than_can_be_served_hear_so(server: LinkServer, path: Path) -> None:
    links = [await SocketLink.connect(path) for _ in range(CONNECTIONS_AT_ONCE)]
    with pytest.raises(Refusal) as caught:
        await SocketLink.connect(path)
    assert caught.value.code == "TOO_MANY_CONSOLES"
    await links.pop().close()
    await until(lambda: server.connections < CONNECTIONS_AT_ONCE)
    links.append(await SocketLink.connect(path))
    for link in links:
        await link.close()


async def test_ten_thousand_malformed_frames_leave_the_engine_and_other_consoles_untouched(
    engine: SmallEngine, server: LinkServer, path: Path
) -> None:
    source = random.Random(7)
    good = await SocketLink.connect(path)
    facts = engine.state.seq
    sent = 0
    while sent < 10_000:
        _reader, writer = await asyncio.open_unix_connection(path)
        writer.write(HELLO)
        # mostly frames whose length is right: each is read and refused by the decoder, the first one hangs up
        for _ in range(100):
            body = source.randbytes(source.randrange(1, 200))
            length = len(body) if source.random() < 0.9 else source.randrange(1 << 32)
            writer.write(length.to_bytes(4, "big") + body)
            sent += 1
        writer.transport.abort()
        if sent % 1_000 == 0:
            await good.ping()
    assert (await good.snapshot()).seq == facts
    await good.close()


@pytest.mark.parametrize(
    "bytes_",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x00",
        (5).to_bytes(4, "big") + b"hello",
        wire.frame(wire.Ping(1))[:-1] + b"!",
        (40).to_bytes(4, "big") + b'{"type":"OpenTap","rid":1,"hz":"often"}  ',
    ],
)
async def test_a_malformed_frame_is_named_and_its_connection_closed(
    bytes_: bytes, server: LinkServer, path: Path
) -> None:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(HELLO)
    await wire.read_body(reader, 1024)
    writer.write(bytes_)
    turned = wire.decode_response(await wire.read_body(reader, 1 << 20))
    assert isinstance(turned, wire.Turned)
    assert turned.code == "BAD_FRAME"
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_half_a_frame_and_silence_holds_nobody_up(server: LinkServer, path: Path) -> None:
    _reader, writer = await asyncio.open_unix_connection(path)
    writer.write(HELLO + b"\x00\x00")
    link = await SocketLink.connect(path)
    await link.ping()
    await link.close()
    writer.transport.abort()


async def test_another_version_is_turned_away_with_one_sentence(server: LinkServer, path: Path) -> None:
    for protocol, version in ((wire.PROTOCOL + 1, __version__), (wire.PROTOCOL, "99.0")):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(wire.frame(wire.Hello(protocol, version)))
        turned = wire.decode_hello(await wire.read_body(reader, 1 << 20))
        assert isinstance(turned, wire.Turned)
        assert turned.code == "VERSION_MISMATCH"
        assert version in turned.text
        assert turned.text.endswith("start both from the same version.")
        writer.transport.abort()


async def test_a_console_hears_the_reason_it_is_turned_away(path: Path) -> None:
    async def other_version(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await wire.read_body(reader, 1024)
        writer.write(wire.frame(wire.Turned("VERSION_MISMATCH", "Start both from the same version.")))
        writer.close()

    server = await asyncio.start_unix_server(other_version, path)
    with pytest.raises(Refusal) as caught:
        await SocketLink.connect(path)
    assert caught.value.code == "VERSION_MISMATCH"
    server.close()


async def test_something_else_on_the_socket_is_named(path: Path) -> None:
    async def web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_unix_server(web_server, path)
    with pytest.raises(Refusal) as caught:
        await SocketLink.connect(path)
    assert caught.value.code == "BAD_FRAME"
    server.close()


async def test_too_many_streams_are_refused_not_opened(server: LinkServer, engine: SmallEngine, path: Path) -> None:
    link = await SocketLink.connect(path)
    streams = [link.facts(0) for _ in range(17)]
    for stream in streams[:16]:
        await anext(stream)
    with pytest.raises(Refusal) as caught:
        await anext(streams[16])
    assert caught.value.code == "TOO_MANY_STREAMS"
    assert engine.live_readers == 16
    await link.close()


async def test_quotes_asked_in_one_go_come_back_in_one_frame(server: LinkServer, path: Path) -> None:
    link = await SocketLink.connect(path)
    answers = await asyncio.gather(*(link.query(q.GetQuotes(names=(CALL,))) for _ in range(200)))
    assert all(isinstance(answer, q.QuoteList) and answer.quotes[0].name == CALL for answer in answers)
    await link.close()
