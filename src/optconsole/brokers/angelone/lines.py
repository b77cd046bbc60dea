"""One socket of the quote stream: what is to come over it, and what it was asked for since it was opened."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from optconsole.brokers.angelone import bodies, frames
from optconsole.brokers.angelone.settings import AngelSettings
from optconsole.brokers.angelone.tally import Tally
from optconsole.brokers.angelone.wire import Wire
from optconsole.brokers.angelone.words import SEGMENTS
from optconsole.brokers.transport.gateway import Listed
from optconsole.brokers.transport.socket import LiveSocket
from optconsole.engine.clock import Clock, Rng
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.text import display

PONG: Final = "pong"
LIVE: Final = "live"


class StreamError(msgspec.Struct, frozen=True):
    """What the stream says in text when it does not like a request; the socket stays open."""

    errorCode: str = ""
    errorMessage: str = ""


class Line:
    """A socket and its contracts. What is wanted outlives every connection and is asked for anew on each."""

    def __init__(
        self,
        number: int,
        settings: AngelSettings,
        wire: Wire,
        clock: Clock,
        rng: Rng,
        tally: Tally,
        on_packet: Callable[[bytes], None],
        roots: Path | None = None,
    ) -> None:
        self._number = number
        self._settings = settings
        self._wire = wire
        self._tally = tally
        self._wanted: dict[str, Listed] = {}
        self._asked: dict[str, Listed] = {}
        self._turn = asyncio.Lock()
        self._flushing: asyncio.Task[None] | None = None
        self._clock = clock
        self.why = ""
        self.packet_at = clock.monotonic()
        """When a packet last came, or was first to be expected."""
        self.open_since = clock.monotonic()
        self.socket = LiveSocket(
            self._url,
            clock,
            rng,
            headers=wire.socket_headers,
            on_open=self._opened,
            on_text=self._heard,
            on_binary=on_packet,
            on_state=self._turned,
            silence=settings.silence,
            ping="ping",
            ping_every=settings.ping_every,
            roots=roots,
        )

    @property
    def live(self) -> bool:
        return self.socket.state == LIVE

    @property
    def mute(self) -> bool:
        """Open and answering, and without a packet for longer than a market is quiet."""
        return self.live and bool(self._wanted) and self._clock.monotonic() - self.packet_at > self._settings.silence

    @property
    def room(self) -> int:
        return self._settings.tokens_a_socket - len(self._wanted)

    def want(self, listed: Listed) -> None:
        self._wanted[listed.instrument.name] = listed
        self._soon()

    def drop(self, name: str) -> None:
        self._wanted.pop(name, None)
        self._soon()

    def names(self) -> list[str]:
        return list(self._wanted)

    async def stop(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.gather(self._flushing, return_exceptions=True)
        await self.socket.stop()

    # ------------------------------------------------------------ the socket's side

    def _url(self) -> str | None:
        return self._settings.ws_url if self._wire.socket_headers() else None

    async def _opened(self, socket: LiveSocket) -> None:
        async with self._turn:
            self._asked.clear()
            await self._ask(socket.send)

    def _turned(self, state: str, why: str) -> None:
        self.why = f"Angel One's quotes are {state}: {display(why, 100)}." if why else ""
        if state == LIVE:
            self.packet_at = self.open_since = self._clock.monotonic()
            self._soon()

    def _heard(self, text: str) -> None:
        if text.strip() == PONG:
            return
        try:
            said = msgspec.json.decode(text, type=StreamError)
        except msgspec.DecodeError:
            said = StreamError(errorMessage=text[:100])
        kind = "SUBSCRIPTION_CAP" if said.errorCode == "E1002" else "STREAM_ERROR"
        self._tally.note(kind, f"The quote stream says {said.errorCode or 'something new'}.", text[:200])

    # ------------------------------------------------------------ what it was asked for

    def _soon(self) -> None:
        """Ask for what is wanted and was not asked for, once the present turn is over; many wishes are one message."""
        if self.live and (self._flushing is None or self._flushing.done()):
            self._flushing = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        async with self._turn:
            while self.live and self._wanted.keys() != self._asked.keys():
                if not await self._ask(self.socket.send):
                    return

    async def _ask(self, send: Callable[[str], Awaitable[bool]]) -> bool:
        """Bring what was asked for to what is wanted; whether all of it left."""
        gone = [each for name, each in self._asked.items() if name not in self._wanted]
        new = [each for name, each in self._wanted.items() if name not in self._asked]
        for subscribe, contracts in ((False, gone), (True, new)):
            for mode, group in _by_mode(contracts).items():
                text = msgspec.json.encode(bodies.subscription(subscribe, mode, group, f"optc{self._number:06d}"))
                if not await send(text.decode()):
                    return False
        for each in gone:
            self._asked.pop(each.instrument.name, None)
        self._asked.update((each.instrument.name, each) for each in new)
        return True


def mode_of(listed: Listed) -> int:
    """An index has no book, a contract is watched with its five levels."""
    return frames.QUOTE if listed.instrument.kind is Kind.INDEX else frames.SNAP


def _by_mode(contracts: list[Listed]) -> dict[int, dict[int, list[str]]]:
    found: defaultdict[int, dict[int, list[str]]] = defaultdict(dict)
    for each in contracts:
        found[mode_of(each)].setdefault(SEGMENTS[each.segment], []).append(each.token)
    return found
