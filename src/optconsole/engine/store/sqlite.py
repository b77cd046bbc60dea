"""SQLite as this store needs it: durable at every commit, settings proven and not assumed, one connection.

One, because in SQLite before 3.51.3 (3.44.6 and 3.50.7 of the older lines) a WAL reset can corrupt a database that two
connections use at once, and Python carries such versions. The exclusive locking mode makes SQLite itself turn every
second connection away, also one from another program; a store that must be read while it runs belongs on PostgreSQL.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.home import MOUNTS, NETWORK, file_system
from optconsole.engine.store.tables import READ_TABLES

OLDEST: Final = (3, 35, 0)
BUSY_MS: Final = 2000
LOG_ROOM: Final = 4_300_000
"""Bytes: the thousand pages after which SQLite brings its log in, with their heads, and the commit that passes it."""
CHECKED_WHOLE: Final = 256 * 1024 * 1024
"""Bytes of a file that a start checks from end to end: about half a million facts, a second of a plain disk."""


def require_version(version: tuple[int, int, int]) -> None:
    """Raises Refusal(SQLITE_TOO_OLD) for a library without the SQL this store speaks."""
    if version < OLDEST:
        found, needed = (".".join(map(str, number)) for number in (version, OLDEST))
        raise Refusal(
            "SQLITE_TOO_OLD",
            f"This Python carries SQLite {found} and the store needs {needed}; use a newer Python build.",
        )


def engine(url: URL) -> Engine:
    """An engine whose pool is a single connection, used on one thread: its creator's."""
    require_version(sqlite3.sqlite_version_info)
    if not url.database or url.database == ":memory:":
        raise Refusal("BAD_STORE_URL", "The store must be a file: write sqlite:////folder/journal.db.")
    require_local(Path(url.database))
    _private_file(Path(url.database))
    made = create_engine(url, poolclass=StaticPool, pool_reset_on_return=None, connect_args={"check_same_thread": True})
    event.listen(made, "connect", _settle)
    event.listen(made, "begin", _begin)
    return made


def require_local(path: Path, mounts: Path = MOUNTS) -> None:
    """Raises Refusal(STORE_ON_NETWORK) where locks and syncs do not hold, wherever the home itself is."""
    kind = file_system(path.parent, mounts)
    if kind in NETWORK:
        raise Refusal(
            "STORE_ON_NETWORK",
            f"The store {path} is on a network file system ({kind}), where locks and syncs do not hold; "
            "choose a local folder, or PostgreSQL.",
        )


def _private_file(path: Path) -> None:
    """SQLite gives its WAL the mode of the database file, so that file is made private before SQLite sees it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refusal(
            "STORE_UNREACHABLE", f"The store {path} cannot be opened: {error.strerror}; check the folder."
        ) from None
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)


def _settle(connection: sqlite3.Connection, _record: object) -> None:
    # the module must not open transactions of its own: it would start them in front of some statements only
    connection.isolation_level = None
    execute = connection.execute
    execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    execute("PRAGMA locking_mode = EXCLUSIVE")
    execute("PRAGMA journal_mode = WAL")
    execute("PRAGMA synchronous = FULL")
    execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def make_room(path: Path) -> None:
    """Give the log the blocks that it will need: a sync of a file that grows waits twenty times as long.

    SQLite begins its log anew in the same file after each checkpoint, so that only the first orders after a start would
    wait for growth. What lies behind the last commit in a log is no commit: zeros have no valid checksum.
    """
    try:
        log = os.open(f"{path}-wal", os.O_WRONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(log).st_size
            if size < LOG_ROOM:
                os.pwrite(log, bytes(LOG_ROOM - size), size)
                os.fdatasync(log)
        finally:
            os.close(log)
    except OSError as error:
        logging.getLogger("optconsole.store").warning("no room was made for the log of %s: %s", path, error)


def prove(connection: sqlite3.Connection) -> bool:
    """Read the settings back and check the pages; False when those of what grows were left out.

    Raises JournalBroken: STORE_SETTINGS, or STORE_CORRUPT when SQLite finds damage.
    """
    wanted = {
        "locking_mode": "exclusive",
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": BUSY_MS,
    }
    for name, value in wanted.items():
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != value:
            raise JournalBroken(
                "STORE_SETTINGS",
                f"SQLite keeps {name} at {found!r} instead of {value!r}; the store cannot promise durability here. "
                "Put it on a local disk.",
            )
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    whole = bool(pages * size <= CHECKED_WHOLE)
    for check in ["PRAGMA quick_check(1)"] if whole else _small_tables(connection):
        verdict = connection.execute(check).fetchone()[0]
        if verdict != "ok":
            raise corrupt(verdict)
    return whole


def _small_tables(connection: sqlite3.Connection) -> list[str]:
    """SQLite's own look at the file where one at all of it would hold up a start: not at what grows.

    The rows that a start reads are proved by their hashes; all others, and the pages, are looked at behind it.
    """
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
    return [f'PRAGMA quick_check("{name}")' for name in sorted(found - {"event", *READ_TABLES})]


def corrupt(detail: str) -> JournalBroken:
    """The database file is damaged."""
    return JournalBroken(
        "STORE_CORRUPT", f"The store's file is damaged ({detail}); restore it from its last good copy."
    )
