"""The link to an engine in another process."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from optconsole import __version__
from optconsole.engine.clock import monotonic_seconds
from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.events import Recorded
from optconsole.engine.model.access import Access
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.ports import Snapshot, Tap
from optconsole.engine.queries import AnyAnswer, AnyQuery
from optconsole.link import wire
from optconsole.link.address import address, check_owner, foreign, no_engine, peer_uid, silent
from optconsole.link.protocol import LinkLost
from optconsole.link.streams import FoldedTap, Subscription

GREETING_SECONDS: Final = 5.0
_READ_AHEAD: Final = 1 << 20
_ACKNOWLEDGE_EVERY: Final = wire.FACTS_AHEAD // 4

Expected = TypeVar("Expected", bound=wire.Message)


class SocketLink:
    """An EngineLink over a Unix socket. Made by ``connect``."""

    def __init__(self, path: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer
        self._lost: LinkLost | None = None
        self._last_rid = 0
        self._waiting: dict[int, asyncio.Future[wire.Message]] = {}
        self._subscriptions: dict[int, Subscription] = {}
        self._taps: dict[int, FoldedTap] = {}
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def connect(cls, path: Path, access: Access = Access.ADMIN) -> SocketLink:
        """Reach the engine that listens at ``path``, and give up the access that is not asked for.

        Raises Refusal(NO_ENGINE | FOREIGN_SOCKET | VERSION_MISMATCH | TOO_MANY_CONSOLES | ENGINE_SILENT | BAD_FRAME).
        """
        reader, writer = await _dial(path)
        try:
            async with asyncio.timeout(GREETING_SECONDS):
                await _greet(reader, writer)
        except TimeoutError:
            writer.transport.abort()
            raise Refusal(
                "ENGINE_SILENT", f"The engine on {path.parent} does not answer; it may be stopped or overloaded."
            ) from None
        except (OSError, EOFError):
            writer.transport.abort()
            raise no_engine(path) from None
        except wire.BadFrame as error:
            writer.transport.abort()
            raise Refusal("BAD_FRAME", f"What listens at {path} is not an engine: {error}") from None
        except Refusal:
            writer.transport.abort()
            raise
        link = cls(path, reader, writer)
        if access is not Access.ADMIN:
            await link._ask(lambda rid: wire.TakeAccess(rid, access), wire.Pong)
        return link

    @property
    def where(self) -> str:
        return str(self._path)

    async def submit(self, command: AnyCommand) -> Reply:
        # the monotonic clock is the machine's, so the engine can tell how long the command lay in the socket
        stamped = command if command.asked is not None else msgspec.structs.replace(command, asked=monotonic_seconds())
        return (await self._ask(lambda rid: wire.Submit(rid, stamped), wire.Replied)).reply

    async def query(self, query: AnyQuery) -> AnyAnswer:
        return (await self._ask(lambda rid: wire.Ask(rid, query), wire.Answered)).answer

    async def snapshot(self) -> Snapshot:
        return (await self._ask(wire.TakeSnapshot, wire.SnapshotTaken)).snapshot

    async def ping(self) -> None:
        """Return once the engine has answered."""
        await self._ask(wire.Ping, wire.Pong)

    async def unlock(self, passphrase: Secret) -> bool:
        """Have the engine open its vault; False for a wrong passphrase or one tried too early."""
        return (await self._ask(lambda rid: wire.Unlock(rid, passphrase.reveal()), wire.Unlocked)).ok

    async def facts(self, after: int) -> AsyncGenerator[Recorded, None]:
        rid = self._next_rid()
        subscription = self._subscriptions[rid] = Subscription(self.check)
        try:
            self._post(wire.OpenFacts(rid, after))
            unacknowledged = 0
            while (fact := await subscription.take()) is not None:
                yield fact
                unacknowledged += 1
                if unacknowledged >= _ACKNOWLEDGE_EVERY:
                    unacknowledged = 0
                    self._post(wire.FactsRead(rid, fact.seq))
        finally:
            del self._subscriptions[rid]
            self.drop_stream(rid)

    def tap(self, hz: float) -> Tap:
        rid = self._next_rid()
        self._post(wire.OpenTap(rid, hz))
        tap = self._taps[rid] = FoldedTap(self, rid)
        return tap

    async def close(self) -> None:
        self._lose("The link to the engine was closed.")
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    # ------------------------------------------------------------ for the streams of this link

    def check(self) -> None:
        """Raises LinkLost once the engine is gone."""
        if self._lost is not None:
            raise self._lost

    def watch(self, rid: int, names: Sequence[str]) -> None:
        """Tell the engine what a tap shows."""
        self._post(wire.WatchTap(rid, tuple(names)))

    def drop_stream(self, rid: int) -> None:
        """End a stream; its late messages are ignored."""
        self._taps.pop(rid, None)
        with suppress(LinkLost):
            self._post(wire.CloseStream(rid))

    # ------------------------------------------------------------ the wire

    def _next_rid(self) -> int:
        self._last_rid += 1
        return self._last_rid

    def _post(self, message: wire.Message) -> None:
        self.check()
        try:
            data = wire.frame(message, wire.MAX_REQUEST)
        except wire.BadFrame as error:
            raise Refusal("TOO_LARGE", str(error)) from None
        if self._writer.transport.get_write_buffer_size() > wire.MAX_REQUEST:
            self._lose("The engine no longer reads what this console sends.")
        self.check()
        self._writer.write(data)

    async def _ask(self, make: Callable[[int], wire.Message], expected: type[Expected]) -> Expected:
        rid = self._next_rid()
        answer: asyncio.Future[wire.Message] = asyncio.get_running_loop().create_future()
        self._waiting[rid] = answer
        try:
            self._post(make(rid))
            message = await answer
        finally:
            del self._waiting[rid]
        if isinstance(message, wire.Failed):
            raise Refusal(message.code, message.text)
        if not isinstance(message, expected):
            raise LinkLost(f"The engine answered {type(message).__name__} where {expected.__name__} was due.")
        return message

    async def _listen(self) -> None:
        reason = "The engine went away."
        try:
            while True:
                self._take(wire.decode_response(await wire.read_body(self._reader, wire.MAX_FRAME)))
        except wire.BadFrame as error:
            reason = f"The engine sent what is not a message: {error}"
        except (OSError, EOFError):
            reason = "The engine went away."
        finally:
            self._lose(reason)

    def _take(self, message: wire.Response) -> None:
        match message:
            case wire.Facts(rid, facts):
                if rid in self._subscriptions:
                    self._subscriptions[rid].add(facts)
            case wire.TapBeat(rid, beat):
                if rid in self._taps:
                    self._taps[rid].add(beat)
            case wire.Turned(_code, text):
                self._lose(text)
            case wire.Ended(rid) | wire.Failed(rid):
                self._finish(rid, message)
            case _:
                self._resolve(message.rid, message)

    def _finish(self, rid: int, message: wire.Ended | wire.Failed) -> None:
        refusal = Refusal(message.code, message.text) if isinstance(message, wire.Failed) else None
        if rid in self._subscriptions:
            self._subscriptions[rid].end(refusal)
        elif rid in self._taps:
            self._taps.pop(rid).end(refusal)
        else:
            self._resolve(rid, message)

    def _resolve(self, rid: int, message: wire.Message) -> None:
        answer = self._waiting.get(rid)
        if answer is not None and not answer.done():
            answer.set_result(message)

    def _lose(self, reason: str) -> None:
        if self._lost is not None:
            return
        self._lost = LinkLost(reason)
        self._writer.transport.abort()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LinkLost(reason))
        for subscription in self._subscriptions.values():
            subscription.changed.set()
        for tap in self._taps.values():
            tap.changed.set()


async def _dial(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        check_owner(path)
        dialled = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        dialled.setblocking(False)
        try:
            with address(path) as name:
                await asyncio.get_running_loop().sock_connect(dialled, name)
            if peer_uid(dialled) not in (None, os.getuid()):
                raise foreign(path)
            return await asyncio.open_unix_connection(sock=dialled, limit=_READ_AHEAD)
        except BaseException:
            dialled.close()
            raise
    except PermissionError:
        raise foreign(path) from None
    except BlockingIOError:
        raise silent(path) from None
    except OSError:
        raise no_engine(path) from None


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(wire.frame(wire.Hello(wire.PROTOCOL, __version__)))
    await writer.drain()
    answer = wire.decode_hello(await wire.read_body(reader, wire.MAX_REQUEST))
    if isinstance(answer, wire.Turned):
        raise Refusal(answer.code, answer.text)
