"""The one connection of the store, to SQLite or PostgreSQL by URL. Lives on the writer's thread only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store import postgres, sqlite
from optconsole.engine.store.statements import Statements

TIDIED_AFTER: Final = 64
"""Commits after which the log is brought in; about half of what SQLite lets gather."""


class LeaseLost(Exception):
    """A commit found the epoch of a newer engine."""


class Database:
    """An open database with its settings proven.

    ``connection`` is for SQLModel queries; ``write`` goes to the driver itself, which costs a log a fifteenth of
    what an ORM session does.
    """

    def __init__(self, url: str, world: str) -> None:
        """Raises Refusal: BAD_STORE_URL, STORE_UNREACHABLE, ENGINE_RUNNING; JournalBroken when it cannot be trusted."""
        target = store_url(url)
        self._sqlite = target.get_backend_name() == "sqlite"
        self._engine: Engine = sqlite.engine(target) if self._sqlite else postgres.engine(target)
        self.sql = Statements("?" if self._sqlite else "%s")
        self._in_log = 0
        self.checked_whole = True
        """False when the file was too large to be looked at page by page."""
        try:
            self.connection = _connected(self._engine, target)
            # either driver's connection: what is used of it below is the same in both
            driver: Any = self.connection.connection.driver_connection
            self._driver = driver
            if self._sqlite:
                self.checked_whole = sqlite.prove(driver)
            else:
                postgres.take(driver, world)
        except sqlite3.DatabaseError as error:
            self._engine.dispose()
            raise sqlite.corrupt(first_line(error)) from None
        except psycopg.Error as error:
            self._engine.dispose()
            raise _unreachable(target, error) from None
        except (Refusal, JournalBroken):
            self._engine.dispose()
            raise

    def write(self, work: Iterable[tuple[str, Sequence[tuple[Any, ...]]]], *, fence: bool = False) -> None:
        """Run statements with their rows in one transaction, durable on return.

        Raises the driver's error; with ``fence`` LeaseLost, and nothing is written, when the last one hit no row.
        """
        cursor = self._driver.cursor()
        try:
            if self._sqlite:
                cursor.execute("BEGIN IMMEDIATE")
            for text, rows in work:
                if len(rows) == 1:
                    cursor.execute(text, rows[0])
                elif rows:
                    cursor.executemany(text, rows)
            if fence and cursor.rowcount != 1:
                raise LeaseLost
            self._driver.commit()
            self._in_log += 1
        finally:
            cursor.close()

    def change(self, text: str, values: tuple[Any, ...]) -> int:
        """Run one statement in a transaction of its own. Returns the rows it changed."""
        cursor = self._driver.cursor()
        try:
            cursor.execute(text, values)
            changed = int(cursor.rowcount)
            self._driver.commit()
            return changed
        finally:
            cursor.close()

    def make_room(self) -> None:
        """Have the next commits fall into room that the disk has given already."""
        if self._sqlite:
            sqlite.make_room(Path(str(self._engine.url.database)))

    @property
    def on_file(self) -> bool:
        """Whether the pages are ours to check: no server does."""
        return self._sqlite

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest fact: what a write of unknown outcome is judged by."""
        rows = self.fetch(self.sql.newest_event)
        return (int(rows[0][0]), str(rows[0][1])) if rows else (0, "")

    def settle(self) -> None:
        """Bring everything written into the database itself, synced anew. Raises the driver's error.

        After a failed sync the system may count pages of the log as clean that never reached the disk.
        """
        if self._sqlite and self.fetch("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] != 0:
            raise sqlite3.OperationalError("the log could not be brought into the database")

    @property
    def untidy(self) -> bool:
        """Whether the log has grown enough to be brought into the database."""
        return self._sqlite and self._in_log >= TIDIED_AFTER

    def tidy(self) -> None:
        """Bring the log into the database. Raises the driver's error.

        SQLite does so by itself, but within a commit: the order that waits for that one waits ten times as long.
        """
        self.fetch("PRAGMA wal_checkpoint(PASSIVE)")
        self._in_log = 0

    def fetch(self, text: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, without SQLAlchemy's row objects: a replay is mostly this."""
        cursor = self._driver.cursor()
        try:
            rows: list[tuple[Any, ...]] = cursor.execute(text, values).fetchall()
            return rows
        finally:
            cursor.close()
            if not self._sqlite:
                # psycopg opens a transaction for a query too, and an old one holds back vacuum
                self._driver.rollback()

    def rollback(self) -> None:
        """Undo what an interrupted ``write`` left open."""
        self._driver.rollback()

    def close(self) -> None:
        """Give the connection, and with it the lock, back."""
        self.connection.close()
        self._engine.dispose()


def store_url(text: str) -> URL:
    """Parse the store's URL. Raises Refusal(BAD_STORE_URL)."""
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        raise _bad_url() from None
    if backend == "sqlite" and url.drivername in ("sqlite", "sqlite+pysqlite"):
        return url
    if backend == "postgresql" and url.drivername in ("postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    raise _bad_url()


def _bad_url() -> Refusal:
    return Refusal(
        "BAD_STORE_URL",
        "The store's URL must look like sqlite:////folder/journal.db or postgresql+psycopg://user@host/database.",
    )


def _connected(engine: Engine, url: URL) -> Connection:
    try:
        return engine.connect()
    except OperationalError as error:
        if "locked" in str(error.orig):
            raise Refusal(
                "ENGINE_RUNNING", f"Another program has the store {url.database} open; close it first."
            ) from None
        raise _unreachable(url, error.orig) from None
    except DatabaseError as error:
        raise sqlite.corrupt(first_line(error.orig)) from None


def _unreachable(url: URL, error: BaseException | None) -> Refusal:
    place = url.render_as_string(hide_password=True)
    return Refusal("STORE_UNREACHABLE", f"The store {place} cannot be opened: {first_line(error)}")


def first_line(error: BaseException | None) -> str:
    """A driver's message without the lines that only a programmer reads."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
