"""SQL for the driver, made from the tables: the same text on SQLite and PostgreSQL but for the placeholder."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Table

from optconsole.engine.store.chain import StoredEvent
from optconsole.engine.store.rows import Value
from optconsole.engine.store.tables import READ_TABLES, TABLES

_NOW: Final = {"?": "CAST(strftime('%s', 'now') AS INTEGER)", "%s": "extract(epoch from clock_timestamp())::bigint"}
"""The server's own clock in seconds: engines on two machines have two clocks."""


class Statements:
    """Insert and upsert texts for one placeholder style (``?`` or ``%s``)."""

    def __init__(self, placeholder: str) -> None:
        self._placeholder: Final = placeholder
        self.insert_event: Final = self._insert(TABLES["event"])
        # each commit carries the epoch: where a newer engine has taken the store, this changes no row
        self.set_head: Final = (
            f"UPDATE meta SET head_seq = {placeholder}, head_hash = {placeholder}, renewed_at = {_NOW[placeholder]} "  # noqa: S608 - no value in the text
            f"WHERE epoch = {placeholder}"
        )
        self.noted_head: Final = "SELECT head_seq, head_hash FROM meta"
        self.newest_event: Final = "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1"
        self.take_lease: Final = (
            f"UPDATE meta SET epoch = {placeholder}, renewed_at = {_NOW[placeholder]} WHERE epoch < {placeholder}"  # noqa: S608
        )
        self.renew_lease: Final = f"UPDATE meta SET renewed_at = {_NOW[placeholder]} WHERE epoch = {placeholder}"  # noqa: S608
        self.set_install: Final = f"UPDATE meta SET install_id = {placeholder}"  # noqa: S608
        self.delete_after: Final = tuple(  # the names are our own
            f"DELETE FROM {name} WHERE seq > {placeholder}"  # noqa: S608
            for name in ("event", "checkpoint")
        )
        self.epoch: Final = "SELECT epoch FROM meta"
        columns = ", ".join(StoredEvent._fields)
        self.events_after: Final = (
            f"SELECT {columns} FROM event WHERE seq > {placeholder} ORDER BY seq LIMIT {placeholder}"  # noqa: S608
        )
        self.facts_after: Final = (
            "SELECT seq, at_ist, actor, cause, payload FROM event "  # noqa: S608
            f"WHERE seq > {placeholder} ORDER BY seq LIMIT {placeholder}"
        )
        self.insert_snapshot: Final = self._insert(TABLES["snapshot"])
        self.drop_snapshots: Final = "DELETE FROM snapshot"
        kept = ", ".join(column.name for column in TABLES["snapshot"].columns)
        self.newest_snapshot: Final = f"SELECT {kept} FROM snapshot ORDER BY seq DESC LIMIT 1"  # noqa: S608
        self.upserts: Final = {name: self._upsert(TABLES[name]) for name in (*READ_TABLES, "checkpoint")}

    def _insert(self, table: Table) -> str:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        marks = ", ".join(self._placeholder for _ in table.columns)
        return f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - names are our own

    def _upsert(self, table: Table) -> str:
        keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
        rest = [column.name for column in table.columns if not column.primary_key]
        changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
        return f"{self._insert(table)} ON CONFLICT ({keys}) DO UPDATE SET {changes}"


def bound(table: str, rows: Iterable[dict[str, Value]]) -> list[tuple[Any, ...]]:
    """Rows as the driver takes them, in the order of the table's columns.

    A NUL character, which PostgreSQL's text cannot hold, becomes a replacement character on every database.
    """
    values = _values(table)
    return [tuple([storable(value) if type(value) is str else value for value in values(row)]) for row in rows]


@cache
def _values(table: str) -> itemgetter[tuple[Any, ...]]:
    """Takes a row's values in the order of the table's columns; every table has several."""
    return itemgetter(*(column.name for column in TABLES[table].columns))


def storable(value: Value) -> Value:
    """The value as every database can hold it."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value
