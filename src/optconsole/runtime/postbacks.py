"""Brokers' postbacks: an optional listener on loopback, behind the trader's own proxy, whose every word is a hint.

A postback proves little (Kite's checksum covers neither status nor price, Angel One sends none), so nothing of it is
believed: a verified one has the account's book read a little sooner, and that is all it can ever do.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Final

import h11
import msgspec

from optconsole.brokers.transport.gateway import Credentials
from optconsole.config import Settings
from optconsole.engine.clock import Clock, WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.store.credentials import VaultCredentials
from optconsole.runtime.strongroom import Strongroom

LOOPBACK: Final = "127.0.0.1"
KEY: Final = "postback_key"
"""The secret that ends the address a broker is given: ``/postback/ACCOUNT/KEY``, of at least ``KEY_LENGTH``."""
KEY_LENGTH: Final = 20
LARGEST: Final = 64 << 10
LARGEST_HEAD: Final = 16 << 10
A_SECOND: Final = 5
AT_ONCE: Final = 16
PATIENCE: Final = 5.0
LINGER: Final = 1.0

log = logging.getLogger(__name__)


class _Named(msgspec.Struct):
    """What of a postback is looked at."""

    order_id: str = ""
    order_timestamp: str = ""
    checksum: str = ""


_DECODER: Final = msgspec.json.Decoder(_Named)


class Postbacks:
    """Listens from ``start`` to ``close``. ``accounts`` are broker and credentials by account."""

    def __init__(
        self, accounts: Mapping[str, tuple[str, Credentials]], hint: Callable[[str], None], clock: Clock, port: int = 0
    ) -> None:
        self._port = port
        self._accounts = accounts
        self._hint = hint
        self._clock = clock
        self._recent: deque[float] = deque(maxlen=A_SECOND)
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self.refused = 0
        """Requests that were no postback of ours."""

    @property
    def port(self) -> int:
        """Where it listens. Only after ``start``."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen on this machine alone; port 0 takes a free one. Raises Refusal(POSTBACK_PORT)."""
        try:
            self._server = await asyncio.start_server(self._accept, LOOPBACK, self._port, limit=LARGEST_HEAD)
        except OSError as error:
            text = f"Port {self._port} cannot be listened on: {error.strerror}; set another as postbacks.port."
            raise Refusal("POSTBACK_PORT", text) from None

    async def close(self) -> None:
        """Hang up and stop listening."""
        if self._server is not None:
            self._server.close()
        for client in tuple(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            status = 429 if self._too_many() else await self._judged(reader)
            self.refused += status != 200
            writer.write(_answer(status))
            await _part(reader, writer)
        except (OSError, asyncio.CancelledError):
            log.debug("a postback's sender left")
        finally:
            self._clients.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _too_many(self) -> bool:
        """Judged before anything is read: a flood costs one answer each."""
        now = self._clock.monotonic()
        if len(self._clients) > AT_ONCE or (len(self._recent) == A_SECOND and now - self._recent[0] < 1.0):
            return True
        self._recent.append(now)
        return False

    async def _judged(self, reader: asyncio.StreamReader) -> int:
        try:
            async with asyncio.timeout(PATIENCE):
                request, body = await _read(reader)
        except TimeoutError:
            return 408
        except h11.RemoteProtocolError as wrong:
            return wrong.error_status_hint or 400
        account = self._account(request.target.decode("ascii", "replace"))
        if account is None:
            return 404
        if request.method != b"POST":
            return 405
        broker, credentials = self._accounts[account]
        if broker == "zerodha" and not _signed(body, credentials.get("api_secret")):
            log.warning("a postback for %s has a wrong checksum", account)
            return 403
        self._hint(account)
        return 200

    def _account(self, target: str) -> str | None:
        """Whose address it is. An unknown account and a wrong key look alike from outside."""
        parts = target.partition("?")[0].split("/")
        name, given = (parts[2], parts[3]) if len(parts) == 4 and parts[:2] == ["", "postback"] else ("", "")
        known = self._accounts.get(name)
        key = known[1].get(KEY) if known is not None else None
        usable = key is not None and len(key.reveal()) >= KEY_LENGTH
        expected = key.reveal() if usable and key is not None else "\0"
        right = hmac.compare_digest(given.encode(), expected.encode())
        return name if usable and right else None


def postbacks_of(settings: Settings, strongroom: Strongroom, hint: Callable[[str], None]) -> Postbacks | None:
    """The listener that a configuration asks for, for its accounts at brokers; None where it asks for none."""
    port = settings.postbacks.port
    if port is None:
        return None
    brokers = {name: account.broker for name, account in settings.accounts.items() if account.broker != "paper"}
    accounts = {name: (broker, VaultCredentials(strongroom.vault, name)) for name, broker in brokers.items()}
    return Postbacks(accounts, hint, WallClock(), port)


def _signed(body: bytes, secret: Secret | None) -> bool:
    """Whether Kite's checksum holds: SHA-256 of order id, its time and the app's secret."""
    if secret is None:
        return False
    try:
        named = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    expected = sha256(f"{named.order_id}{named.order_timestamp}{secret.reveal()}".encode()).hexdigest()
    return bool(named.order_id) and hmac.compare_digest(named.checksum.encode(), expected.encode())


async def _read(reader: asyncio.StreamReader) -> tuple[h11.Request, bytes]:
    """One request, whole. Raises h11.RemoteProtocolError, with 413 for a body above ``LARGEST``."""
    http = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            if http.they_are_waiting_for_100_continue:
                raise h11.RemoteProtocolError("send it at once", 417)
            http.receive_data(await reader.read(LARGEST_HEAD))
        elif isinstance(event, h11.Request):
            request = event
            if any(name == b"content-length" and int(value) > LARGEST for name, value in event.headers):
                raise h11.RemoteProtocolError("too large", 413)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LARGEST:
                raise h11.RemoteProtocolError("too large", 413)
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            return request, bytes(body)
        else:
            raise h11.RemoteProtocolError("it broke off", 400)


async def _part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read on a little before hanging up: a connection closed over unread bytes takes the answer with it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            await writer.drain()
            writer.write_eof()
            left = 2 * LARGEST
            while left > 0 and (data := await reader.read(LARGEST_HEAD)):
                left -= len(data)


def _answer(status: int) -> bytes:
    """A status and nothing that tells a stranger more."""
    return f"HTTP/1.1 {status} .\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
