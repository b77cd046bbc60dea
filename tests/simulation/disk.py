"""A disk that keeps what was synced, and a journal over it: the engine's port with the real hash chain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import msgspec

from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.ports import JournalBroken
from optconsole.engine.queries import JournalVerdict
from optconsole.engine.state import apply, digest
from optconsole.engine.store.chain import Chain, StoredEvent
from optconsole.engine.store.codec import decode, encode
from tests.simulation.kernel import TapeRandom

CrashPoint = Callable[[str], Awaitable[None]]
"""Awaited where a machine may die; returns unless it dies there."""


class Disk:
    """Rows as the platter has them. A batch is one transaction: it survives whole or not at all."""

    def __init__(self) -> None:
        self.synced: list[StoredEvent] = []
        self.checkpoint: tuple[int, str] | None = None
        self._cache: list[list[StoredEvent]] = []
        self._watchers: list[Callable[[StoredEvent], None]] = []

    def watch(self, watcher: Callable[[StoredEvent], None]) -> None:
        """Tell of every row at the moment it is durable."""
        self._watchers.append(watcher)

    def write(self, rows: list[StoredEvent]) -> None:
        """Hand a transaction to the operating system."""
        self._cache.append(rows)

    def sync(self) -> None:
        """Make everything written durable."""
        written, self._cache = self._cache, []
        for row in (row for batch in written for row in batch):
            self.synced.append(row)
            for watcher in self._watchers:
                watcher(row)

    def crash(self, choices: TapeRandom) -> None:
        """Power goes: of the unsynced transactions a prefix may have reached the platter."""
        kept = choices.randint(0, len(self._cache)) if self._cache else 0
        self._cache = self._cache[:kept]
        self.sync()


class SimJournal:
    """``engine.ports.Journal`` for one life of the engine over a disk that outlives it."""

    def __init__(self, disk: Disk, point: CrashPoint, delay: Callable[[], float], fails: Callable[[], bool]) -> None:
        self._disk, self._point, self._delay, self._fails = disk, point, delay, fails
        self._chain = Chain()
        self._versions: dict[str, int] = {}
        self._broken = ""
        self.dead = False

    def load(self) -> TradingState:
        """Fold the disk, checking the chain and the checkpoint. Raises JournalBroken."""
        state = TradingState()
        checkpoint = self._disk.checkpoint
        for row in self._disk.synced:
            fault = self._chain.fault(row)
            if fault is not None:
                raise JournalBroken("CHAIN_BROKEN", fault)
            self._versions[row.stream] = row.version
            apply(state, decode(row.seq, row.at_ist, row.actor, row.cause, row.payload))
            if checkpoint is not None and checkpoint[0] == row.seq and checkpoint[1] != digest(state):
                raise JournalBroken("REPLAY_DIFFERS", f"the fold at {row.seq} is not the state that was live")
        return state

    async def append(self, facts: Sequence[Recorded]) -> None:
        """Write, sync, return. The machine may die before the write, between, and after."""
        if self._broken or self.dead:
            raise JournalBroken("STORE_FAILED", self._broken or "The machine is off.")
        await self._point("store.before")
        rows = list(self._rows(facts))
        self._disk.write(rows)
        await self._point("store.written")
        if self._fails():
            self._broken = "The disk reported an error; nothing more is stored."
            raise JournalBroken("STORE_FAILED", self._broken)
        await asyncio.sleep(self._delay())
        if self.dead:
            raise JournalBroken("STORE_FAILED", "The machine is off.")
        self._disk.sync()
        await self._point("store.synced")

    def _rows(self, facts: Sequence[Recorded]) -> Iterator[StoredEvent]:
        for fact in facts:
            if fact.seq != self._chain.seq + 1:
                raise JournalBroken("GAP", f"Fact {fact.seq} cannot follow {self._chain.seq}.")
            stream = fact.event.stream
            self._versions[stream] = version = self._versions.get(stream, 0) + 1
            row = encode(fact, version, self._chain.head)
            self._chain.seq, self._chain.head = row.seq, row.hash
            yield row

    async def read(
        self,
        after: int = 0,
        limit: int = 500,
        stream: str | None = None,
        text: str | None = None,
        last: bool = False,
    ) -> list[Recorded]:
        found = [
            row
            for row in self._disk.synced[after:]
            if (stream is None or row.stream == stream) and (text is None or text.lower() in row.payload.lower())
        ]
        page = found[-limit:] if last else found[:limit]
        return [decode(row.seq, row.at_ist, row.actor, row.cause, row.payload) for row in page]

    async def head(self) -> tuple[int, str]:
        rows = self._disk.synced
        return (rows[-1].seq, rows[-1].hash) if rows else (0, "")

    async def hash_at(self, seq: int) -> str | None:
        rows = self._disk.synced
        return rows[seq - 1].hash if 0 < seq <= len(rows) else None

    async def save_checkpoint(self, seq: int, digest: str) -> None:
        if not self.dead:
            self._disk.checkpoint = (seq, digest)

    def commit_percentiles(self) -> tuple[float, float] | None:
        return None

    async def verify(self) -> JournalVerdict:
        chain = Chain()
        for row in self._disk.synced:
            fault = chain.fault(row)
            if fault is not None:
                return JournalVerdict(
                    ok=False, events=chain.seq, head_hash=chain.head, first_bad=chain.place(row), text=fault
                )
        return JournalVerdict(ok=True, events=chain.seq, head_hash=chain.head, first_bad=None, text="As written.")

    async def close(self) -> None:
        self.dead = True


def payload_of(row: StoredEvent) -> dict[str, Any]:
    """A row's event as plain JSON: for a judge that shares no types with the accused."""
    return msgspec.json.decode(row.payload, type=dict[str, Any])
