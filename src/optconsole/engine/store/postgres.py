"""PostgreSQL as this store needs it: one engine per world, each commit flushed before it is answered."""

from __future__ import annotations

import hashlib
import re
from typing import Final

import psycopg
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import StaticPool

from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken

LOCK_WAIT_MS: Final = 3000
"""A killed engine's session ends within moments; a starting one waits that long for it to go."""
LEASE_SECONDS: Final = 30
"""An engine that has given no sign of life for so long (by the server's clock) may be put out by another."""
_PLAIN: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


def schema_name(world: str) -> str:
    """The schema of a world: its own name where PostgreSQL allows it, else a readable part and a hash."""
    if _PLAIN.fullmatch(world) and not world.startswith("pg_"):
        return world
    readable = re.sub(r"[^a-z0-9]+", "_", world.lower()).strip("_")[:24]
    return f"world_{readable}_{hashlib.sha256(world.encode()).hexdigest()[:8]}"


def engine(url: URL) -> Engine:
    """An engine whose pool is a single connection."""
    # no reset when the connection is given back: on a lost one SQLAlchemy would log a traceback over the screen
    return create_engine(url, poolclass=StaticPool, pool_reset_on_return=None, connect_args={"connect_timeout": 5})


def take(connection: psycopg.Connection[tuple[object, ...]], world: str) -> None:
    """Make the connection this world's only writer.

    Raises Refusal(ENGINE_RUNNING) when another engine has the world, JournalBroken(STORE_SETTINGS) when the
    server would not keep what it acknowledges.
    """
    schema = schema_name(world)
    connection.execute("SET synchronous_commit TO on")
    connection.commit()
    _prove(connection)
    _lock(connection, world, schema)
    connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'.encode())
    connection.execute(f'SET search_path TO "{schema}"'.encode())
    connection.commit()


def _prove(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    for name, wanted in (("synchronous_commit", "on"), ("fsync", "on"), ("server_encoding", "UTF8")):
        row = connection.execute(f"SHOW {name}".encode()).fetchone()
        if row is None or row[0] != wanted:
            raise JournalBroken(
                "STORE_SETTINGS",
                f"PostgreSQL has {name} = {row[0] if row else 'unknown'}; the store needs {wanted}. Change the server.",
            )
    row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
    if row is None or row[0]:
        raise JournalBroken("STORE_SETTINGS", "This PostgreSQL server is a replica; give the writer's address.")
    connection.commit()


def _lock(connection: psycopg.Connection[tuple[object, ...]], world: str, schema: str) -> None:
    number = int.from_bytes(hashlib.sha256(f"optconsole/{schema}".encode()).digest()[:8], signed=True)
    for may_end_it in (True, False):
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}".encode())
        try:
            # held by the session, not the transaction: it goes when the connection does
            connection.execute("SELECT pg_advisory_lock(%s)", (number,))
        except psycopg.errors.LockNotAvailable:
            connection.rollback()
            if may_end_it and _lapsed(connection, schema):
                _end_holder(connection, number)
                continue
            raise Refusal(
                "ENGINE_RUNNING",
                f"Another engine has the world {world!r} of this database; stop it first, or attach to it.",
            ) from None
        connection.commit()
        return


def _lapsed(connection: psycopg.Connection[tuple[object, ...]], schema: str) -> bool:
    """Whether the engine that holds the lock has been silent for longer than a lease lasts."""
    asked = f'SELECT extract(epoch from clock_timestamp())::bigint - max(renewed_at) FROM "{schema}".meta'  # noqa: S608 - the name is our own
    try:
        row = connection.execute(asked.encode()).fetchone()
    except psycopg.errors.Error:
        return False  # no lease there yet: its holder is making the tables
    finally:
        connection.rollback()
    return row is not None and isinstance(row[0], int) and row[0] > LEASE_SECONDS


def _end_holder(connection: psycopg.Connection[tuple[object, ...]], number: int) -> None:
    """End the session of an engine whose lease has lapsed. Should it wake, its epoch is old and it writes no more."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted "
        "AND ((classid::bigint << 32) | objid::bigint) = %s",
        (number,),
    )
    connection.commit()


def set_aside(url: URL, world: str, stamp: str) -> str:
    """Rename a world's schema. Returns its new name, empty when there was none. Raises Refusal."""
    schema = schema_name(world)
    aside = f"{schema[:40]}_replaced_{stamp.replace('-', '_')}"
    with _admin(url) as connection:
        _lock(connection, world, schema)
        if not _exists(connection, schema):
            return ""
        connection.execute(f'ALTER SCHEMA "{schema}" RENAME TO "{aside}"'.encode())
    return aside


def put_back(url: URL, world: str, aside: str) -> None:
    """Undo ``set_aside`` and drop what was made since."""
    schema = schema_name(world)
    with _admin(url) as connection:
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'.encode())
        if aside:
            connection.execute(f'ALTER SCHEMA "{aside}" RENAME TO "{schema}"'.encode())


def _exists(connection: psycopg.Connection[tuple[object, ...]], schema: str) -> bool:
    found = connection.execute("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", (schema,))
    return found.fetchone() is not None


def _admin(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        return psycopg.connect(plain, connect_timeout=5)
    except psycopg.Error as error:
        detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Refusal("STORE_UNREACHABLE", f"The store cannot be reached: {detail}") from None
