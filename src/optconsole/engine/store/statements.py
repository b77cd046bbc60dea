"""SQL for the driver, made from the tables: the same text on SQLite and PostgreSQL but for the placeholder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Table

from optconsole.engine.store.chain import StoredEvent
from optconsole.engine.store.rows import Value
from optconsole.engine.store.tables import READ_TABLES, TABLES


class Statements:
    """Insert and upsert texts for one placeholder style (``?`` or ``%s``)."""

    def __init__(self, placeholder: str) -> None:
        self._placeholder: Final = placeholder
        self.insert_event: Final = self._insert(TABLES["event"])
        self.set_head: Final = f"UPDATE meta SET head_seq = {placeholder}, head_hash = {placeholder}"  # noqa: S608 - no value in the text
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
    names = [column.name for column in TABLES[table].columns]
    return [tuple(storable(row[name]) for name in names) for row in rows]


def storable(value: Value) -> Value:
    """The value as every database can hold it."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value
