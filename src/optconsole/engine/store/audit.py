"""Checks of what is stored: the chain against itself, the read tables against the journal."""

from __future__ import annotations

from optconsole.engine.ports import JournalBroken
from optconsole.engine.queries import JournalVerdict
from optconsole.engine.store.chain import BEFORE_FIRST, Chain, StoredEvent
from optconsole.engine.store.codec import decode
from optconsole.engine.store.database import Database
from optconsole.engine.store.ledger import Ledger, Rows
from optconsole.engine.store.reading import chunk
from optconsole.engine.store.statements import bound, storable
from optconsole.engine.store.tables import READ_TABLES

CHUNK = 2000
"""Rows read at a time: some milliseconds, since appends wait that long behind a check."""


class Inspection:
    """A walk over the whole journal that stops at the first row that is wrong."""

    def __init__(self) -> None:
        self._chain = Chain()
        self._after = BEFORE_FIRST
        self.verdict: JournalVerdict | None = None

    @property
    def seq(self) -> int:
        """The last row found good."""
        return self._chain.seq

    def take(self, rows: list[StoredEvent]) -> None:
        """Check the next rows in order."""
        for row in rows:
            fault = self._chain.fault(row)
            if fault is not None:
                return self.blame(self._chain.place(row), fault)
            try:
                decode(row.seq, row.at_ist, row.actor, row.cause, row.payload)
            except JournalBroken as broken:
                return self.blame(row.seq, broken.text)
            self._after = row.seq
        return None

    def step(self, database: Database) -> bool:
        """Read and check one chunk. False when there is nothing left to read, or something was found."""
        rows = chunk(database, self._after, CHUNK)
        self.take(rows)
        return bool(rows) and self.verdict is None

    def finish(self, noted: tuple[int, str], checkpoint: tuple[int, str] | None) -> JournalVerdict:
        """The verdict. ``noted`` is the head as committed: rows cut off or added at the end differ from it."""
        fault = self._chain.end_fault(noted, checkpoint)
        if self.verdict is None and fault is not None:
            self.blame(*fault)
        return self.verdict or JournalVerdict(
            ok=True,
            events=self.seq,
            head_hash=self._chain.head,
            first_bad=None,
            text=f"All {self.seq} events are as they were written.",
        )

    def blame(self, seq: int, fault: str) -> None:
        """Name the first bad row."""
        self.verdict = JournalVerdict(
            ok=False,
            events=self.seq,
            head_hash=self._chain.head,
            first_bad=seq,
            text=f"The journal is not what was written: {fault}.",
        )


def folded(database: Database, upto: int | None = None) -> Rows:
    """The read tables as the journal alone, up to fact ``upto`` or the last, says they must be."""
    ledger, rows, after = Ledger(), Rows(), BEFORE_FIRST
    while stored := [row for row in chunk(database, after, CHUNK) if upto is None or row.seq <= upto]:
        for row in stored:
            ledger.changed(ledger.restore(row), rows)
        after = stored[-1].seq
    return rows


def rebuild(database: Database) -> None:
    """Write the read tables anew from the journal, in one transaction."""
    database.write(_anew(database, folded(database)))


def drop_tail(database: Database, seq: int, head: str, epoch: int) -> None:
    """Take out what was written after fact ``seq``, whose hash is ``head``, and was never promised to anybody."""
    sql = database.sql
    database.write(
        [
            *_anew(database, folded(database, seq)),
            (sql.drop_snapshots, [()]),
            *((text, [(seq,)]) for text in sql.delete_after),
            (sql.set_head, [(seq, head, epoch)]),
        ],
        fence=True,
    )


def _anew(database: Database, rows: Rows) -> list[tuple[str, list[tuple[object, ...]]]]:
    return [
        *((f'DELETE FROM "{name}"', [()]) for name in READ_TABLES),  # noqa: S608 - names are our own
        *((database.sql.upserts[name], bound(name, table.values())) for name, table in rows.items()),
    ]


def differences(stored: Rows, expected: Rows) -> list[str]:
    """Where the read tables do not say what the journal says, one sentence a row."""
    found: list[str] = []
    for name in READ_TABLES:
        have, want = stored.get(name, {}), expected.get(name, {})
        for key in sorted(have.keys() | want.keys(), key=str):
            label = f"{name} {'/'.join(map(str, key))}"
            if key not in have:
                found.append(f"{label} is missing")
            elif key not in want:
                found.append(f"{label} is not in the journal")
            else:
                found.extend(
                    f"{label}: {column} is {have[key][column]!r}, the journal says {value!r}"
                    for column, value in ((column, storable(value)) for column, value in want[key].items())
                    if have[key][column] != value
                )
    return found
