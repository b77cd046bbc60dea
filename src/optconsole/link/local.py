"""The link to an engine in this very process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.events import Recorded
from optconsole.engine.ports import EnginePort, Snapshot, Tap
from optconsole.engine.queries import AnyAnswer, AnyQuery
from optconsole.link.protocol import LinkLost


class LocalLink:
    """An EngineLink without a wire. Hands over what a socket would: values, never the engine's own state."""

    def __init__(self, engine: EnginePort) -> None:
        self._engine = engine
        self._closed = False

    @property
    def where(self) -> str:
        return "local"

    async def submit(self, command: AnyCommand) -> Reply:
        return await self._open().submit(command)

    async def query(self, query: AnyQuery) -> AnyAnswer:
        return await self._open().query(query)

    async def snapshot(self) -> Snapshot:
        taken = await self._open().snapshot()
        return msgspec.structs.replace(taken, state=taken.state.copy())

    def facts(self, after: int) -> AsyncIterator[Recorded]:
        return self._open().facts(after)

    def tap(self, hz: float) -> Tap:
        return self._open().tap(hz)

    async def close(self) -> None:
        self._closed = True

    def _open(self) -> EnginePort:
        if self._closed:
            raise LinkLost("The link to the engine was closed.")
        return self._engine
