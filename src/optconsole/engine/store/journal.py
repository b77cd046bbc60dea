"""The journal over SQL: the durable sequence of facts, and the read tables that follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from optconsole.engine.clock import Clock, WallClock, fresh_id
from optconsole.engine.events import Recorded
from optconsole.engine.ports import JournalBroken
from optconsole.engine.queries import JournalCopied, JournalVerdict
from optconsole.engine.store import audit, behind, reading, snapshots
from optconsole.engine.store.appending import Appends, Progress
from optconsole.engine.store.chain import StoredEvent
from optconsole.engine.store.database import Database, store_url
from optconsole.engine.store.degraded import says
from optconsole.engine.store.emergency import FILE as EMERGENCY_FILE
from optconsole.engine.store.emergency import EmergencyLog
from optconsole.engine.store.identity import Identity, claim
from optconsole.engine.store.lease import Lease
from optconsole.engine.store.ledger import Draft, Ledger, Rows
from optconsole.engine.store.loading import LOAD_CHUNK, Start, decoded
from optconsole.engine.store.schema import upgrade
from optconsole.engine.store.writer import Writer
from optconsole.engine.store.writing import untrusted, write_drafts


class SqlJournal:
    """Implements ``engine.ports.Journal``. Use from one event loop; made by ``open_journal``."""

    def __init__(self, writer: Writer, lease: Lease, identity: Identity, emergency: EmergencyLog | None, clock: Clock):
        self._writer = writer
        self._lease = lease
        self._emergency = emergency
        self._appends = Appends(writer, lease, emergency, clock)
        self._clock = clock
        self.identity = identity
        self.left_out = False
        """Whether the last ``load`` left facts or pages to ``look_behind``."""
        self.damage: JournalBroken | None = None
        """What ``look_behind`` found."""

    @property
    def install_id(self) -> str:
        """The store's own name: the tags of its orders are made from it."""
        return self.identity.install_id

    @property
    def epoch(self) -> int:
        """How many engines took this store, this one included."""
        return self._lease.epoch

    @property
    def down(self) -> JournalBroken | None:
        """Why the store takes no writes; None while it does."""
        return self._appends.down

    async def append(self, facts: Sequence[Recorded]) -> None:
        """As the protocol says. CONFLICT, GAP, UNWRITABLE and ILLEGAL_FACT write nothing and spoil nothing.

        While the store takes nothing: STORE_DOWN refuses what adds risk, STORE_LOST what the emergency journal
        cannot take either. FENCED and STORE_CHANGED are final.
        """
        await self._appends.append(facts)

    async def revive(self) -> bool:
        """Try to trust the store again and bring it what the emergency journal holds. True when nothing is left to try.

        A store that another engine took, or that is not as it was left, stays closed to this one for good.
        """
        return await self._appends.revive()

    async def read(
        self,
        after: int = 0,
        limit: int = 500,
        stream: str | None = None,
        text: str | None = None,
        last: bool = False,
    ) -> list[Recorded]:
        """A page in order. ``text`` is sought in payload, type, stream, actor and cause, whatever the case."""
        found = await self._writer.call(lambda database: reading.page(database, after, limit, stream, text, last))
        aside = [fact for fact in self._appends.aside if fact.seq > after and says(fact, stream, text)]
        if not aside:
            return found
        return [*found, *aside][-limit:] if last else [*found, *aside][:limit]

    async def head(self) -> tuple[int, str]:
        """Newest durable number and its chain hash; (0, '') when empty."""
        return await self._writer.call(reading.head)

    async def hash_at(self, seq: int) -> str | None:
        """Chain hash of fact ``seq``; None when there is none."""
        return await self._writer.call(lambda database: reading.hash_at(database, seq))

    async def load(self, progress: Progress | None = None) -> Start:
        """Fold the journal, checking chain and head on the way; needed before the first append.

        It begins at the snapshot if that can be believed; the facts before it are then left to ``verify``. What an
        earlier run left in the emergency journal is brought into the store. The state returned is the caller's own.
        Raises JournalBroken: CHAIN_BROKEN, UNKNOWN_EVENT, UNREADABLE_EVENT, ILLEGAL_FACT,
        EMERGENCY_DIFFERS.
        """
        start = await self._appends.load(progress)
        whole = await self._writer.call(lambda database: database.checked_whole)
        self.left_out = bool(start.resumed_at) or not whole
        return start

    async def look_behind(self) -> None:
        """Look at what ``load`` left out while the engine trades; ``damage`` says what is wrong with it."""
        self.damage = await behind.looked(self._writer, self._clock)

    async def renew(self) -> None:
        """Say that this engine lives. Raises JournalBroken(FENCED) when a newer one has the store."""
        if self.down is None:
            await self._writer.change(self._lease.renew)

    async def replay(self, after: int = 0, batch: int = LOAD_CHUNK) -> AsyncIterator[list[Recorded]]:
        """Stored facts in order, in batches. Raises JournalBroken(UNKNOWN_EVENT, UNREADABLE_EVENT)."""
        while facts := await self._writer.call(partial(decoded, after=after, limit=batch)):
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
        if self.down is not None:
            return  # the digest of a fact that is not in the store would say nothing
        taken = self._appends.snapshot(seq, digest)

        def save(database: Database) -> None:
            kept = snapshots.written(database, taken) if taken else []
            database.write([(database.sql.upserts["checkpoint"], [(seq, digest, snapshots.form())]), *kept])

        await self._writer.change(save)

    async def last_checkpoint(self) -> tuple[int, str] | None:
        """Newest checkpoint: number and digest, which is empty where other code than this made it."""
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

    async def backup(self, target: str) -> JournalCopied:
        """Copy the journal into the new file ``target``, read the copy back, and only then say so.

        Raises Refusal(FILE_EXISTS, NOT_WRITABLE, COPY_BAD) or JournalBroken.
        """
        from optconsole.engine.store.backup import back_up  # it stands on this module

        return await back_up(self, Path(target))

    async def rows(self, after: int, limit: int) -> list[StoredEvent]:
        """The next rows as they are stored."""
        return await self._writer.call(lambda database: reading.chunk(database, after, limit))

    async def adopt(self, rows: list[StoredEvent], ledger: Ledger) -> None:
        """Take in rows of another journal as they stand, checked and folded by ``ledger``, off the loop.

        Raises JournalBroken as ``load`` does.
        """

        def work(database: Database) -> None:
            changed: Rows = {}
            for row in rows:
                ledger.changed(ledger.restore(row), changed)
            write_drafts(database, [Draft(rows, changed)], self._lease.epoch)

        await self._writer.change(work)

    async def rename(self, install_id: str) -> None:
        """Give the store another name, for the next who opens it."""
        await self._writer.change(lambda database: database.change(database.sql.set_install, (install_id,)))

    async def close(self) -> None:
        """Commit what waits and let the database go."""
        await self._appends.close()
        try:
            await self._writer.close()
        finally:
            if self._emergency is not None:
                self._emergency.close()


