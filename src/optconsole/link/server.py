"""The engine's door for consoles: a Unix socket in its home, for this user only."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from optconsole.engine.ports import EnginePort
from optconsole.link.address import listen, peer_uid
from optconsole.link.session import Session, Unlock
from optconsole.link.wire import MAX_REQUEST

CONNECTIONS_AT_ONCE: Final = 32
STALL_SECONDS: Final = 30.0

log = logging.getLogger(__name__)


class LinkServer:
    """Lets consoles reach an engine at ``path``. ``on_consoles`` hears how many screens watch whenever that changes;
    ``unlock`` opens the engine's vault."""

    def __init__(
        self,
        engine: EnginePort,
        path: Path,
        *,
        stall: float = STALL_SECONDS,
        on_consoles: Callable[[int], None] | None = None,
        unlock: Unlock | None = None,
    ) -> None:
        self._engine = engine
        self._path = path
        self._stall = stall
        self._on_consoles = on_consoles
        self._unlock = unlock
        self._owner = os.getuid()
        self._server: asyncio.Server | None = None
        self._inode: tuple[int, int] | None = None
        self._sessions: dict[Session, asyncio.Task[None] | None] = {}

    @property
    def consoles(self) -> int:
        """Screens that watch the engine now."""
        return sum(session.watching for session in self._sessions)

    @property
    def connections(self) -> int:
        """Connections being served, screens and short visits alike."""
        return len(self._sessions)

    async def start(self) -> None:
        """Listen. Raises Refusal as ``address.listen`` does."""
        listener = listen(self._path)
        found = self._path.stat()
        self._inode = (found.st_dev, found.st_ino)
        self._server = await asyncio.start_server(self._welcome, sock=listener, limit=MAX_REQUEST)

    async def close(self) -> None:
        """Hang up on every console and remove the socket. Commands under way are finished first."""
        if self._server is None:
            return
        self._server.close()
        sessions = dict(self._sessions)
        for session in sessions:
            session.abort()
        await asyncio.gather(*(task for task in sessions.values() if task), return_exceptions=True)
        await asyncio.gather(*(session.finish() for session in sessions))
        self._server = None
        with suppress(FileNotFoundError):
            found = self._path.stat()
            # only our own file: a successor may listen there already
            if (found.st_dev, found.st_ino) == self._inode:
                self._path.unlink()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self._engine, reader, writer, self._stall, self._count, self._unlock)
        peer: socket.socket = writer.get_extra_info("socket")
        uid = peer_uid(peer)
        if uid is not None and uid != self._owner:
            log.warning("user %s asked for the engine of user %s", uid, self._owner)
            await session.turn_away(
                "FOREIGN_SOCKET", "This engine belongs to another user; use your own --home, or ask for its account."
            )
        elif self.connections >= CONNECTIONS_AT_ONCE:
            await session.turn_away(
                "TOO_MANY_CONSOLES", f"{CONNECTIONS_AT_ONCE} consoles are connected already; close one and try again."
            )
        else:
            self._sessions[session] = asyncio.current_task()
            try:
                await session.run()
            finally:
                await session.finish()
                del self._sessions[session]
                self._count()

    def _count(self) -> None:
        if self._on_consoles is not None:
            self._on_consoles(self.consoles)
