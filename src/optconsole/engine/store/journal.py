"""The journal over SQL: the durable sequence of facts, and the read tables that follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Final

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from optconsole.engine.clock import Clock, WallClock, fresh_id
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.ports import JournalBroken
from optconsole.engine.queries import JournalVerdict
from optconsole.engine.state import digest
from optconsole.engine.store import audit, reading, snapshots
from optconsole.engine.store.chain import BEFORE_FIRST
from optconsole.engine.store.codec import decode
from optconsole.engine.store.database import Database
from optconsole.engine.store.identity import claim
from optconsole.engine.store.ledger import Ledger
from optconsole.engine.store.schema import upgrade
from optconsole.engine.store.writer import Writer, untrusted

LOAD_CHUNK: Final = 5000
"""Facts folded between two reports of progress."""
FETCHED: Final = 500
"""Rows read at a time: more of them would not stay in the processor's cache until they are folded."""
Progress = Callable[[int, int], None]
"""Called with events done and events in all."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal holds at a start.

    ``checkpoint`` is the newest saved number and digest, ``replayed`` the digest of the fold at that number: they are
    equal when replay gives the state that was live. ``resumed_at`` is the fact whose snapshot the fold began with, 0
    when it began with the first fact.
    """

    state: TradingState
    checkpoint: tuple[int, str] | None
    replayed: str | None
    resumed_at: int = 0

    @property
    def agrees(self) -> bool:
        """True when replay gives the state that was live, or none was saved."""
        return self.checkpoint is None or self.checkpoint[1] == self.replayed


class SqlJournal:
    """Implements ``engine.ports.Journal``. Use from one event loop; made by ``open_journal``."""

    def __init__(self, writer: Writer, install_id: str) -> None:
        self._writer = writer
        self._ledger: Ledger | None = None
        self._order = asyncio.Lock()
        self._kept_at = 0
        self.install_id = install_id

    async def append(self, facts: Sequence[Recorded]) -> None:
        """As the protocol says. CONFLICT, GAP, UNWRITABLE and ILLEGAL_FACT write nothing and spoil nothing."""
        if not facts:
            return
        async with self._order:
            ledger = self._ledger or (await self._fold(None)).ledger
            try:
                draft = ledger.draft(facts)
            except JournalBroken as broken:
                if broken.code in ("UNWRITABLE", "ILLEGAL_FACT"):
                    # part of the facts is folded in already; the next append folds anew from what is stored
                    self._ledger = None
                raise
        # no other task runs between leaving the lock and the hand-over: drafts reach the writer in their order
        await self._writer.append(draft)

    async def read(
        self,
        after: int = 0,
        limit: int = 500,
        stream: str | None = None,
        text: str | None = None,
        last: bool = False,
    ) -> list[Recorded]:
        """A page in order. ``text`` is sought in payload, type, stream, actor and cause, whatever the case."""
        return await self._writer.call(lambda database: reading.page(database, after, limit, stream, text, last))

    async def head(self) -> tuple[int, str]:
        """Newest durable number and its chain hash; (0, '') when empty."""
        return await self._writer.call(reading.head)

    async def load(self, progress: Progress | None = None) -> Start:
        """Fold the journal, checking chain and head on the way; needed before the first append.

        It begins at the snapshot if that can be believed; the facts before it are then left to ``verify``. The state
        returned is the caller's own. Raises JournalBroken: CHAIN_BROKEN, UNKNOWN_EVENT, UNREADABLE_EVENT, ILLEGAL_FACT.
        """
        async with self._order:
            load = await self._fold(progress)
            return Start(
                state=load.ledger.state.copy(),
                checkpoint=load.checkpoint,
                replayed=load.replayed,
                resumed_at=load.resumed_at,
            )

    async def _fold(self, progress: Progress | None) -> _Load:
        self._ledger = None
        total, _ = await self.head()
        load = await self._writer.call(_Load)
        self._kept_at = load.resumed_at
        more = True
        while more:
            more = await self._writer.call(load.step)
            if progress is not None:
                progress(load.ledger.seq, total)
        self._ledger = load.ledger
        return load

    async def replay(self, after: int = 0, batch: int = LOAD_CHUNK) -> AsyncIterator[list[Recorded]]:
        """Stored facts in order, in batches. Raises JournalBroken(UNKNOWN_EVENT, UNREADABLE_EVENT)."""
        while facts := await self._writer.call(partial(_decoded, after=after, limit=batch)):
            yield facts
            after = facts[-1].seq

    async def verify(self, progress: Progress | None = None) -> JournalVerdict:
        """Check every row against the chain, the noted head and the checkpoints; appends go on meanwhile."""
        total, _ = await self.head()
        walk = audit.Inspection()
        while await self._writer.call(walk.step):
            if progress is not None:
                progress(walk.seq, total)

        def finish(database: Database) -> JournalVerdict:
            # what was appended while the last chunk was on its way
            while walk.step(database):
                continue
            return walk.finish(reading.noted_head(database), reading.last_checkpoint(database))

        return await self._writer.call(finish)

    async def save_checkpoint(self, seq: int, digest: str) -> None:
        """Remember the state's digest at ``seq``, and from time to time the whole fold. Raises JournalBroken."""
        taken = self._snapshot(seq, digest)

        def save(database: Database) -> None:
            kept = snapshots.written(database, taken) if taken else []
            database.write([(database.sql.upserts["checkpoint"], [(seq, digest)]), *kept])

        await self._writer.change(save)

    def _snapshot(self, seq: int, digest: str) -> snapshots.Snapshot | None:
        """The fold at the checkpoint, when it is time for one and no fact beyond the checkpoint is on its way."""
        ledger = self._ledger
        if ledger is None or ledger.seq != seq or seq - self._kept_at < snapshots.SNAPSHOT_EVERY:
            return None
        self._kept_at = seq
        return snapshots.Snapshot(seq, ledger.head, digest, ledger.kept())

    async def last_checkpoint(self) -> tuple[int, str] | None:
        """Newest checkpoint: number and digest."""
        return await self._writer.call(reading.last_checkpoint)

    async def rebuild(self) -> None:
        """Write the read tables anew from the journal. Appends wait for it: not for trading hours."""
        await self._writer.change(audit.rebuild)

    async def compare_read_tables(self) -> list[str]:
        """Where the read tables differ from a rebuild, in words. Appends wait for it: not for trading hours."""
        return await self._writer.call(
            lambda database: audit.differences(reading.read_rows(database.connection), audit.folded(database))
        )

    def commit_percentiles(self) -> tuple[float, float] | None:
        """Median and 99th percentile of the last thousand commits in milliseconds; None before the first."""
        return self._writer.commit_percentiles()

    @property
    def commits(self) -> int:
        """Transactions that carried appends since the store was opened."""
        return self._writer.commits

    async def close(self) -> None:
        """Commit what waits and let the database go."""
        await self._writer.close()


