"""The fold as it stood after some fact, so that a start reads only what came after.

A snapshot is never the truth. It is taken only where the live state and the journal's own fold agree, and believed only
when nothing in it changed, the code that reads it is the code that made it, and the chain still leads through it.
Whatever is wrong with one, the start folds from the first fact.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from optconsole import __version__
from optconsole.engine import state as folding
from optconsole.engine.state import digest
from optconsole.engine.store.chain import StoredEvent, link
from optconsole.engine.store.database import Database
from optconsole.engine.store.ledger import Kept, Ledger

SNAPSHOT_EVERY: Final = 25_000
"""Facts from one snapshot to the next: a fifth of a second of a start."""
_ENGINE: Final = Path(folding.__file__).parent
_DECODER: Final = msgspec.json.Decoder(Kept)


class Snapshot(msgspec.Struct, frozen=True):
    """What the ledger held after fact ``seq``, whose hash is ``head``; ``digest`` is that of the live state there."""

    seq: int
    head: str
    digest: str
    kept: Kept


def sources() -> list[Path]:
    """The files of the code that folds."""
    return [
        *(_ENGINE / name for name in ("state.py", "restraints.py", "automation.py", "composites.py")),
        *(file for folder in ("events", "folds", "model") for file in sorted((_ENGINE / folder).glob("*.py"))),
        *(_ENGINE / "store" / name for name in ("ledger.py", "projections.py", "codec.py")),
    ]


@cache
def form() -> str:
    """Names the code that folds: another version of it may fold the same facts to another state."""
    seen = hashlib.sha256(__version__.encode())
    for source in sources():
        seen.update(source.read_bytes())
    return seen.hexdigest()


def written(database: Database, taken: Snapshot) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """The statements that put ``taken`` in the place of the one before; none when it is not the live state."""
    if digest(taken.kept.state) != taken.digest:
        return []
    body = msgspec.json.encode(taken.kept).decode()
    row = (taken.seq, form(), taken.head, taken.digest, body)
    return [(database.sql.drop_snapshots, [()]), (database.sql.insert_snapshot, [(*row, _seal(row))])]


def resumed(database: Database, checkpoint: tuple[int, str] | None) -> Ledger | None:
    """A ledger that stands where the newest snapshot was taken; None when there is none to be believed."""
    found = database.fetch(database.sql.newest_snapshot)
    if not found:
        return None
    *row, seal = found[0]
    seq, made_by, head, live, body = row
    if made_by != form() or seal != _seal(tuple(row)) or not _on_the_chain(database, seq, head):
        return None
    if checkpoint is None or checkpoint[0] < seq:
        return None
    try:
        kept = _DECODER.decode(body)
    except msgspec.DecodeError:
        return None
    return Ledger(kept, head) if kept.state.seq == seq and digest(kept.state) == live else None


def _on_the_chain(database: Database, seq: int, head: str) -> bool:
    rows = [StoredEvent._make(row) for row in database.fetch(database.sql.events_after, (seq - 1, 1))]
    return bool(rows) and rows[0].seq == seq and rows[0].hash == head == link(rows[0])


def _seal(row: tuple[Any, ...]) -> str:
    """SHA-256 over the columns of a snapshot but this one."""
    return hashlib.sha256(msgspec.json.encode(row)).hexdigest()
