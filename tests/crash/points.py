"""Named points of an engine's life at which it can be made to die, counted as they pass."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine as Pool
from sqlalchemy import event

from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.events import Recorded
from optconsole.engine.ports import EnginePort, Snapshot, Tap
from optconsole.engine.queries import AnyAnswer, AnyQuery
from optconsole.engine.store.journal import SqlJournal

WRITES: Final = ("BEGIN", "COMMIT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER")


class Points:
    """Counts the points of all lives of a day in one file, and sends this process a signal at point ``at``.

    The file tells afterwards where it was. A point may be passed on any thread.
    """

    def __init__(self, path: Path, at: int, signal_number: int) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._count = path.read_bytes().count(b"\n")
        self._at, self._signal = at, signal_number
        self._trap = ("", 0)
        self._lock = threading.Lock()

    def trap(self, name: str, signal_number: int) -> None:
        """Send this process a signal when it next passes a point whose name begins so."""
        self._trap = (name, signal_number)

    def passed(self, name: str) -> None:
        """The engine is at a point."""
        with self._lock:
            self._count += 1
            os.write(self._file, f"{name}\n".encode())
            if self._count == self._at:
                os.kill(os.getpid(), self._signal)
            trapped, number = self._trap
            if trapped and name.startswith(trapped):
                self._trap = ("", 0)
                os.kill(os.getpid(), number)

    def watch_statements(self) -> None:
        """Every statement of the store that writes, and every commit, is a point: SQLite tells before it runs one."""

        def connected(connection: Any, _record: object) -> None:
            connection.set_trace_callback(self._statement)

        event.listen(Pool, "connect", connected)

    def _statement(self, text: str) -> None:
        words = text.split(None, 3)[:3]
        if words and words[0].upper() in WRITES:
            self.passed("store " + " ".join(words))


class PointedJournal:
    """The real journal; the moment after a commit is a point too."""

    def __init__(self, journal: SqlJournal, points: Points) -> None:
        self._journal, self._points = journal, points

    async def append(self, facts: Sequence[Recorded]) -> None:
        await self._journal.append(facts)
        self._points.passed("store committed")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)


class PointedEngine:
    """What consoles see of the engine: the moments before a command is taken and before it is answered are points."""

    def __init__(self, engine: EnginePort, points: Points) -> None:
        self._engine, self._points = engine, points

    async def submit(self, command: AnyCommand) -> Reply:
        self._points.passed(f"command {type(command).__name__}")
        reply = await self._engine.submit(command)
        self._points.passed(f"answer {type(command).__name__}")
        return reply

    async def query(self, query: AnyQuery) -> AnyAnswer:
        return await self._engine.query(query)

    async def snapshot(self) -> Snapshot:
        return await self._engine.snapshot()

    def facts(self, after: int) -> AsyncIterator[Recorded]:
        return self._engine.facts(after)

    def tap(self, hz: float) -> Tap:
        return self._engine.tap(hz)
