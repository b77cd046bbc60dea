"""The writer thread: the only thread of the engine, the only user of the database.

A commit waits for the disk, and the loop that guards positions must not; one thread with one connection also keeps
SQLite to a single connection. Whatever appends are waiting when it comes round share one transaction and one sync.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.chain import StoredEvent
from optconsole.engine.store.database import Database, first_line
from optconsole.engine.store.ledger import Draft, Rows
from optconsole.engine.store.statements import bound

T = TypeVar("T")
Future = asyncio.Future[Any]
COMMITS_KEPT: Final = 1000


class Writer:
    """Owns the database. Methods other than the thread's own are called on the loop's thread."""

    def __init__(self, opener: Callable[[], Database], monotonic: Callable[[], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._monotonic = monotonic
        self._wake = threading.Condition()
        self._appends: deque[tuple[Draft, Future]] = deque()
        self._calls: deque[tuple[Callable[[Database], Any], Future]] = deque()
        self._closing = False
        self._broken: JournalBroken | None = None
        self._opened: Future = self._loop.create_future()
        self._closed: Future = self._loop.create_future()
        self.commits = 0
        """Transactions that carried appends."""
        self._commit_ms: deque[float] = deque(maxlen=COMMITS_KEPT)
        self._thread = threading.Thread(target=self._run, args=(opener,), name="optconsole-store", daemon=True)

    async def open(self) -> None:
        """Start the thread and open the database on it. Raises what the opener raises."""
        self._thread.start()
        await self._opened

    async def append(self, draft: Draft) -> None:
        """Write a draft. Returns when it is on the disk; raises JournalBroken when that is not certain."""
        await self._put(self._appends, draft, writes=True)

    async def call(self, work: Callable[[Database], T]) -> T:
        """Run reading work between two commits; appends that wait go first. Raises what the work raises."""
        answer: T = await self._put(self._calls, work, writes=False)
        return answer

    async def change(self, work: Callable[[Database], T]) -> T:
        """Run work that writes. Any failure of it makes the store untrusted, as a failed append does."""

        def guarded(database: Database) -> T:
            try:
                return work(database)
            except Exception as error:
                raise self._break(database, error) from error

        answer: T = await self._put(self._calls, guarded, writes=True)
        return answer

    async def close(self) -> None:
        """Commit what waits, then give the database back."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.shield(self._closed)
        self._thread.join()

    def commit_percentiles(self) -> tuple[float, float] | None:
        """Median and 99th percentile of the last thousand commits in milliseconds; None before the first."""
        with self._wake:
            took = sorted(self._commit_ms)
        return (took[len(took) // 2], took[len(took) * 99 // 100]) if took else None

    async def _put(self, queue: deque[tuple[Any, Future]], work: object, *, writes: bool) -> Any:
        future: Future = self._loop.create_future()
        with self._wake:
            if self._broken is not None and writes:
                raise JournalBroken(self._broken.code, self._broken.text)
            if self._closing:
                raise JournalBroken("STORE_CLOSED", "The store is closed; nothing more can be written.")
            queue.append((work, future))
            self._wake.notify()
        return await future

    # ------------------------------------------------------------ on the writer's thread

    def _run(self, opener: Callable[[], Database]) -> None:
        try:
            database = opener()
        except BaseException as error:
            self._settle([(self._opened, None, error)])
            return
        self._settle([(self._opened, None, None)])
        while self._turn(database):
            continue
        try:
            database.close()
            self._settle([(self._closed, None, None)])
        except Exception as error:
            self._settle([(self._closed, None, untrusted(error))])

    def _turn(self, database: Database) -> bool:
        """Commit all waiting appends, then run one call, so that neither keeps the other waiting for long."""
        with self._wake:
            while not (self._appends or self._calls or self._closing):
                self._wake.wait()
            group = list(self._appends)
            self._appends.clear()
            call = self._calls.popleft() if self._calls else None
        if group:
            self._commit(database, group)
        if call is not None:
            work, future = call
            try:
                self._settle([(future, work(database), None)])
            except (SQLAlchemyError, sqlite3.Error, psycopg.Error) as error:
                self._settle([(future, None, unreadable(error))])
            except Exception as error:
                self._settle([(future, None, error)])
        return bool(group or call)

    def _commit(self, database: Database, group: list[tuple[Draft, Future]]) -> None:
        failure: JournalBroken | None = self._broken
        if failure is None:
            began = self._monotonic()
            try:
                write_drafts(database, [draft for draft, _ in group])
                with self._wake:
                    self.commits += 1
                    self._commit_ms.append((self._monotonic() - began) * 1000)
            except Exception as error:
                failure = self._break(database, error)
        self._settle([(future, None, failure) for _, future in group])

    def _break(self, database: Database, error: Exception) -> JournalBroken:
        """After a failed write nobody knows what the disk holds: nothing more is written until a fresh start."""
        broken = error if isinstance(error, JournalBroken) else untrusted(error)
        try:
            database.rollback()
        except Exception as worse:
            broken.add_note(f"The transaction could not be rolled back either: {first_line(worse)}")
        with self._wake:
            self._broken = broken
        return broken

    def _settle(self, answers: list[tuple[Future, Any, BaseException | None]]) -> None:
        try:
            self._loop.call_soon_threadsafe(_resolve, answers)
        except RuntimeError:
            return  # the loop is closed, so nobody waits for the answer any more


def _resolve(answers: list[tuple[Future, Any, BaseException | None]]) -> None:
    for future, value, error in answers:
        if future.done():
            continue
        if error is None:
            future.set_result(value)
        elif isinstance(error, JournalBroken):
            # one exception object raised by many would gather all their tracebacks
            future.set_exception(JournalBroken(error.code, error.text))
        else:
            future.set_exception(error)


def write_drafts(database: Database, drafts: list[Draft]) -> None:
    """One transaction for all drafts: the rows of the journal, the read tables, the head."""
    events: list[StoredEvent] = []
    merged: Rows = {}
    for draft in drafts:
        events.extend(draft.events)
        for table, rows in draft.rows.items():
            merged.setdefault(table, {}).update(rows)
    head = events[-1]
    sql = database.sql
    database.write(
        [
            (sql.insert_event, events),
            *((sql.upserts[table], bound(table, rows.values())) for table, rows in merged.items()),
            (sql.set_head, [(head.seq, head.hash)]),
        ]
    )


def untrusted(error: BaseException) -> JournalBroken:
    """What a trader reads when a write failed."""
    detail = first_line(getattr(error, "orig", None) or error)
    if isinstance(error, sqlite3.IntegrityError | psycopg.errors.UniqueViolation):
        return JournalBroken("CONFLICT", f"Another program wrote to this journal ({detail}); restart the engine.")
    return JournalBroken(
        "STORE_FAILED",
        f"The store could not write ({detail}); nothing since its last commit is certain. "
        "Check the disk or the server, then restart the engine.",
    )


def unreadable(error: BaseException) -> JournalBroken:
    """What a trader reads when a query failed."""
    detail = first_line(getattr(error, "orig", None) or error)
    return JournalBroken("STORE_UNREADABLE", f"The store could not be read ({detail}); check the disk or the server.")