async def open_journal(
    url: str, world: str, clock: Clock | None = None, emergency: Path | None = None, install_id: str = ""
) -> SqlJournal:
    """Open the store of ``world``, bring its tables up to date and prove its settings.

    SQLite: the URL names the world's own file. PostgreSQL: the world gets a schema of its own. ``emergency`` is the
    folder of the emergency journal, None for a journal that trades nothing; ``install_id`` names a store that is new.
    Raises Refusal (BAD_STORE_URL, STORE_UNREACHABLE, ENGINE_RUNNING, SCHEMA_NEWER, SQLITE_TOO_OLD, OTHER_WORLD) or
    JournalBroken (STORE_SETTINGS, STORE_CORRUPT, STORE_FAILED, FENCED).
    """
    time = clock or WallClock()
    created_at, fresh = time.now().isoformat(), install_id or fresh_id()
    identity = ""

    def opened() -> Database:
        nonlocal identity
        database = Database(url, world)
        try:
            upgrade(database.connection)
            identity = claim(database.connection, world, created_at, fresh)
            if emergency is not None:
                database.make_room()
        except Exception as error:
            database.close()
            if isinstance(error, SQLAlchemyError):
                raise untrusted(error) from error
            raise
        return database

    target = store_url(url)
    file = Path(f"{target.database}.lease") if target.get_backend_name() == "sqlite" and target.database else None
    lease = Lease(file)
    writer = Writer(opened, lease, time.monotonic)
    await writer.open()
    try:
        log = None if emergency is None else await asyncio.to_thread(EmergencyLog, emergency / EMERGENCY_FILE)
    except OSError as error:
        await writer.close()
        raise JournalBroken(
            "NO_EMERGENCY_LOG",
            f"The emergency journal in {emergency} cannot be made ({error.strerror or error}); free some space.",
        ) from error
    return SqlJournal(writer, lease, Identity(identity, world), log, time)
