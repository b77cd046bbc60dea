"""The `eventsourcing` library behind our own ports, so that the same engine and the same facts run on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import msgspec
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from optconsole.engine.events import Recorded
from optconsole.engine.queries import JournalVerdict

SETTINGS = "WAL, synchronous=FULL (its own: it sets WAL and leaves SQLite's default sync)"
THREADS = 5
"""Its pool's size."""


class Recorder:
    """Its SQLite application recorder: aggregate id, version, topic, state; one transaction an insert."""

    def __init__(self, path: Path) -> None:
        self._store = SQLiteDatastore(db_name=str(path))
        self._recorder = SQLiteApplicationRecorder(self._store)
        self._recorder.create_table()
        self._versions: dict[str, int] = {}
        mode, sync = self._settings()
        if (mode, sync) != ("wal", 2):
            raise RuntimeError(f"the peer runs with journal_mode={mode}, synchronous={sync}, not as durably as we do")

    def _settings(self) -> tuple[str, int]:
        with self._store.transaction(commit=False) as cursor:
            cursor.execute("PRAGMA journal_mode")
            mode = str(cursor.fetchone()[0])
            cursor.execute("PRAGMA synchronous")
            return mode, int(cursor.fetchone()[0])

    def stored(self, facts: Sequence[Recorded]) -> list[StoredEvent]:
        """Facts in its form: what of a fact is not its id, version or topic goes into the state, as JSON."""
        made = []
        for fact in facts:
            stream = fact.event.stream
            self._versions[stream] = version = self._versions.get(stream, 0) + 1
            made.append(
                StoredEvent(
                    originator_id=uuid5(NAMESPACE_OID, stream),
                    originator_version=version,
                    topic=f"optconsole.engine.events:{type(fact.event).__name__}",
                    state=msgspec.json.encode(fact),
                )
            )
        return made

    def insert(self, events: list[StoredEvent]) -> None:
        """Durable on return."""
        self._recorder.insert_events(events)

    def facts(self) -> Iterator[Recorded]:
        """Everything in order, decoded as fast as we can decode."""
        decode, after = msgspec.json.Decoder(Recorded).decode, 0
        while page := self._recorder.select_notifications(after + 1 if after else None, 1000):
            for row in page:
                yield decode(row.state)
            after = page[-1].id

    def close(self) -> None:
        self._store.close()


class PeerJournal:
    """The engine's journal port over the recorder, called in threads as its documentation has it."""

    def __init__(self, path: Path) -> None:
        self.recorder = Recorder(path)
        self._threads = ThreadPoolExecutor(THREADS)

    async def append(self, facts: Sequence[Recorded]) -> None:
        events = self.recorder.stored(facts)
        await asyncio.get_running_loop().run_in_executor(self._threads, self.recorder.insert, events)

    async def close(self) -> None:
        self._threads.shutdown()
        self.recorder.close()

    async def read(
        self, after: int = 0, limit: int = 500, stream: str | None = None, text: str | None = None, last: bool = False
    ) -> list[Recorded]:
        return []

    async def head(self) -> tuple[int, str]:
        return 0, ""

    async def save_checkpoint(self, seq: int, digest: str) -> None:
        return None

    def commit_percentiles(self) -> tuple[float, float] | None:
        return None

    async def verify(self) -> JournalVerdict:
        return JournalVerdict(ok=True, events=0, head_hash="", first_bad=None, text="It has no chain.")


class NoJournal(PeerJournal):
    """Nothing is stored: what the engine and the wire cost alone."""

    def __init__(self) -> None:
        self.kept = 0

    async def append(self, facts: Sequence[Recorded]) -> None:
        self.kept += len(facts)

    async def close(self) -> None:
        return None
