"""A broker's WebSocket that is either alive or says that it is not: watched for silence, opened anew by itself.

Frames go from the reader to the adapter's functions in one synchronous call; nothing is queued in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from optconsole.brokers.transport.tls import checked, trust
from optconsole.engine.clock import Clock, Rng
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display
from optconsole.engine.observe.log import incident

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
STABLE: Final = 60.0
"""Seconds alive after which the next loss begins with the first pause again."""
OPEN_DEADLINE: Final = 8.0
LOOK: Final = 0.5
LARGEST_FRAME: Final = 4 * 1024 * 1024

OnState = Callable[[str, str], None]


class Refused(Exception):
    """The other side does not know us: nothing is tried again with the same secrets. Carries why."""


class LiveSocket:
    """One connection that is wanted for good.

    ``url`` and ``headers`` are asked at every attempt, so that a new token is used at once; a ``url`` of None means
    that there is no login yet. ``on_open`` authenticates and subscribes; it may raise `Refused`. ``on_state`` hears
    ``connecting``, ``live``, ``silent``, ``down`` and ``refused`` with a reason. After ``silence`` seconds without a
    frame the connection is given up; ``ping`` is a text that is sent every ``ping_every`` seconds.

    ``pong_is_life`` sends a ping of the protocol beside it, whose pong counts as a frame: for streams that may have
    nothing to say for hours.
    """

    def __init__(
        self,
        url: Callable[[], str | None],
        clock: Clock,
        rng: Rng,
        *,
        on_open: Callable[[LiveSocket], Awaitable[None]],
        on_text: Callable[[str], None],
        on_binary: Callable[[bytes], None],
        on_state: OnState,
        headers: Callable[[], Mapping[str, str]] = dict,
        silence: float = 10.0,
        ping: str | None = None,
        ping_every: float = 30.0,
        pong_is_life: bool = False,
        roots: Path | None = None,
    ) -> None:
        self._url, self._headers = url, headers
        self._clock, self._rng = clock, rng
        self._on_open, self._on_text, self._on_binary, self._on_state = on_open, on_text, on_binary, on_state
        self._silence, self._ping, self._ping_every = silence, ping, ping_every
        self._pong_is_life = pong_is_life
        self._trust = trust(roots)
        self._connection: ClientConnection | None = None
        self._heard: float | None = None
        self._failures = 0
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.state = "down"
        self.opened = 0
        """Connections made so far."""

    # ------------------------------------------------------------ what the adapter asks

    def start(self) -> None:
        """Connect, and go on connecting."""
        if self._task is None:
            self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._say("down", "closed")

    async def send(self, text: str) -> bool:
        """Whether the text was handed to an open connection."""
        connection = self._connection
        if connection is None:
            return False
        try:
            await connection.send(text)
        except ConnectionClosed:
            return False
        return True

    def reconnect(self, why: str) -> None:
        """Give the present connection up, or end a wait: something has changed."""
        self._wanted.set()
        if self._connection is not None:
            self._say("down", why)
            self._connection.transport.abort()

    def heard(self) -> None:
        """Count something as proof of life that was no frame."""
        self._heard = self._clock.monotonic()

    def silent_for(self) -> float | None:
        """Seconds since the last frame; None while there is no connection."""
        if self._connection is None or self._heard is None:
            return None
        return self._clock.monotonic() - self._heard

    # ------------------------------------------------------------ its life

    async def _live(self) -> None:
        while True:
            self._wanted.clear()
            asked = self._address()
            if asked is None:
                self._say("refused", "there is no login")
                await self._change(asked)
                continue
            began = self._clock.monotonic()
            try:
                await self._once(asked)
            except Refused as refused:
                self._say("refused", str(refused))
                await self._change(asked)
                continue
            except Refusal as refusal:
                self._say("down", refusal.text)
            except Exception as error:
                # a fault of ours in reading one frame must not end the stream for the day
                self._say("down", f"a frame could not be worked on, reported as {incident('socket', error)}")
            if self._clock.monotonic() - began > STABLE:
                self._failures = 0
            await self._pause()

    def _address(self) -> tuple[str, tuple[tuple[str, str], ...]] | None:
        url = self._url()
        return None if url is None else (url, tuple(sorted(self._headers().items())))

    async def _once(self, asked: tuple[str, tuple[tuple[str, str], ...]]) -> None:
        """One connection from its opening to its end."""
        url, headers = asked
        self._say("connecting", "")
        secure = checked(url).startswith("wss://")
        try:
            connection = await connect(
                url,
                additional_headers=headers,
                ssl=self._trust if secure else None,
                proxy=None,
                compression=None,
                user_agent_header="optconsole",
                open_timeout=OPEN_DEADLINE,
                ping_interval=None,
                close_timeout=1.0,
                max_size=LARGEST_FRAME,
                max_queue=(1024, 256),
                process_exception=_final,
            )
        except InvalidStatus as answer:
            code = answer.response.status_code
            if code in (401, 403):
                raise Refused(f"the handshake was refused with {code}") from None
            self._say("down", f"the handshake was answered with {code}")
            return
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            self._say("down", _cause(error))
            return
        self.opened += 1
        try:
            await self._serve(connection)
        finally:
            self._connection = None
            connection.transport.abort()

    async def _serve(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.heard()
        watcher = asyncio.create_task(self._watch(connection))
        opening = asyncio.create_task(self._open(connection))
        try:
            await self._read(connection)
        finally:
            for task in (watcher, opening):
                task.cancel()
            done = await asyncio.gather(watcher, opening, return_exceptions=True)
        for result in done:
            if isinstance(result, Refused):
                raise result
            if isinstance(result, Exception) and not isinstance(result, ConnectionClosed):
                raise result

    async def _open(self, connection: ClientConnection) -> None:
        try:
            async with asyncio.timeout(OPEN_DEADLINE):
                await self._on_open(self)
        except TimeoutError:
            self._say("down", "it was opened and then not let in")
            connection.transport.abort()
            return
        except Refused:
            connection.transport.abort()
            raise
        self._say("live", "")

    async def _read(self, connection: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in connection:
                self._heard = self._clock.monotonic()
                if isinstance(frame, str):
                    self._on_text(frame)
                else:
                    self._on_binary(frame)
        if self.state != "silent":
            code, why = connection.close_code, display(connection.close_reason or "", 80)
            self._say("down", f"closed by the broker with {code} {why}".strip())

    async def _watch(self, connection: ClientConnection) -> None:
        """Give up a connection that says nothing (W01), and keep one alive that wants to be spoken to."""
        spoken = self._clock.monotonic()
        while True:
            await self._clock.sleep(LOOK)
            now = self._clock.monotonic()
            if self._heard is not None and now - self._heard > self._silence:
                self._say("silent", f"nothing heard for {now - self._heard:.0f} s")
                connection.transport.abort()
                return
            if self._ping is not None and now - spoken >= self._ping_every:
                spoken = now
                with contextlib.suppress(ConnectionClosed):
                    await connection.send(self._ping)
                    if self._pong_is_life:
                        asyncio.ensure_future(await connection.ping()).add_done_callback(self._ponged)

    def _ponged(self, answer: asyncio.Future[float]) -> None:
        """A pong of the protocol counts as a frame; one that never comes ends with its connection."""
        if not answer.cancelled() and answer.exception() is None:
            self.heard()

    # ------------------------------------------------------------ between two connections

    async def _pause(self) -> None:
        """Wait with full jitter, longer after every failure (W08)."""
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**self._failures)
        self._failures = min(self._failures + 1, 16)
        await self._or_wanted(self._rng.uniform(FIRST_PAUSE / 2, longest))

    async def _change(self, asked: object) -> None:
        """Wait until the secrets are others, or somebody says so."""
        while not self._wanted.is_set() and self._address() == asked:
            await self._or_wanted(LOOK)
        self._failures = 0

    async def _or_wanted(self, seconds: float) -> None:
        pause = asyncio.ensure_future(self._clock.sleep(seconds))
        wanted = asyncio.ensure_future(self._wanted.wait())
        try:
            await asyncio.wait((pause, wanted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            wanted.cancel()

    def _say(self, state: str, why: str) -> None:
        if state == self.state and state in ("down", "refused"):
            return  # the first reason is the true one
        self.state = state
        self._on_state(state, why)


def _final(error: Exception) -> Exception:
    """Every failure of a connection is ours to judge: the library tries nothing again."""
    return error


def _cause(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no connection in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
