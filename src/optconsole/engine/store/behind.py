"""What a start left out is looked at behind it, a few hundred rows at a time, between two commits.

A start from a snapshot reads the facts after it only, and a large file is not checked page by page. Here the chain is
walked from the first fact, which reads every page that holds one, and then the read tables and the journal's index are
read in the order of their keys, which reads theirs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from optconsole.engine.clock import Clock
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.audit import Inspection
from optconsole.engine.store.chain import BEFORE_FIRST
from optconsole.engine.store.database import Database, first_line
from optconsole.engine.store.reading import chunk
from optconsole.engine.store.sqlite import corrupt
from optconsole.engine.store.tables import READ_TABLES, TABLES
from optconsole.engine.store.writer import CLOSED, Writer

AT_ONCE: Final = 500
"""Rows between two commits: one or two milliseconds, which an order that comes just then waits."""
REST: Final = 0.05
"""Seconds between two looks: a million facts take two minutes."""
DAMAGE: Final = frozenset({"CHAIN_BROKEN", "STORE_CORRUPT"})
_KEYS: Final = {
    "event": ("stream", "version"),
    **{name: tuple(column.name for column in TABLES[name].primary_key) for name in READ_TABLES},
}


async def looked(writer: Writer, clock: Clock) -> JournalBroken | None:
    """Walk the whole store, resting between two looks. What is wrong with it; None when nothing is, or it is closed."""
    walk, more = Behind(), True
    while more:
        try:
            more = await writer.call(walk.step)
        except JournalBroken as broken:
            if broken.code in DAMAGE:
                return broken
            if broken.code == CLOSED:
                return None
            # a store that cannot be reached has an alarm of its own, and is looked at once it is back
        await clock.sleep(REST)
    return None


class Behind:
    """A walk over the whole store that other work may interrupt."""

    def __init__(self) -> None:
        self._chain = Inspection()
        self._pages: Iterator[None] | None = None

    def step(self, database: Database) -> bool:
        """Look at the next rows. False at the end. Raises JournalBroken: CHAIN_BROKEN, STORE_CORRUPT."""
        try:
            if self._pages is None and self._links(database):
                return True
            if not database.on_file:
                return False  # a server checks its own pages
            if self._pages is None:
                self._pages = _pages(database)
            return next(self._pages, self) is None
        except sqlite3.DatabaseError as error:
            raise corrupt(first_line(error)) from error

    def _links(self, database: Database) -> bool:
        rows = chunk(database, self._chain.seq or BEFORE_FIRST, AT_ONCE)
        self._chain.take(rows)
        verdict = self._chain.verdict
        if verdict is not None:
            raise JournalBroken("CHAIN_BROKEN", f"{verdict.text} Restore the store from its last good copy.")
        return bool(rows)


def _pages(database: Database) -> Iterator[None]:
    for name, keys in _KEYS.items():
        order, marks = ", ".join(f'"{key}"' for key in keys), ", ".join("?" * len(keys))
        wanted = order if name == "event" else f"{order}, *"  # of the journal the index only: its rows are seen already
        after: tuple[Any, ...] = ()
        while True:
            where = f"WHERE ({order}) > ({marks})" if after else ""
            rows = database.fetch(f'SELECT {wanted} FROM "{name}" {where} ORDER BY {order} LIMIT {AT_ONCE}', after)  # noqa: S608 - names are our own
            yield
            if len(rows) < AT_ONCE:
                break
            after = rows[-1][: len(keys)]
