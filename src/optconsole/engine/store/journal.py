"""The journal over SQL: the durable sequence of facts, and the read tables that follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from optconsole.engine.clock import Clock, WallClock, fresh_id
from optconsole.engine.events import Recorded
from optconsole.engine.ports import JournalBroken
from optconsole.engine.queries import JournalCopied, JournalVerdict
from optconsole.engine.store import audit, reading, snapshots
from optconsole.engine.store.chain import StoredEvent
from optconsole.engine.store.database import Database, store_url
from optconsole.engine.store.degraded import adds_risk, emergency_differs, says, share, store_down, store_lost
from optconsole.engine.store.emergency import FILE as EMERGENCY_FILE
from optconsole.engine.store.emergency import EmergencyLog
from optconsole.engine.store.identity import claim
from optconsole.engine.store.lease import Lease
from optconsole.engine.store.ledger import Draft, Ledger, Mark, Rows
from optconsole.engine.store.loading import LOAD_CHUNK, Load, Start, decoded
from optconsole.engine.store.schema import upgrade
from optconsole.engine.store.writer import CHANGED, Writer
from optconsole.engine.store.writing import FAILED, untrusted, write_drafts

FIRST_REST, LONGEST_REST = 1.0, 30.0
"""Seconds between two attempts to write to a store that takes nothing; doubled up to the longest."""
EXITS_GO_ON = (FAILED, CHANGED)
"""Failures in which the emergency journal takes what reduces risk; in any other another engine may be doing that."""
Progress = Callable[[int, int], None]
"""Called with events done and events in all."""


class Identity(NamedTuple):
    """Whose store it is."""

    install_id: str
    world: str


class SqlJournal:
    """Implements ``engine.ports.Journal``. Use from one event loop; made by ``open_journal``.

    While the store takes nothing, facts that add no risk go to the emergency journal, chained as they would be in the
    store; ``revive`` is tried with growing rests, and puts them there.
    """

    def __init__(self, writer: Writer, lease: Lease, identity: Identity, emergency: EmergencyLog | None, clock: Clock):
        self._writer = writer
        self._lease = lease
        self._ledger: Ledger | None = None
        self._order = asyncio.Lock()
        self._kept_at = 0
        self._emergency = emergency
        self._aside: list[tuple[Draft, tuple[Recorded, ...]]] = []
        self._down: JournalBroken | None = None
        self._clock = clock
        self._reviving: asyncio.Task[None] | None = None
        self.identity = identity

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
        return self._down

    async def append(self, facts: Sequence[Recorded]) -> None:
        """As the protocol says. CONFLICT, GAP, UNWRITABLE and ILLEGAL_FACT write nothing and spoil nothing.

        While the store takes nothing: STORE_DOWN refuses what adds risk, STORE_LOST what the emergency journal
        cannot take either. FENCED and STORE_CHANGED are final.
        """
        if not facts:
            return
        async with self._order:
            if self._down is not None:
                return await self._append_aside(facts, self._down)
            ledger = self._ledger or (await self._fold(None)).ledger
            mark = ledger.mark()
            try:
                draft = ledger.draft(facts)
            except JournalBroken:
                ledger.back(mark)
                raise
        # no other task runs between leaving the lock and the hand-over: drafts reach the writer in their order
        try:
            await self._writer.append(draft)
        except JournalBroken as broken:
            await self._failed(ledger, mark, facts, broken)
        else:
            ledger.keep(mark)

    async def _failed(self, ledger: Ledger, mark: Mark, facts: Sequence[Recorded], broken: JournalBroken) -> None:
        """What an append does that the store provably did not take."""
        async with self._order:
            ledger.back(mark)
            if broken.code not in EXITS_GO_ON or self._emergency is None:
                raise broken
            self._down = self._down or broken
            if self._reviving is None and self._down.code == FAILED:
                self._reviving = asyncio.get_running_loop().create_task(self._keep_trying(), name="store-revival")
            await self._append_aside(facts, self._down)

    async def _append_aside(self, facts: Sequence[Recorded], down: JournalBroken) -> None:
        ledger, emergency = self._ledger, self._emergency
        if ledger is None or emergency is None or down.code not in EXITS_GO_ON:
            raise JournalBroken(down.code, down.text)
        if adds_risk(ledger.state, facts):
            raise store_down(down)
        self._lease.look()
        mark = ledger.mark()
        try:
            draft = ledger.draft(facts)
            await asyncio.to_thread(emergency.append, draft.events, share(facts))
        except JournalBroken:
            ledger.back(mark)
            raise
        except OSError as error:
            ledger.back(mark)
            raise store_lost(down, error) from error
        ledger.keep(mark)
        self._aside.append((draft, tuple(facts)))

    async def _keep_trying(self) -> None:
        rest = FIRST_REST
        while True:
            await self._clock.sleep(rest)
            rest = min(rest * 2, LONGEST_REST)
            if await self.revive():
                return

    async def revive(self) -> bool:
        """Try to trust the store again and bring it what the emergency journal holds. True when nothing is left to try.

        A store that another engine took, or that is not as it was left, stays closed to this one for good.
        """
        if self._down is not None:
            try:
                # without the lock: exits go on while a server is waited for
                await self._writer.probe()
            except JournalBroken as broken:
                self._down = broken
                return broken.code != FAILED
        async with self._order:
            if self._down is None or self._emergency is None:
                return True
            try:
                await self._writer.revive([draft for draft, _ in self._aside])
                await asyncio.to_thread(self._emergency.reset)
            except JournalBroken as broken:
                self._down = broken
                return broken.code != FAILED
            except OSError:
                return False  # what is in the store already is known again by its hashes
            self._aside.clear()
            self._down = self._reviving = None
            return True

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
        if not self._aside:
            return found
        aside = [fact for _, facts in self._aside for fact in facts if fact.seq > after and says(fact, stream, text)]
        return [*found, *aside][-limit:] if last else [*found, *aside][:limit]

    async def head(self) -> tuple[int, str]:
        """Newest durable number and its chain hash; (0, '') when empty."""
        return await self._writer.call(reading.head)

    async def hash_at(self, seq: int) -> str | None:
        """Chain hash of fact ``seq``; None when there is none."""
        rows = await self._writer.call(lambda database: reading.chunk(database, seq - 1, 1))
        return rows[0].hash if rows and rows[0].seq == seq else None

    async def load(self, progress: Progress | None = None) -> Start:
        """Fold the journal, checking chain and head on the way; needed before the first append.

        It begins at the snapshot if that can be believed; the facts before it are then left to ``verify``. What an
        earlier run left in the emergency journal is brought into the store. The state returned is the caller's own.
        Raises JournalBroken: CHAIN_BROKEN, UNKNOWN_EVENT, UNREADABLE_EVENT, ILLEGAL_FACT,
        EMERGENCY_DIFFERS.
        """
        async with self._order:
            load = await self._fold(progress)
            if self._emergency is not None and self._emergency.records:
                load = await self._take_in(load, self._emergency)
            return Start(
                state=load.ledger.state.copy(),
                checkpoint=load.checkpoint,
                replayed=load.replayed,
                resumed_at=load.resumed_at,
            )

    async def _take_in(self, load: Load, emergency: EmergencyLog) -> Load:
        """Append the records of the emergency journal that the store does not hold yet, then empty it.

        They go on from the last fact that was promised. What the store holds beyond it in their place is a write that
        was reported as failed: it is taken out.
        """
        first = emergency.records[0][0]
        if load.ledger.seq >= first.seq and await self.hash_at(first.seq) != first.hash:
            base = first.seq - 1
            if (await self.hash_at(base) or "") != first.prev_hash:
                raise emergency_differs(first.seq)
            await self._writer.drop_tail(base, first.prev_hash)
            load = await self._fold(None)
        ledger = load.ledger
        for record in emergency.records:
            rows = [row for row in record if row.seq > ledger.seq]
            for row in record[: len(record) - len(rows)]:
                if await self.hash_at(row.seq) != row.hash:
                    raise emergency_differs(row.seq)
            if not rows:
                continue
            changed: Rows = {}
            try:
                for row in rows:
                    ledger.changed(ledger.restore(row), changed)
            except JournalBroken as broken:
                raise emergency_differs(rows[0].seq) from broken
            await self._writer.append(Draft(rows, changed))
        await asyncio.to_thread(emergency.reset)
        return load

    async def _fold(self, progress: Progress | None) -> Load:
        self._ledger = None
        total, _ = await self.head()
        load = await self._writer.call(Load)
        self._kept_at = load.resumed_at
        more = True
        while more:
            more = await self._writer.call(load.step)
            if progress is not None:
                progress(load.ledger.seq, total)
        self._ledger = load.ledger
        return load

    async def renew(self) -> None:
        """Say that this engine lives. Raises JournalBroken(FENCED) when a newer one has the store."""
        if self._down is None:
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
        if self._down is not None:
            return  # the digest of a fact that is not in the store would say nothing
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
        if self._reviving is not None:
            self._reviving.cancel()
            await asyncio.wait([self._reviving])
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
