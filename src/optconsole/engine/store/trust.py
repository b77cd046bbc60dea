"""The store's connection and how far it can be believed. Lives on the writer's thread.

A write that failed has an unknown outcome: the answer may be lost, and not the write. The connection is not trusted any
more; a new one is asked what the journal's head is, and that decides. Nobody is told anything before it is proven.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.audit import drop_tail
from optconsole.engine.store.database import Database, first_line
from optconsole.engine.store.lease import FENCED, Lease
from optconsole.engine.store.ledger import Draft
from optconsole.engine.store.writing import FAILED, as_broken, last, unreadable, write_drafts

CHANGED: Final = "STORE_CHANGED"
HELD: Final = frozenset({"ENGINE_RUNNING", "OTHER_WORLD"})


class Trust:
    """Owns the database. ``broken`` may be read on any thread: why nothing is written any more; None while it is."""

    def __init__(self, opener: Callable[[], Database], lease: Lease) -> None:
        self._opener = opener
        self._lease = lease
        self._database: Database | None = None
        self._head: tuple[int, str] = (0, "")
        self._denied: list[Draft] = []
        self.broken: JournalBroken | None = None

    @property
    def database(self) -> Database:
        """The open database. Raises JournalBroken when it could not be opened again."""
        if self._database is None:
            raise unreadable(OSError("it could not be opened again"))
        return self._database

    @property
    def untidy(self) -> bool:
        """Whether the log has grown enough to be brought into the database, and may be."""
        return self.broken is None and self._database is not None and self._database.untidy

    def begin(self) -> None:
        """Open the database and take the lease. Raises what the opener raises, and JournalBroken."""
        self._database = self._opener()
        try:
            self._lease.take(self._database)
            self._head = self._database.head()
        except Exception as error:
            self._database.close()
            raise as_broken(error) from error

    def let_go(self) -> None:
        """Give the database back."""
        database, self._database = self._database, None
        if database is not None:
            database.close()

    def write(self, drafts: list[Draft]) -> None:
        """One transaction, durable on return. Raises the driver's error, JournalBroken(FENCED)."""
        self._lease.look()
        write_drafts(self.database, drafts, self._lease.epoch)
        self._head, self._denied = last(drafts), []

    def commit(self, drafts: list[Draft]) -> JournalBroken | None:
        """Write, and prove what became of a write that failed. None when all is stored."""
        if self.broken is not None:
            return self.broken
        try:
            self.write(drafts)
        except Exception as error:
            return self._doubted(drafts, error)
        return None

    def undone(self, error: Exception) -> JournalBroken:
        """After a failed change that nobody waits for to be there: trust again, or break."""
        broken = as_broken(error)
        if broken.code != FAILED:
            return self.end(broken)
        try:
            self.reopened(())
        except Exception as worse:
            return self.end(worse)
        return broken

    def revive(self, drafts: Sequence[Draft]) -> None:
        """Trust the store again, with ``drafts`` on top of what was left. Raises JournalBroken."""
        self._not_for_good()
        try:
            if not self.reopened(drafts) and drafts:
                self.write(list(drafts))
        except Exception as error:
            raise self.end(error) from error
        self.broken = None

    def probe(self) -> None:
        """Find out whether ``revive`` has a chance; a server that does not answer is waited for here. Raises as it."""
        self._not_for_good()
        try:
            self.reopened(())
        except Exception as error:
            raise self.end(error) from error

    def drop_tail(self, seq: int, head: str) -> None:
        """Take out what follows fact ``seq``, whose hash is ``head``."""
        drop_tail(self.database, seq, head, self._lease.epoch)
        self._head = self.database.head()

    def reopened(self, drafts: Sequence[Draft]) -> bool:
        """Open the store anew. True when its head is the end of ``drafts``, False when it is where it was before.

        A write that somebody was told is not there is taken out where it is. Raises what the opener raises, and
        JournalBroken(STORE_CHANGED) for any other head.
        """
        self.let_go()
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

    def end(self, error: Exception) -> JournalBroken:
        """Nothing is written from here on, until ``revive`` where the failure may pass."""
        broken = as_broken(error)
        if self._database is not None:
            try:
                self._database.rollback()
            except Exception as worse:
                broken.add_note(f"The transaction could not be rolled back either: {first_line(worse)}")
        self.broken = broken
        return broken

    def _doubted(self, drafts: list[Draft], error: Exception) -> JournalBroken | None:
        """Prove what became of a failed write; one that is not there is tried once more. None when it is stored."""
        broken = as_broken(error)
        if broken.code != FAILED:
            return self.end(broken)
        try:
            if not self.reopened(drafts):
                self.write(drafts)
        except Exception as worse:
            # whoever waits is told that it is not stored: should it turn out to be, it is taken out again
            self._denied = drafts
            return self.end(worse)
        return None

    def _not_for_good(self) -> None:
        if self.broken is not None and self.broken.code != FAILED:
            raise JournalBroken(self.broken.code, self.broken.text)