class _Load:
    """A fold of the journal from its snapshot or its first fact, chunk by chunk.

    It notes the digest where the checkpoint was taken.
    """

    def __init__(self, database: Database) -> None:
        self.checkpoint = reading.last_checkpoint(database)
        self.replayed: str | None = None
        resumed = snapshots.resumed(database, self.checkpoint)
        self.ledger = resumed or Ledger()
        self.resumed_at = self.ledger.seq
        self._after = self.resumed_at if resumed else BEFORE_FIRST
        if self.checkpoint is not None and self.checkpoint[0] == self.resumed_at:
            self.replayed = digest(self.ledger.state)

    def step(self, database: Database) -> bool:
        """Fold one chunk. False at the end, which is checked too."""
        restore, marked = self.ledger.restore, self.checkpoint[0] if self.checkpoint else None
        for _ in range(LOAD_CHUNK // FETCHED):
            rows = reading.chunk(database, self._after, FETCHED)
            for row in rows:
                restore(row)
                if row.seq == marked:
                    self.replayed = digest(self.ledger.state)
            if not rows:
                break
            self._after = rows[-1].seq
        else:
            return True
        self.ledger.close_book(reading.noted_head(database), self.checkpoint)
        return False


def _decoded(database: Database, after: int, limit: int) -> list[Recorded]:
    rows = database.fetch(database.sql.facts_after, (after, limit))
    return [decode(*row) for row in rows]


async def open_journal(url: str, world: str, clock: Clock | None = None) -> SqlJournal:
    """Open the store of ``world``, bring its tables up to date and prove its settings.

    SQLite: the URL names the world's own file. PostgreSQL: the world gets a schema of its own.
    Raises Refusal (BAD_STORE_URL, STORE_UNREACHABLE, ENGINE_RUNNING, SCHEMA_NEWER, SQLITE_TOO_OLD, OTHER_WORLD) or
    JournalBroken (STORE_SETTINGS, STORE_CORRUPT, STORE_FAILED).
    """
    time = clock or WallClock()
    created_at, install_id = time.now().isoformat(), fresh_id()
    identity = ""

    def opened() -> Database:
        nonlocal identity
        database = Database(url, world)
        try:
            upgrade(database.connection)
            identity = claim(database.connection, world, created_at, install_id)
        except Exception as error:
            database.close()
            if isinstance(error, SQLAlchemyError):
                raise untrusted(error) from error
            raise
        return database

    writer = Writer(opened, time.monotonic)
    await writer.open()
    return SqlJournal(writer, identity)
