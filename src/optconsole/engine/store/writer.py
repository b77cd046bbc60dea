"""The writer thread: the only thread of the engine, the only user of the database.

A commit waits for the disk, and the loop that guards positions must not; one thread with one connection also keeps
SQLite to a single connection. Whatever appends are waiting when it comes round share one transaction and one sync.
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

from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.database import Database
from optconsole.engine.store.lease import Lease
from optconsole.engine.store.ledger import Draft
from optconsole.engine.store.trust import Trust
from optconsole.engine.store.writing import unreadable, untrusted

T = TypeVar("T")
Future = asyncio.Future[Any]
CLOSED: Final = "STORE_CLOSED"
COMMITS_KEPT: Final = 1000
QUIET: Final = 0.02
"""Seconds without anybody's wish after which the log is brought in: orders come in bursts."""


class Writer:
    """The way to the database. Methods other than the thread's own are called on the loop's thread."""

    def __init__(self, opener: Callable[[], Database], lease: Lease, monotonic: Callable[[], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._trust = Trust(opener, lease)
        self._monotonic = monotonic
        self._wake = threading.Condition()
        self._appends: deque[tuple[Draft, Future]] = deque()
        self._calls: deque[tuple[Callable[[], Any], Future]] = deque()
        self._closing = False
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
        answer: T = await self._put(self._calls, lambda: work(self._trust.database), writes=False)
        return answer

    async def change(self, work: Callable[[Database], T]) -> T:
        """Run work that writes and may be left undone. A failure ends trust in the connection, as an append's does."""
        answer: T = await self._put(self._calls, lambda: self._guarded(work), writes=True)
        return answer

    async def revive(self, drafts: Sequence[Draft]) -> None:
        """Trust the store again: a new connection, the head as it was left, and ``drafts`` written on top.

        Raises JournalBroken: STORE_FAILED when it still takes nothing; any other code is final.
        """
        await self._put(self._calls, lambda: self._trust.revive(drafts), writes=False)

    async def probe(self) -> None:
        """Find out whether ``revive`` has a chance; a server that does not answer is waited for here. Raises as it."""
        await self._put(self._calls, self._trust.probe, writes=False)

    async def drop_tail(self, seq: int, head: str) -> None:
        """Take out what follows fact ``seq``, whose hash is ``head``. Raises JournalBroken."""
        await self.change(lambda _database: self._trust.drop_tail(seq, head))

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
            broken = self._trust.broken
            if broken is not None and writes:
                raise JournalBroken(broken.code, broken.text)
            if self._closing:
                raise JournalBroken(CLOSED, "The store is closed; nothing more can be written.")
            queue.append((work, future))
            self._wake.notify()
        return await future

    # ------------------------------------------------------------ on the writer's thread

    def _run(self) -> None:
        try:
            self._trust.begin()
        except BaseException as error:
            self._settle([(self._opened, None, error)])
            return
        self._settle([(self._opened, None, None)])
        while self._turn():
            continue
        try:
            self._trust.let_go()
            self._settle([(self._closed, None, None)])
        except Exception as error:
            self._settle([(self._closed, None, untrusted(error))])

    def _turn(self) -> bool:
        """Commit all waiting appends, then run one call, so that neither keeps the other waiting for long."""
        with self._wake:
            while not (self._appends or self._calls or self._closing):
                if not self._wake.wait(QUIET if self._trust.untidy else None):
                    break
            quiet = not (self._appends or self._calls or self._closing)
            group = list(self._appends)
            self._appends.clear()
            call = self._calls.popleft() if self._calls else None
        if group:
            self._commit(group)
        if call is not None:
            self._answer(*call)
        if quiet:
            self._tidy()
        return bool(group or call or quiet)

    def _commit(self, group: list[tuple[Draft, Future]]) -> None:
        began = self._monotonic()
        failure = self._trust.commit([draft for draft, _ in group])
        took = (self._monotonic() - began) * 1000
        if failure is None:
            with self._wake:
                self.commits += 1
                self._commit_ms.append(took)
        self._settle([(future, None, failure) for _, future in group])

    def _answer(self, work: Callable[[], Any], future: Future) -> None:
        try:
            self._settle([(future, work(), None)])
        except (SQLAlchemyError, sqlite3.Error, psycopg.Error) as error:
            self._settle([(future, None, unreadable(error))])
        except Exception as error:
            self._settle([(future, None, error)])

    def _tidy(self) -> None:
        """Bring the log into the database while nobody waits for a commit."""
        try:
            self._trust.database.tidy()
        except Exception as error:
            self._trust.undone(error)

    def _guarded(self, work: Callable[[Database], T]) -> T:
        try:
            return work(self._trust.database)
        except Exception as error:
            raise self._trust.undone(error) from error

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
