"""One client of a rehearsed stream: a WebSocket without input or output of its own, over the server's connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from websockets.frames import Frame, Opcode
from websockets.http11 import Request as UpgradeRequest
from websockets.protocol import State
from websockets.server import ServerProtocol

MOST_UNREAD: Final = 8_000_000
"""Bytes a client may leave unread before it is cut off: a stalled reader must not fill the machine."""
LARGEST_MESSAGE: Final = 1_000_000
READ_SIZE: Final = 65_536
Message = str | bytes
Gate = Callable[[str, Message], Sequence[Message]]
"""(kind of message, message) -> what leaves in its place."""


class Peer:
    """Sends are put into the connection at once, without waiting; ``frames`` gives what the client says.

    ``sent`` and ``received`` count messages. ``gate`` decides what becomes of each message on its way out.
    ``silent`` keeps the connection open and writes nothing; ``deaf`` heeds nothing either, as if the cable
    were cut.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._protocol = ServerProtocol(max_size=LARGEST_MESSAGE)
        self.gate: Gate | None = None
        self.silent = False
        self.deaf = False
        self.sent = 0
        self.received = 0

    @property
    def open(self) -> bool:
        """Whether anything may still be said to the client, as far as this end knows: not once a good-bye was said."""
        return not self._writer.is_closing() and self._protocol.state is State.OPEN

    def upgrade(self, head: bytes) -> bool:
        """Answer the handshake in ``head``. False where it was none, and has been refused."""
        self._protocol.receive_data(head)
        asked = [event for event in self._protocol.events_received() if isinstance(event, UpgradeRequest)]
        if not asked:
            return False
        answer = self._protocol.accept(asked[0])
        self._protocol.send_response(answer)
        self._flush()
        return answer.status_code == 101

    def send_text(self, text: str, kind: str = "text") -> None:
        """Send a text message of a ``kind`` that faults know it by."""
        self._send(kind, text)

    def send_binary(self, data: bytes, kind: str = "ticks") -> None:
        """Send a binary message."""
        self._send(kind, data)

    def put(self, message: Message) -> None:
        """Send past the gate."""
        if self.silent or self.deaf or not self.open:
            return
        if self._writer.transport.get_write_buffer_size() > MOST_UNREAD:
            self.abort()
            return
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)
        self.sent += 1
        self._flush()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say good-bye as the protocol wants it."""
        if self.open and not self.silent:
            self._protocol.send_close(code, reason)
            self._flush()

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._writer.transport.abort()

    async def frames(self) -> AsyncIterator[Message]:
        """Each message of the client until one of the two ends the connection."""
        parts: list[bytes] = []
        kind = Opcode.TEXT
        while not self._protocol.close_expected():
            data = await self._read()
            if not data:
                return
            if self.deaf:
                continue
            self._protocol.receive_data(data)
            frames = [event for event in self._protocol.events_received() if isinstance(event, Frame)]
            self._flush()
            for frame in frames:
                if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                    continue
                kind = kind if frame.opcode is Opcode.CONT else frame.opcode
                parts.append(bytes(frame.data))
                if frame.fin:
                    whole, parts = b"".join(parts), []
                    self.received += 1
                    yield whole.decode(errors="replace") if kind is Opcode.TEXT else whole

    def _send(self, kind: str, message: Message) -> None:
        for each in (message,) if self.gate is None else self.gate(kind, message):
            self.put(each)

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(READ_SIZE)
        except (ConnectionError, OSError):
            return b""

    def _flush(self) -> None:
        """Write what the protocol has to say, pongs included; a silent peer says nothing."""
        waiting = self._protocol.data_to_send()
        if self.silent or self.deaf or self._writer.is_closing():
            return
        for data in waiting:
            if data:
                self._writer.write(data)
            elif self._writer.can_write_eof():
                self._writer.write_eof()
