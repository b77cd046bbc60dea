"""One loopback port that speaks HTTP/1.1 and WebSocket, and can misbehave at the level of bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

from optconsole.brokers.rehearsal.peer import Peer
from optconsole.brokers.rehearsal.wire import Request, Response, plain

LOOPBACK: Final = "127.0.0.1"
LARGEST_HEAD: Final = 32_768
LARGEST_BODY: Final = 2_000_000
READ_SIZE: Final = 65_536
Handler = Callable[[Request], Awaitable[Response]]
SocketHandler = Callable[[Request, Peer], Awaitable[None]]
Welcome = Callable[[Request], Awaitable[Response | SocketHandler]]
"""What becomes of an upgrade: a refusal, or who talks to the client from then on."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds a client may take: between two requests on one connection, and to send one."""

    idle: float = 75.0
    request: float = 15.0


class RehearsalServer:
    """Serves until closed; each request by ``handler``, each upgrade by whom ``welcome`` names."""

    def __init__(
        self, handler: Handler, welcome: Welcome, *, tls: ssl.SSLContext | None = None, patience: Patience | None = None
    ) -> None:
        self._handler, self._welcome, self._tls = handler, welcome, tls
        self._patience = patience or Patience()
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self.peers: set[Peer] = set()
        self.connections = 0
        """How many were ever opened."""

    @property
    def secure(self) -> bool:
        return self._tls is not None

    @property
    def port(self) -> int:
        assert self._server is not None, "the server has not started"
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one. Raises OSError."""
        self._server = await asyncio.start_server(self._accept, LOOPBACK, port, ssl=self._tls, limit=READ_SIZE)

    async def close(self) -> None:
        """Cut every connection and stop listening."""
        if self._server is not None:
            self._server.close()
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        self.connections += 1
        try:
            await _Connection(self, reader, writer).serve()
        except (ConnectionError, TimeoutError, ssl.SSLError, asyncio.CancelledError):
            # the client left or was too slow, or the server is closing: nobody is there to be told
            writer.transport.abort()
        finally:
            self._clients.discard(task)
            writer.close()

    # ------------------------------------------------------------ what a connection asks

    async def answer(self, request: Request) -> Response:
        return await self._handler(request)

    async def welcome(self, request: Request) -> Response | SocketHandler:
        return await self._welcome(request)

    @property
    def patience(self) -> Patience:
        return self._patience


class _Connection:
    """One client's connection: requests one after another, until it ends or becomes a stream."""

    def __init__(self, server: RehearsalServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
        self._client = str((writer.get_extra_info("peername") or ("",))[0])

    async def serve(self) -> None:
        while True:
            try:
                head = await self._head()
                if head is None:
                    return
                request = await self._whole(head)
            except h11.RemoteProtocolError as wrong:
                await self._write(plain(f"{wrong}\n", wrong.error_status_hint or 400), last=True)
                return
            if request is None:
                await self._write(plain("the body is too large\n", 413), last=True)
                return
            if request.headers.get("upgrade", "").lower() == "websocket":
                await self._upgrade(request, head)
                return
            response = await self._server.answer(request)
            if not await self._respond(response):
                return

    async def _head(self) -> h11.Request | None:
        event = await self._event(self._server.patience.idle)
        return event if isinstance(event, h11.Request) else None

    async def _whole(self, head: h11.Request) -> Request | None:
        """Read the body. None where it is too large."""
        body = bytearray()
        while True:
            event = await self._event(self._server.patience.request)
            if isinstance(event, h11.Data):
                body += event.data
                if len(body) > LARGEST_BODY:
                    return None
            elif isinstance(event, h11.EndOfMessage):
                return _request(head, bytes(body), self._client)
            else:
                raise ConnectionResetError

    async def _event(self, patience: float) -> object:
        async with asyncio.timeout(patience):
            while True:
                event = self._http.next_event()
                if event is not h11.NEED_DATA:
                    return event
                if self._http.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    self._writer.write(self._http.send(go_on) or b"")
                self._http.receive_data(await self._reader.read(READ_SIZE))

    async def _respond(self, response: Response) -> bool:
        """Answer in the manner asked. Whether the connection lives on."""
        manner = response.manner
        if manner.hang:
            await self._reader.read()  # until the client gives up
            return False
        await asyncio.sleep(manner.wait)
        if manner.drop:
            return False
        whole = await self._write(response)
        if not whole or self._http.our_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def _write(self, response: Response, last: bool = False) -> bool:
        """Whether all of it was written."""
        headers: list[tuple[str, str]] = [*response.headers, ("content-length", str(len(response.body)))]
        if last:
            headers.append(("connection", "close"))
        start = self._http.send(h11.Response(status_code=response.status, headers=headers, reason=b"")) or b""
        body = self._http.send(h11.Data(data=response.body)) or b""
        manner = response.manner
        data = start + (body if manner.cut is None else body[: manner.cut])
        self._http.send(h11.EndOfMessage())
        for chunk in _chunks(data, manner.gap):
            self._writer.write(chunk)
            await self._writer.drain()
            if manner.gap:
                await asyncio.sleep(manner.gap)
        if manner.cut is not None or last:
            self._writer.close()
            await self._writer.wait_closed()
            return False
        return True

    async def _upgrade(self, request: Request, head: h11.Request) -> None:
        handler = await self._server.welcome(request)
        if isinstance(handler, Response):
            await self._write(handler, last=True) if not handler.manner.drop else None
            return
        peer = Peer(self._reader, self._writer)
        if not peer.upgrade(_head_bytes(head)):
            return
        self._server.peers.add(peer)
        try:
            await handler(request, peer)
            await self._writer.drain()
        finally:
            self._server.peers.discard(peer)


def _chunks(data: bytes, gap: float) -> Iterable[bytes]:
    return (data[place : place + 1] for place in range(len(data))) if gap else (data,)


def _request(head: h11.Request, body: bytes, client: str) -> Request:
    target = head.target.decode("latin-1")
    parts = urlsplit(target)
    return Request(
        method=head.method.decode("latin-1"),
        target=target,
        path=unquote(parts.path),
        query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head.headers},
        body=body,
        client=client,
    )


def _head_bytes(head: h11.Request) -> bytes:
    """The request's head again as bytes, for the WebSocket's own reader of handshakes."""
    lines = [head.method + b" " + head.target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in head.headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"
