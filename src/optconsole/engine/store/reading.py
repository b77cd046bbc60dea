"""Queries over the store: pages of the journal, its head, and the rows of the read tables."""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import Connection, select
from sqlmodel import col, or_

from optconsole.engine.events import Recorded
from optconsole.engine.store import snapshots
from optconsole.engine.store.chain import StoredEvent
from optconsole.engine.store.codec import decode
from optconsole.engine.store.database import Database
from optconsole.engine.store.ledger import Rows
from optconsole.engine.store.rows import Value
from optconsole.engine.store.tables import READ_TABLES, TABLES, CheckpointRow, EventRow, MetaRow

_as_stored: Final = partial(tuple.__new__, StoredEvent)
"""A row of as many columns, by its SELECT; ``StoredEvent._make`` would count them for each."""


def page(
    database: Database, after: int, limit: int, stream: str | None, text: str | None, last: bool
) -> list[Recorded]:
    """Facts with a number above ``after`` in order; with ``last`` the newest ``limit`` of them."""
    event = EventRow
    query = select(col(event.seq), col(event.at_ist), col(event.actor), col(event.cause), col(event.payload)).where(
        col(event.seq) > after
    )
    if stream is not None:
        query = query.where(col(event.stream) == stream)
    if text:
        searched = (event.payload, event.type, event.stream, event.actor, event.cause)
        query = query.where(or_(*(col(where).icontains(text, autoescape=True) for where in searched)))
    query = query.order_by(col(event.seq).desc() if last else col(event.seq)).limit(limit)
    with database.connection.begin():
        rows = database.connection.execute(query).all()
    facts = [decode(*row) for row in rows]
    return facts[::-1] if last else facts


def chunk(database: Database, after: int, limit: int) -> list[StoredEvent]:
    """The next rows of the journal as they are stored."""
    return list(map(_as_stored, database.fetch(database.sql.events_after, (after, limit))))


def hash_at(database: Database, seq: int) -> str | None:
    """Chain hash of fact ``seq``; None when there is none."""
    rows = chunk(database, seq - 1, 1)
    return rows[0].hash if rows and rows[0].seq == seq else None


def head(database: Database) -> tuple[int, str]:
    """Number and hash of the newest row; (0, '') in an empty journal."""
    query = select(col(EventRow.seq), col(EventRow.hash)).order_by(col(EventRow.seq).desc()).limit(1)
    with database.connection.begin():
        row = database.connection.execute(query).one_or_none()
    return (0, "") if row is None else (row[0], row[1])


def noted_head(database: Database) -> tuple[int, str]:
    """Number and hash of the newest fact as the last commit noted them."""
    with database.connection.begin():
        row = database.connection.execute(select(col(MetaRow.head_seq), col(MetaRow.head_hash))).one()
    return row[0], row[1]


def last_checkpoint(database: Database) -> tuple[int, str] | None:
    """Number and digest of the newest checkpoint; the digest is empty where other code than this made it.

    A version with one more field folds the same facts to another digest: that says nothing against the journal.
    """
    kept = CheckpointRow
    query = select(col(kept.seq), col(kept.digest), col(kept.form)).order_by(col(kept.seq).desc())
    with database.connection.begin():
        row = database.connection.execute(query.limit(1)).one_or_none()
    if row is None:
        return None
    return row[0], row[1] if row[2] == snapshots.form() else ""


def read_rows(connection: Connection) -> Rows:
    """Everything in the read tables."""
    found: Rows = {}
    with connection.begin():
        for name in READ_TABLES:
            table = TABLES[name]
            keys = [column.name for column in table.primary_key]
            rows: dict[tuple[Value, ...], dict[str, Value]] = {}
            for mapping in connection.execute(select(table)).mappings():
                rows[tuple(mapping[key] for key in keys)] = dict(mapping)
            found[name] = rows
    return found
