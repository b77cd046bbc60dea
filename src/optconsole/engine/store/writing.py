"""One transaction of the journal, and in which words its failure is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import psycopg

from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.chain import StoredEvent
from optconsole.engine.store.database import Database, LeaseLost, first_line
from optconsole.engine.store.lease import fenced
from optconsole.engine.store.ledger import Draft, Rows
from optconsole.engine.store.statements import bound

FAILED: Final = "STORE_FAILED"
"""The one failure after which the store may take writes again."""


def last(drafts: Sequence[Draft]) -> tuple[int, str]:
    row = drafts[-1].events[-1]
    return row.seq, row.hash


def as_broken(error: BaseException) -> JournalBroken:
    return error if isinstance(error, JournalBroken) else untrusted(error)


def write_drafts(database: Database, drafts: list[Draft], epoch: int) -> None:
    """One transaction for all drafts: the rows of the journal, the read tables, the head.

    Raises the driver's error, or JournalBroken(FENCED) when ``epoch`` is not the newest any more.
    """
    events: list[StoredEvent] = []
    merged: Rows = {}
    for draft in drafts:
        events.extend(draft.events)
        for table, rows in draft.rows.items():
            merged.setdefault(table, {}).update(rows)
    head = events[-1]
    sql = database.sql
    try:
        database.write(
            [
                (sql.insert_event, events),
                *((sql.upserts[table], bound(table, rows.values())) for table, rows in merged.items()),
                (sql.set_head, [(head.seq, head.hash, epoch)]),
            ],
            fence=True,
        )
    except LeaseLost:
        database.rollback()
        raise fenced(int(database.fetch(sql.epoch)[0][0]), epoch) from None


def untrusted(error: BaseException) -> JournalBroken:
    """What a trader reads when a write failed."""
    detail = first_line(getattr(error, "orig", None) or error)
    if isinstance(error, sqlite3.IntegrityError | psycopg.errors.UniqueViolation):
        return JournalBroken("CONFLICT", f"Another program wrote to this journal ({detail}); restart the engine.")
    return JournalBroken(
        FAILED, f"The store could not write ({detail}); check the disk or the server. It is tried again and again."
    )


def unreadable(error: BaseException) -> JournalBroken:
    """What a trader reads when a query failed."""
    detail = first_line(getattr(error, "orig", None) or error)
    return JournalBroken("STORE_UNREADABLE", f"The store could not be read ({detail}); check the disk or the server.")
