"""Kite's sockets: quotes as binary frames, order updates and notices as text, on the same connection.

The first socket is opened for the orders' sake; the others when what is watched no longer fits. Nothing is acknowledged
by the broker, so each socket is told its whole set anew after every opening.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import msgspec

from optconsole.brokers.transport.gateway import Evidence
from optconsole.brokers.transport.socket import LiveSocket
from optconsole.brokers.zerodha.frames import is_heartbeat
from optconsole.brokers.zerodha.rows import OrderRow
from optconsole.brokers.zerodha.session import KiteSession
from optconsole.brokers.zerodha.settings import KiteSettings
from optconsole.brokers.zerodha.subscriptions import Subscriptions
from optconsole.engine.clock import Clock, Rng
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import millis
from optconsole.engine.model.vitals import LinkState

LIVE: Final = "live"
_STATES: Final = {"live": LinkState.LIVE, "silent": LinkState.STALE, "connecting": LinkState.STALE}


class Said(msgspec.Struct, frozen=True):
    """A text frame."""

    type: str
    data: msgspec.Raw = msgspec.Raw(b"null")


_TEXTS: Final = msgspec.json.Decoder(Said)
_ORDERS: Final = msgspec.json.Decoder(OrderRow, strict=False)
_encode: Final = msgspec.json.encode


class Line:
    """One socket and what it has been told."""

    def __init__(self) -> None:
        self.socket: LiveSocket | None = None
        self.told: set[int] = set()
        self.turn = asyncio.Lock()
        self.opened_at = 0
        self.live_since: int | None = None
        """Epoch milliseconds at which it was last opened, before anything was asked for; None while it is not live."""
        self.flowed = 0.0
        """The monotonic second of its last quotes, or of its opening: a heartbeat is none."""


class KiteStream:
    """Set ``on_frame``, ``on_order`` and ``on_live`` before it is started; they are called on the loop's thread."""

    def __init__(
        self,
        settings: KiteSettings,
        session: KiteSession,
        clock: Clock,
        rng: Rng,
        evidence: Evidence,
        roots: Path | None = None,
    ) -> None:
        self._settings, self._session = settings, session
        self._clock, self._rng, self._evidence, self._roots = clock, rng, evidence, roots
        self._wanted = Subscriptions(settings.sockets, settings.per_socket)
        self._lines = [Line() for _ in range(settings.sockets)]
        self._users: set[str] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._full = False
        self.why = ""
        """Why the orders' socket is not live."""
        self.on_frame: Callable[[bytes], None] = _nobody
        self.on_order: Callable[[OrderRow], None] = _nobody
        self.on_live: Callable[[], None] = _nothing

    # ------------------------------------------------------------ its life

    def start(self, user: str) -> None:
        """Connect for a user of the stream, of whom there may be several."""
        self._users.add(user)
        self._open(0)
        self._tell()

    async def stop(self, user: str) -> None:
        """Close once the last user is gone."""
        self._users.discard(user)
        if self._users:
            return
        for task in list(self._work):
            task.cancel()
        for line in self._lines:
            socket, line.socket = line.socket, None
            if socket is not None:
                await socket.stop()

    def _open(self, slot: int) -> None:
        line = self._lines[slot]
        if line.socket is not None or not self._users:
            return
        line.socket = LiveSocket(
            self._address,
            self._clock,
            self._rng,
            on_open=lambda _socket: self._begin(line, slot),
            on_text=lambda text: self._hear(slot, text),
            on_binary=lambda frame: self._take(line, frame),
            on_state=lambda state, why: self._changed(line, slot, state, why),
            silence=self._settings.silence,
            roots=self._roots,
        )
        line.socket.start()

    def _address(self) -> str | None:
        pair = self._session.key_and_token()
        if pair is None:
            return None
        return f"{self._settings.ws_url}?{urlencode({'api_key': pair[0], 'access_token': pair[1]})}"

    def _changed(self, line: Line, slot: int, state: str, why: str) -> None:
        line.live_since = line.opened_at if state == LIVE else None
        if slot == 0:
            self.why = why
            if state == LIVE:
                self.on_live()

    # ------------------------------------------------------------ what is watched

    def watch(self, tokens: Iterable[int]) -> None:
        self._wanted.add(tokens)
        self._tell()

    def drop(self, tokens: Iterable[int]) -> None:
        self._wanted.drop(tokens)
        self._tell()

    def only(self, tokens: Iterable[int]) -> None:
        """Watch exactly these: the tokens of another day's file."""
        self._wanted.only(tokens)
        self._tell()

    def _tell(self) -> None:
        """Bring the sockets to what is wanted, soon and in the background."""
        if self._wanted.waiting and not self._full:
            most = self._settings.sockets * self._settings.per_socket
            self._evidence("SUBSCRIPTIONS_FULL", f"More than {most} contracts are watched; the last ones wait.", "")
        self._full = bool(self._wanted.waiting)
        for slot, line in enumerate(self._lines):
            wanted = self._wanted.on(slot)
            if wanted:
                self._open(slot)
            if line.live_since is not None and set(wanted) != line.told:
                task = asyncio.get_running_loop().create_task(self._update(line, slot))
                self._work.add(task)
                task.add_done_callback(self._work.discard)

    async def _begin(self, line: Line, slot: int) -> None:
        """A socket was opened: it knows nothing yet. What ticks from here on ticks on it."""
        line.opened_at, line.flowed = millis(self._clock.now()), self._clock.monotonic()
        async with line.turn:
            line.told.clear()
        await self._update(line, slot)

    async def _update(self, line: Line, slot: int) -> None:
        async with line.turn:
            wanted = self._wanted.on(slot)
            gone = line.told.difference(wanted)
            for batch in self._batches(sorted(gone)):
                if not await self._send(line, {"a": "unsubscribe", "v": batch}):
                    return
                line.told.difference_update(batch)
            for batch in self._batches([token for token in wanted if token not in line.told]):
                # what is subscribed comes in quote mode, without a book, until it is told otherwise
                if not await self._send(line, {"a": "subscribe", "v": batch}):
                    return
                if not await self._send(line, {"a": "mode", "v": ["full", batch]}):
                    return
                line.told.update(batch)

    def _batches(self, tokens: list[int]) -> Iterator[list[int]]:
        size = self._settings.per_message
        return (tokens[start : start + size] for start in range(0, len(tokens), size))

    async def _send(self, line: Line, message: dict[str, object]) -> bool:
        return line.socket is not None and await line.socket.send(_encode(message).decode())

    # ------------------------------------------------------------ what is heard

    def _take(self, line: Line, frame: bytes) -> None:
        if not is_heartbeat(frame):
            line.flowed = self._clock.monotonic()
            self.on_frame(frame)

    def _hear(self, slot: int, text: str) -> None:
        """A text frame: an order, or words of the broker, which are kept. Every socket hears of every order."""
        try:
            said = _TEXTS.decode(text)
            if said.type == "order":
                if slot and self._lines[0].live_since is not None:
                    return  # the first socket tells it
                self.on_order(_ORDERS.decode(said.data))
                return
        except (msgspec.DecodeError, UnicodeError, RecursionError) as wrong:
            self._evidence("BAD_FRAME", f"A text of the stream cannot be read: {display(str(wrong), 100)}.", text[:500])
            return
        kind = "FEED_ERROR" if said.type == "error" else "BROKER_NOTICE"
        words = display(bytes(said.data).decode("utf-8", "replace"), 200)
        self._evidence(kind, f"Zerodha's stream says: {words}", text[:500])

    # ------------------------------------------------------------ how it is

    def state(self) -> LinkState:
        """Of the orders' socket, which all begin with."""
        socket = self._lines[0].socket
        return LinkState.CLOSED if socket is None else _STATES.get(socket.state, LinkState.DEAD)

    def live_since(self, token: int) -> int | None:
        """Since when (epoch ms) the socket of a token has been live without a break; None while it is not."""
        slot = self._wanted.slot_of(token)
        return None if slot is None else self._lines[slot].live_since

    def heard_from(self, token: int) -> float | None:
        """Seconds since the socket of a token last said anything; None while it is not live."""
        slot = self._wanted.slot_of(token)
        return None if slot is None else self._silence(self._lines[slot])

    def quiet_for(self, token: int) -> float | None:
        """Seconds since the socket of a token last told a quote of anything; None while it is not live."""
        slot = self._wanted.slot_of(token)
        line = None if slot is None else self._lines[slot]
        return None if line is None or line.live_since is None else self._clock.monotonic() - line.flowed

    def reconnect(self, token: int, why: str) -> None:
        """Give up the socket of a token and open another."""
        slot = self._wanted.slot_of(token)
        socket = None if slot is None else self._lines[slot].socket
        if socket is not None:
            socket.reconnect(why)

    def again(self, tokens: Iterable[int]) -> None:
        """Ask anew for tokens of which nothing came."""
        for token in tokens:
            slot = self._wanted.slot_of(token)
            if slot is not None:
                self._lines[slot].told.discard(token)
        self._tell()

    def silent_for(self) -> float | None:
        """Seconds since the last byte of the socket that has been silent longest; None while none is live."""
        heard = [gap for line in self._lines if (gap := self._silence(line)) is not None]
        return max(heard) if heard else None

    def _silence(self, line: Line) -> float | None:
        if line.socket is None or line.live_since is None:
            return None
        return line.socket.silent_for()


def _nobody(_said: object) -> None:
    """Nobody listens yet."""


def _nothing() -> None:
    """Nobody listens yet."""
