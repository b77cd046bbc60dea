"""One console's connection, seen from the engine. Nothing that happens here can hold the engine up."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Final, TypeVar

import msgspec

from optconsole import __version__
from optconsole.engine.commands import AnyCommand
from optconsole.engine.events import Recorded
from optconsole.engine.model.access import Access
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.ports import EnginePort, Tap
from optconsole.engine.queries import BackupJournal
from optconsole.link import wire
from optconsole.link.delivery import Delivery

REQUESTS_AT_ONCE: Final = 16
STREAMS_AT_ONCE: Final = 16
FASTEST_TAP: Final = 60.0
GREETING_SECONDS: Final = 5.0

Short = wire.Submit | wire.Ask | wire.TakeSnapshot | wire.Ping | wire.Unlock
"""What is answered once, as opposed to a stream."""
Unlock = Callable[[Secret], Awaitable[bool]]
T = TypeVar("T")
log = logging.getLogger(__name__)


class Session:
    """Serves one connection until either end leaves.

    What is under way for a console is bounded by number: requests, streams, facts. A console that takes nothing
    for ``stall`` seconds while something waits for it is let go. A command it has sent is carried out all the same.
    """

    def __init__(
        self,
        engine: EnginePort,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        stall: float,
        taps_changed: Callable[[], None],
        unlock: Unlock | None = None,
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._writer = writer
        self._stall = stall
        self._taps_changed = taps_changed
        self._open_vault = unlock
        self._access = Access.ADMIN
        self._turn = asyncio.Lock()
        self._slots = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._commands: set[asyncio.Task[None]] = set()
        self._streams: dict[int, asyncio.Task[None]] = {}
        self._deliveries: dict[int, Delivery] = {}
        self._taps: dict[int, Tap] = {}
        # drain then waits until the kernel has all of it: a slow reader gets the latest beat, not a backlog
        writer.transport.set_write_buffer_limits(high=0)

    @property
    def watching(self) -> bool:
        """True for a console with screens, which holds a tap; False for a script's short visit."""
        return bool(self._taps)

    async def run(self) -> None:
        """Greet and serve. Returns when the connection is over, whatever ended it."""
        try:
            if await self._greeted():
                await self._serve()
        except wire.BadFrame as error:
            log.info("a console sent what is not a message: %s", error)
            await self._part("BAD_FRAME", str(error))
        except (OSError, EOFError, TimeoutError):
            log.debug("a console left")
        finally:
            await self._close()

    async def turn_away(self, code: str, text: str) -> None:
        """Say one sentence and hang up; the console's first words are read, or it would not hear ours."""
        with suppress(OSError, EOFError, TimeoutError, wire.BadFrame):
            async with asyncio.timeout(GREETING_SECONDS):
                await wire.read_body(self._reader, wire.MAX_REQUEST)
        await self._part(code, text)
        await self._close()

    def abort(self) -> None:
        """Hang up at once; ``run`` then returns."""
        self._writer.transport.abort()

    async def finish(self) -> None:
        """Wait for the commands this console has sent."""
        await asyncio.gather(*self._commands, return_exceptions=True)

    async def _greeted(self) -> bool:
        async with asyncio.timeout(GREETING_SECONDS):
            hello = wire.decode_hello(await wire.read_body(self._reader, wire.MAX_REQUEST))
        if not isinstance(hello, wire.Hello):
            raise wire.BadFrame("The console did not say which version it is.")
        if (hello.protocol, hello.version) != (wire.PROTOCOL, __version__):
            await self._part(
                "VERSION_MISMATCH",
                f"The engine is optconsole {__version__} (link {wire.PROTOCOL}) and this console is "
                f"{hello.version[:40]} (link {hello.protocol}); start both from the same version.",
            )
            return False
        await self._send(wire.Hello(wire.PROTOCOL, __version__))
        return True

    async def _serve(self) -> None:
        while True:
            request = wire.decode_request(await wire.read_body(self._reader, wire.MAX_REQUEST))
            match request:
                case wire.FactsRead(rid, seq):
                    if rid in self._deliveries:
                        self._deliveries[rid].read_up_to(seq)
                case wire.WatchTap(rid, names):
                    if rid in self._taps:
                        self._taps[rid].watch(names)
                case wire.CloseStream(rid):
                    if rid in self._streams:
                        self._streams.pop(rid).cancel()
                case wire.TakeAccess(rid, access):
                    await self._send(self._lowered(rid, access))
                case wire.OpenFacts() | wire.OpenTap():
                    await self._open(request)
                case _:
                    await self._slots.acquire()
                    self._start(request)

    def _lowered(self, rid: int, access: Access) -> wire.Message:
        """Before anything else of this console is read: what follows is under the new access."""
        if access.rank > self._access.rank:
            text = f"This console is an {self._access.value}'s and gains nothing more; attach anew."
            return wire.Failed(rid, "ADMIN_NEEDED", text)
        self._access = access
        return wire.Pong(rid)

    def _start(self, request: Short) -> None:
        keep = self._commands if isinstance(request, wire.Submit) else self._tasks
        task = asyncio.create_task(self._answer(self._allowed(request)))
        keep.add(task)
        task.add_done_callback(keep.discard)
        task.add_done_callback(lambda _task: self._slots.release())

    def _allowed(self, request: Short) -> Short:
        """A command under this connection's access, whatever the console wrote into it."""
        if not isinstance(request, wire.Submit):
            return request
        return wire.Submit(request.rid, msgspec.structs.replace(request.command, access=self._access))

    async def _answer(self, request: Short) -> None:
        match request:
            case wire.Submit(rid, command):
                await self._reply(rid, self._submit(rid, command))
            case wire.Ask(rid, BackupJournal()) if self._access is Access.OBSERVER:
                await self._send(wire.Failed(rid, "OBSERVER", "This console only observes and makes no copies."))
            case wire.Ask(rid, query):
                await self._reply(rid, self._ask(rid, self._engine.query(query), wire.Answered))
            case wire.TakeSnapshot(rid):
                await self._reply(rid, self._ask(rid, self._engine.snapshot(), wire.SnapshotTaken))
            case wire.Ping(rid):
                await self._send(wire.Pong(rid))
            case wire.Unlock(rid, passphrase):
                await self._reply(rid, self._unlock(rid, Secret(passphrase)))

    async def _unlock(self, rid: int, passphrase: Secret) -> wire.Message:
        if self._access is Access.OBSERVER:
            return wire.Failed(rid, "OBSERVER", "This console only observes and opens no vault.")
        if self._open_vault is None:
            return wire.Failed(rid, "VAULT_NONE", "This engine has no use for a vault.")
        return wire.Unlocked(rid, await self._open_vault(passphrase))

    async def _submit(self, rid: int, command: AnyCommand) -> wire.Message:
        return wire.Replied(rid, await self._engine.submit(command))

    async def _ask(self, rid: int, answer: Awaitable[T], shape: Callable[[int, T], wire.Message]) -> wire.Message:
        return shape(rid, await answer)

    async def _reply(self, rid: int, work: Awaitable[wire.Message]) -> None:
        """Send what ``work`` gives; a refusal or a fault of the engine becomes an answer too."""
        try:
            message = await work
        except Refusal as refusal:
            message = wire.Failed(rid, refusal.code, refusal.text)
        except Exception:
            log.exception("a request of a console failed")
            message = wire.Failed(rid, "ENGINE_FAULT", "The engine failed at this request; its log says why.")
        await self._send(message)

    async def _open(self, request: wire.OpenFacts | wire.OpenTap) -> None:
        rid = request.rid
        if rid in self._streams or len(self._streams) >= STREAMS_AT_ONCE:
            await self._send(wire.Failed(rid, "TOO_MANY_STREAMS", "This console has too many open streams."))
        elif isinstance(request, wire.OpenFacts):
            self._deliveries[rid] = delivery = Delivery(
                self._engine, max(request.after, 0), lambda facts: self._send_facts(rid, facts)
            )
            self._stream(rid, delivery.run())
        elif not (math.isfinite(request.hz) and 0 < request.hz <= FASTEST_TAP):
            await self._send(wire.Failed(rid, "BAD_RATE", f"A tap beats up to {FASTEST_TAP:.0f} times a second."))
        else:
            self._taps[rid] = tap = self._engine.tap(request.hz)
            self._taps_changed()
            self._stream(rid, self._beat(rid, tap))

    def _stream(self, rid: int, work: Coroutine[None, None, None]) -> None:
        self._streams[rid] = task = asyncio.create_task(self._run_stream(rid, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_stream(self, rid: int, work: Coroutine[None, None, None]) -> None:
        ended: wire.Message = wire.Ended(rid)
        try:
            await work
        except (OSError, TimeoutError):
            return
        except Exception:
            log.exception("a stream to a console failed")
            ended = wire.Failed(rid, "ENGINE_FAULT", "The engine failed at this stream; its log says why.")
        finally:
            self._streams.pop(rid, None)
            self._deliveries.pop(rid, None)
            tap = self._taps.pop(rid, None)
            if tap is not None:
                self._taps_changed()
                await tap.close()
        await self._send(ended)

    async def _send_facts(self, rid: int, facts: tuple[Recorded, ...]) -> None:
        await self._send(wire.Facts(rid, facts))

    async def _beat(self, rid: int, tap: Tap) -> None:
        async for beat in tap:
            await self._send(wire.TapBeat(rid, beat))

    async def _send(self, message: wire.Message) -> None:
        """Write and wait until it is out. Hangs up when that takes longer than the stall limit."""
        try:
            data = wire.frame(message)
        except wire.BadFrame as error:
            rid = getattr(message, "rid", 0)
            data = wire.frame(wire.Failed(rid, "TOO_LARGE", str(error)))
        async with self._turn:
            if self._writer.is_closing():
                return
            self._writer.write(data)
            try:
                async with asyncio.timeout(self._stall):
                    await self._writer.drain()
            except (TimeoutError, OSError):
                self.abort()

    async def _part(self, code: str, text: str) -> None:
        await self._send(wire.Turned(code, text))

    async def _close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._writer.close()
        try:
            async with asyncio.timeout(self._stall):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self.abort()
