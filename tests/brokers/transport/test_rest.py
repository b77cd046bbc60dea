from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from optconsole.brokers.transport.pace import Budget
from optconsole.brokers.transport.rest import RestClient, Unanswered
from optconsole.brokers.transport.tls import checked
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from tests.brokers.transport.certificates import DAY, Authority

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A loopback server that answers each request by a function of its raw text, and counts them."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"), 0
                )
                self.requests.append(head + await reader.readexactly(length))
                await self.answer(self.requests[-1], writer)
        writer.close()


@asynccontextmanager
async def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for writer in server.writers:
            writer.transport.abort()
        await asyncio.sleep(0)
        await listening.wait_closed()


@asynccontextmanager
async def client(port: int, scheme: str = "http", **words: object) -> AsyncIterator[RestClient]:
    opened = RestClient(f"{scheme}://127.0.0.1:{port}", WallClock(), **words)  # type: ignore[arg-type]
    try:
        yield opened
    finally:
        await opened.close()


async def fine(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


async def hang_up(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


def replying(status: bytes, headers: bytes = b"", body: bytes = b"") -> Answer:
    async def answer(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 " + status + b"\r\n" + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    return answer


async def test_a_form_goes_out_once_and_its_answer_comes_back_whole() -> None:
    async with serving(fine) as server, client(server.port) as rest:
        reply = await rest.call("POST", "/orders/regular", form={"qty": 65, "tag": "V1AAA"}, timed=True)
        assert (reply.status, reply.body) == (200, b"ok")
        (request,) = server.requests
        assert request.startswith(b"POST /orders/regular HTTP/1.1\r\n")
        assert request.endswith(b"qty=65&tag=V1AAA")
        assert rest.latencies() is not None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_no_verb_is_sent_twice_when_a_kept_connection_dies_after_taking_it(method: str) -> None:
    calls = 0

    async def once_then_hang_up(request: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await fine(request, writer)
        else:
            writer.close()

    async with serving(once_then_hang_up) as server, client(server.port) as rest:
        await rest.call("GET", "/warm")
        with pytest.raises(Unanswered) as failed:
            await rest.call(method, "/orders/regular/1")
        assert failed.value.sent
        assert [request.split()[0].decode() for request in server.requests] == ["GET", method]


async def test_nothing_was_sent_where_nobody_listens() -> None:
    async with serving(fine) as server:
        port = server.port
    async with client(port) as rest:
        with pytest.raises(Unanswered) as failed:
            await rest.call("POST", "/orders")
    assert not failed.value.sent


async def test_an_unknown_host_was_sent_nothing() -> None:
    rest = RestClient("https://no-such-host.invalid", WallClock())
    with pytest.raises(Unanswered) as failed:
        await rest.call("POST", "/orders")
    assert not failed.value.sent
    await rest.close()


async def test_a_reply_that_never_comes_ends_at_the_deadline_as_sent() -> None:
    async def silence(_request: bytes, _writer: asyncio.StreamWriter) -> None: ...

    async with serving(silence) as server, client(server.port, deadline=0.2) as rest:
        with pytest.raises(Unanswered) as failed:
            await rest.call("POST", "/orders")
    assert failed.value.sent


async def test_a_trickle_of_bytes_does_not_outlast_the_deadline() -> None:
    async def trickle(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(trickle) as server, client(server.port, deadline=0.3) as rest:
        with pytest.raises(Unanswered) as failed:
            await rest.call("POST", "/orders")
    assert failed.value.sent
    assert "within 0.3 s" in failed.value.cause


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    moved = replying(b"302 Found", b"Location: http://127.0.0.1:9/steal\r\n")
    async with serving(moved) as server, client(server.port) as rest:
        reply = await rest.call("POST", "/orders", headers={"Authorization": "token a:b"})
        assert reply.status == 302
        assert len(server.requests) == 1


async def test_only_reads_of_the_market_are_asked_again() -> None:
    async with serving(replying(b"503 Busy")) as server, client(server.port) as rest:
        assert (await rest.call("POST", "/orders")).status == 503
        assert len(server.requests) == 1
        assert (await rest.read("GET", "/instruments", tries=2)).status == 503
        assert len(server.requests) == 3


async def test_calls_of_a_bucket_wait_for_their_turn() -> None:
    budgets = {"quote": Budget(2, 0.3)}
    async with serving(fine) as server, client(server.port, budgets=budgets) as rest:
        began = WallClock().monotonic()
        await asyncio.gather(*(rest.call("GET", "/quote", bucket="quote") for _ in range(3)))
        assert WallClock().monotonic() - began >= 0.3


async def test_what_a_broker_says_is_safe_to_show() -> None:
    async with (
        serving(replying(b"502 Bad", body=b"<html>\x1b[2J\xe2\x80\xaeoops")) as server,
        client(server.port) as rest,
    ):
        shown = (await rest.call("GET", "/")).text()
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "oops" in shown


async def test_the_environment_s_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with serving(fine) as server, client(server.port) as rest:
        assert (await rest.call("GET", "/")).status == 200


async def test_a_verified_certificate_is_trusted(tmp_path: Path) -> None:
    authority = Authority.fresh(tmp_path)
    async with (
        serving(fine, authority.server(tmp_path)) as server,
        client(server.port, "https", roots=authority.roots) as rest,
    ):
        assert (await rest.call("GET", "/")).status == 200


@pytest.mark.parametrize("fault", ["unknown authority", "wrong host", "expired", "public authorities only", "old TLS"])
async def test_a_doubtful_certificate_gets_no_byte(fault: str, tmp_path: Path) -> None:
    ours, theirs = Authority.fresh(tmp_path), Authority.fresh(tmp_path, "theirs")
    tls = {
        "unknown authority": lambda: theirs.server(tmp_path),
        "wrong host": lambda: ours.server(tmp_path, host="api.example.com"),
        "expired": lambda: ours.server(tmp_path, until=timedelta(days=-1)),
    }.get(fault, lambda: ours.server(tmp_path, until=DAY))()
    if fault == "old TLS":
        tls.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="deprecated"):
            tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    roots = None if fault == "public authorities only" else ours.roots
    async with serving(fine, tls) as server, client(server.port, "https", roots=roots) as rest:
        with pytest.raises(Unanswered) as failed:
            await rest.call("POST", "/orders", headers={"Authorization": "token a:b"})
        assert not failed.value.sent
        assert server.requests == []


@pytest.mark.parametrize("url", ["http://api.example.com", "ws://10.0.0.4:80/x", "ftp://x", "nonsense", "http://[::"])
def test_tokens_are_not_sent_in_the_clear_to_another_machine(url: str) -> None:
    with pytest.raises(Refusal) as refused:
        checked(url)
    assert refused.value.code in ("PLAIN_TEXT", "BAD_URL")


def test_a_rehearsal_on_this_machine_may_do_without_tls() -> None:
    for url in ("http://127.0.0.1:8000", "ws://localhost:1", "http://[::1]:9"):
        assert checked(url) == url
