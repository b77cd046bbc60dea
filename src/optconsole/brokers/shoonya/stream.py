"""The one socket of a login, shared by quotes and order updates: a second one would evict the first."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from optconsole.brokers.shoonya import frames
from optconsole.brokers.shoonya.frames import BadFrame, Frame
from optconsole.brokers.shoonya.replies import masked
from optconsole.brokers.shoonya.settings import ShoonyaSettings
from optconsole.brokers.shoonya.wire import NO_LOGIN, Wire
from optconsole.brokers.transport.gateway import Evidence
from optconsole.brokers.transport.socket import LiveSocket, Refused
from optconsole.engine.clock import Clock, Rng
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.observe.log import incident

HEARTBEAT: Final = '{"t":"h"}'
PULSE: Final = 0.5
"""Seconds between two looks at the stream."""
MARKET: Final = frozenset({"tk", "tf", "dk", "df"})
_STATES: Final = {
    "connecting": LinkState.STALE,
    "live": LinkState.LIVE,
    "silent": LinkState.STALE,
    "down": LinkState.STALE,
    "refused": LinkState.DEAD,
}


class Stream:
    """Opens, logs in, keeps alive; hands market frames and order frames to who asked for them.

    It is open while somebody needs it. A token that changes is used at once: the socket logs in anew.
    """

    def __init__(
        self,
        settings: ShoonyaSettings,
        wire: Wire,
        clock: Clock,
        rng: Rng,
        evidence: Evidence,
        roots: Path | None = None,
    ) -> None:
        self._settings = settings
        self._wire = wire
        self._clock = clock
        self._evidence = evidence
        self._socket = LiveSocket(
            self._address,
            clock,
            rng,
            on_open=self._log_in,
            on_text=self._take,
            on_binary=self._take_binary,
            on_state=self._on_state,
            silence=settings.stall,
            ping=HEARTBEAT,
            ping_every=settings.heartbeat,
            roots=roots,
        )
        self._users: set[str] = set()
        self._let_in: asyncio.Future[str] | None = None
        self._shown: Secret | None = None
        self._settled = asyncio.Event()
        self._pulse: asyncio.Task[None] | None = None
        self._answers = self._flowed = False
        self._asked_at: float | None = None
        self._order: Callable[[Mapping[str, Any]], None] = lambda _frame: None
        self._market: Callable[[Frame], None] = lambda _frame: None
        self._live: list[Callable[[], None]] = []
        self._lost: list[Callable[[], None]] = []
        self.note = ""

    # ------------------------------------------------------------ who listens

    def on_order(self, take: Callable[[Mapping[str, Any]], None]) -> None:
        """Who is told of order frames."""
        self._order = take

    def on_market(self, take: Callable[[Frame], None]) -> None:
        """Who is told of market frames."""
        self._market = take

    def on_live(self, call: Callable[[], None]) -> None:
        """Called each time the stream has been let in."""
        self._live.append(call)

    def on_lost(self, call: Callable[[], None]) -> None:
        """Called when what was subscribed on the stream is gone with it."""
        self._lost.append(call)

    async def open(self, user: str) -> None:
        """Have the stream; returns once it is let in or plainly cannot be for now."""
        self._users.add(user)
        if self._pulse is None:
            self._settled.clear()
            self._socket.start()
            self._pulse = asyncio.create_task(self._beat())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.deadline):
                await self._settled.wait()

    async def shut(self, user: str) -> None:
        """Need the stream no more; it closes with its last user."""
        self._users.discard(user)
        if self._users or self._pulse is None:
            return
        pulse, self._pulse = self._pulse, None
        pulse.cancel()
        await asyncio.gather(pulse, return_exceptions=True)
        await self._socket.stop()

    # ------------------------------------------------------------ what is known of it

    @property
    def live(self) -> bool:
        """Whether it is let in and can be spoken to."""
        return self._pulse is not None and self._socket.state == "live"

    @property
    def state(self) -> LinkState:
        return LinkState.CLOSED if self._pulse is None else _STATES[self._socket.state]

    def silent_for(self) -> float | None:
        return self._socket.silent_for()

    async def send(self, kind: str, **fields: str) -> bool:
        """Whether a request was handed to the open socket."""
        return await self._socket.send(msgspec.json.encode({"t": kind, **fields}).decode())

    def reconnect(self, why: str) -> None:
        """Give this connection up and log in anew, with the token of that moment."""
        self._evidence("STREAM_GIVEN_UP", f"The stream is opened anew: {why}.", "")
        self._socket.reconnect(why)

    # ------------------------------------------------------------ its life

    def _address(self) -> str | None:
        return self._settings.ws_url if self._wire.token() is not None else None

    async def _log_in(self, _socket: LiveSocket) -> None:
        """Say who we are and wait to be let in. Raises Refused: nothing is gained by asking again."""
        token = self._wire.token()
        if token is None:
            raise Refused(NO_LOGIN)
        self._shown = token
        self._answers = self._flowed = False
        self._asked_at = None
        self._let_in = asyncio.get_running_loop().create_future()
        user, account = self._wire.user, self._wire.account
        await self.send("a", uid=user, actid=account, source="API", accesstoken=token.reveal())
        word = await self._let_in
        if word.replace("_", "").upper() != "OK":
            # the socket is refused, the token itself is judged by REST
            raise Refused("Shoonya did not let the stream in; log in again.")
        await self.send("o", actid=account)

    def _on_state(self, state: str, why: str) -> None:
        self.note = f"the stream is {state}: {why}" if why else ""
        if state == "live":
            for call in self._live:
                call()
        elif state != "connecting":
            for call in self._lost:
                call()
        if state != "connecting":
            self._settled.set()

    async def _beat(self) -> None:
        """Watch for a new token and for a stream that has gone quiet."""
        while True:
            await self._clock.sleep(PULSE)
            try:
                await self._look()
            except Exception as error:
                self._evidence("STREAM_FAULT", f"Watching failed, reported as {incident('stream', error)}.", "")

    async def _look(self) -> None:
        token = self._wire.token()
        if token is not None and self._shown is not None and token != self._shown:
            self._shown = token
            self.reconnect("there is a new login")
        elif self.live:
            await self._listen()

    async def _listen(self) -> None:
        """Ask a quiet stream whether it is there; give up one that answered before, or flowed, and does not now."""
        silent = self._socket.silent_for() or 0.0
        if silent > self._settings.silence and (self._answers or self._flowed):
            self.reconnect(f"nothing was heard for {silent:.0f} s")
            return
        now = self._clock.monotonic()
        half = self._settings.silence / 2
        if silent > half and (self._asked_at is None or now - self._asked_at > half):
            self._asked_at = now
            await self._socket.send(HEARTBEAT)

    # ------------------------------------------------------------ what comes in

    def _take(self, text: str) -> None:
        try:
            frame = frames.decode(text)
            kind = frame.t
            if kind in MARKET:
                self._flowed = self._flowed or kind in ("tf", "df")
                self._market(frame)
            elif kind == "om":
                self._order(frames.fields(text))
            elif kind in ("ak", "ck"):
                self._answer(frame.s)
            elif kind == "hk":
                self._answers = True
        except BadFrame as bad:
            sample = text[:2000].encode("utf-8", "replace")
            secrets = () if self._shown is None else (self._shown,)
            self._evidence("BAD_FRAME", f"A frame of the stream is {bad}.", masked(sample, *secrets))

    def _take_binary(self, frame: bytes) -> None:
        """Shoonya has none; one that comes may still be a text in the wrong wrapping."""
        self._take(frame[:100_000].decode("utf-8", "replace"))

    def _answer(self, word: str) -> None:
        if self._let_in is not None and not self._let_in.done():
            self._let_in.set_result(word)
        elif word.upper() != "OK":
            self.reconnect("the broker took the stream's login back")
