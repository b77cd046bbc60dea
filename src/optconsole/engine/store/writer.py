"""The writer thread: the only thread of the engine, the only user of the database.

A commit waits for the disk, and the loop that guards positions must not; one thread with one connection also keeps
SQLite to a single connection. Whatever appends are waiting when it comes round share one transaction and one sync.

A write that failed has an unknown outcome: the answer may be lost, and not the write. The connection is not trusted any
more; a new one is asked what the journal's head is, and that decides. Nobody is told anything before it is proven.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.audit import drop_tail
from optconsole.engine.store.database import Database, first_line
from optconsole.engine.store.lease import FENCED, Lease
from optconsole.engine.store.ledger import Draft
from optconsole.engine.store.writing import FAILED, as_broken, last, unreadable, untrusted, write_drafts

T = TypeVar("T")
Future = asyncio.Future[Any]
COMMITS_KEPT: Final = 1000
CHANGED: Final = "STORE_CHANGED"
HELD: Final = frozenset({"ENGINE_RUNNING", "OTHER_WORLD"})


class Writer:
    """Owns the database. Methods other than the thread's own are called on the loop's thread."""

    def __init__(self, opener: Callable[[], Database], lease: Lease, monotonic: Callable[[], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._opener = opener
        self._lease = lease
        self._monotonic = monotonic
        self._wake = threading.Condition()
        self._appends: deque[tuple[Draft, Future]] = deque()
        self._calls: deque[tuple[Callable[[], Any], Future]] = deque()
        self._closing = False
        self._broken: JournalBroken | None = None
        self._database: Database | None = None
        self._head: tuple[int, str] = (0, "")
        self._denied: list[Draft] = []
        self._opened: Future = self._loop.create_future()
        self._closed: Future = self._loop.create_future()
        self.commits = 0
        """Transactions that carried appends."""
        self._commit_ms: deque[float] = deque(maxlen=COMMITS_KEPT)
        self._thread = threading.Thread(target=self._run, name="optconsole-store", daemon=True)

    async def open(self) -> None:
        """Start the thread and open the database on it. Raises what the opener raises."""
        self._thread.start()
        await self._opened

    async def append(self, draft: Draft) -> None:
        """Write a draft. Returns when it is on the disk; raises JournalBroken when that is not certain."""
        await self._put(self._appends, draft, writes=True)

    async def call(self, work: Callable[[Database], T]) -> T:
        """Run reading work between two commits; appends that wait go first. Raises what the work raises."""
        answer: T = await self._put(self._calls, lambda: work(self._need()), writes=False)
        return answer

    async def change(self, work: Callable[[Database], T]) -> T:
        """Run work that writes and may be left undone. A failure ends trust in the connection, as an append's does."""

        def guarded() -> T:
            try:
                return work(self._need())
            except Exception as error:
                raise self._undone(error) from error

        answer: T = await self._put(self._calls, guarded, writes=True)
        return answer

    async def revive(self, drafts: Sequence[Draft]) -> None:
        """Trust the store again: a new connection, the head as it was left, and ``drafts`` written on top.

        Raises JournalBroken: STORE_FAILED when it still takes nothing; any other code is final.
        """

        def work() -> None:
            self._not_for_good()
            try:
                if not self._reopened(drafts) and drafts:
                    self._write(list(drafts))
            except Exception as error:
                raise self._break(error) from error
            with self._wake:
                self._broken = None

        await self._put(self._calls, work, writes=False)

    async def probe(self) -> None:
        """Find out whether ``revive`` has a chance; a server that does not answer is waited for here. Raises as it."""

        def work() -> None:
            self._not_for_good()
            try:
                self._reopened(())
            except Exception as error:
                raise self._break(error) from error

        await self._put(self._calls, work, writes=False)

    async def drop_tail(self, seq: int, head: str) -> None:
        """Take out what follows fact ``seq``, whose hash is ``head``. Raises JournalBroken."""

        def work(database: Database) -> None:
            drop_tail(database, seq, head, self._lease.epoch)
            self._head = database.head()

        await self.change(work)

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

    def _run(self) -> None:
        try:
            self._database = self._opener()
            try:
                self._lease.take(self._database)
                self._head = self._database.head()
            except Exception as error:
                self._database.close()
                raise as_broken(error) from error
        except BaseException as error:
            self._settle([(self._opened, None, error)])
            return
        self._settle([(self._opened, None, None)])
        while self._turn():
            continue
        try:
            self._let_go()
            self._settle([(self._closed, None, None)])
        except Exception as error:
            self._settle([(self._closed, None, untrusted(error))])

    def _turn(self) -> bool:
        """Commit all waiting appends, then run one call, so that neither keeps the other waiting for long."""
        with self._wake:
            while not (self._appends or self._calls or self._closing):
                self._wake.wait()
            group = list(self._appends)
            self._appends.clear()
            call = self._calls.popleft() if self._calls else None
        if group:
            self._commit(group)
        if call is not None:
            work, future = call
            try:
                self._settle([(future, work(), None)])
            except (SQLAlchemyError, sqlite3.Error, psycopg.Error) as error:
                self._settle([(future, None, unreadable(error))])
            except Exception as error:
                self._settle([(future, None, error)])
        return bool(group or call)

    def _commit(self, group: list[tuple[Draft, Future]]) -> None:
        failure: JournalBroken | None = self._broken
        if failure is None:
            began = self._monotonic()
            drafts = [draft for draft, _ in group]
            try:
                self._write(drafts)
            except Exception as error:
                failure = self._doubted(drafts, error)
            if failure is None:
                with self._wake:
                    self.commits += 1
                    self._commit_ms.append((self._monotonic() - began) * 1000)
        self._settle([(future, None, failure) for _, future in group])

    def _write(self, drafts: list[Draft]) -> None:
        self._lease.look()
        write_drafts(self._need(), drafts, self._lease.epoch)
        self._head, self._denied = last(drafts), []

    def _doubted(self, drafts: list[Draft], error: Exception) -> JournalBroken | None:
        """Prove what became of a failed write; one that is not there is tried once more. None when it is stored."""
        broken = as_broken(error)
        if broken.code != FAILED:
            return self._break(broken)
        try:
            if not self._reopened(drafts):
                self._write(drafts)
        except Exception as worse:
            # whoever waits is told that it is not stored: should it turn out to be, it is taken out again
            self._denied = drafts
            return self._break(worse)
        return None

    def _undone(self, error: Exception) -> JournalBroken:
        """After a failed change that nobody waits for to be there: trust again, or break."""
        broken = as_broken(error)
        if broken.code != FAILED:
            return self._break(broken)
        try:
            self._reopened(())
        except Exception as worse:
            return self._break(worse)
        return broken

    def _reopened(self, drafts: Sequence[Draft]) -> bool:
        """Open the store anew. True when its head is the end of ``drafts``, False when it is where it was before.

        A write that somebody was told is not there is taken out where it is. Raises what the opener raises, and
        JournalBroken(STORE_CHANGED) for any other head.
        """
        self._let_go()
        try:
            database = self._opener()
        except Refusal as refused:
            # somebody else has it now: it is not for us to wait for
            raise JournalBroken(FENCED if refused.code in HELD else FAILED, refused.text) from refused
        self._database = database
        database.settle()
        self._lease.require(database)
        head = database.head()
        if self._denied and head == last(self._denied) and head != self._head:
            drop_tail(database, *self._head, self._lease.epoch)
            head = database.head()
        if drafts and head == last(drafts):
            self._head = head
            return True
        if head != self._head:
            raise JournalBroken(
                CHANGED,
                f"The store ends at fact {head[0]} and was left at {self._head[0]}: another program wrote to it, or it "
                "lost its tail. Only exits go on; stop the engine and run `optconsole db check`.",
            )
        return False

    def _need(self) -> Database:
        if self._database is None:
            raise unreadable(OSError("it could not be opened again"))
        return self._database

    def _not_for_good(self) -> None:
        with self._wake:
            broken = self._broken
        if broken is not None and broken.code != FAILED:
            raise JournalBroken(broken.code, broken.text)

    def _let_go(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            database.close()

    def _break(self, error: Exception) -> JournalBroken:
        """Nothing is written from here on, until ``revive`` where the failure may pass."""
        broken = as_broken(error)
        if self._database is not None:
            try:
                self._database.rollback()
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
