"""Copies of a journal: made row by row while the engine runs, from either database, into one SQLite file.

SQLite's own backup needs a connection to the store, and there is one only; PostgreSQL has none. Rows read between two
commits serve both: each is checked, decoded and folded on its way, and the copy can be opened as a store at once.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken
from optconsole.engine.queries import JournalCopied
from optconsole.engine.store.chain import BEFORE_FIRST
from optconsole.engine.store.files import sync_file, sync_folder
from optconsole.engine.store.ledger import Ledger

if TYPE_CHECKING:
    from optconsole.engine.store.journal import SqlJournal

CHUNK: Final = 500
"""Rows between which appends may go first."""


async def back_up(journal: SqlJournal, target: Path) -> JournalCopied:
    """Copy ``journal`` as it is now into the new file ``target`` and read it back.

    Raises Refusal: FILE_EXISTS, NOT_WRITABLE, STORE_DOWN, COPY_BAD; JournalBroken when the journal itself is broken.
    """
    if journal.down is not None:
        raise Refusal("STORE_DOWN", "The store takes no writes now and part of the journal waits; back up afterwards.")
    draft = target.with_name(target.name + ".part")
    try:
        await asyncio.to_thread(_prepare, draft, target)
        wanted = await journal.head()
        await _fill(journal, draft, wanted[0])
        copied = await read_back(draft, journal.identity.world, target)
        if (copied.events, copied.head_hash) != wanted:
            raise Refusal("COPY_BAD", f"The copy ends at fact {copied.events} and not at {wanted[0]}; try again.")
        await asyncio.to_thread(_publish, draft, target)
    except FileExistsError:
        raise Refusal("FILE_EXISTS", f"{target} exists; choose another name.") from None
    except OSError as error:
        raise Refusal("NOT_WRITABLE", f"{target} cannot be written: {error.strerror}.") from None
    finally:
        await asyncio.to_thread(discard, draft)
    return copied


def _prepare(draft: Path, target: Path) -> None:
    if target.exists():
        raise FileExistsError
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    discard(draft)


def _publish(draft: Path, target: Path) -> None:
    """The name appears once the file is whole and on the disk, and never over another."""
    sync_file(draft)
    os.link(draft, target)
    sync_folder(target.parent)


async def _fill(journal: SqlJournal, draft: Path, upto: int) -> None:
    from optconsole.engine.store.journal import open_journal

    copy = await open_journal(f"sqlite:///{draft}", journal.identity.world, install_id=journal.install_id)
    try:
        await pour(journal, copy, upto)
        checkpoint = await journal.last_checkpoint()
        if checkpoint is not None and checkpoint[0] <= upto:
            await copy.save_checkpoint(*checkpoint)
    finally:
        await copy.close()


async def pour(source: SqlJournal, target: SqlJournal, upto: int) -> None:
    """Bring the rows of ``source`` up to number ``upto`` into the empty journal ``target``. Raises JournalBroken."""
    ledger, after = Ledger(), BEFORE_FIRST
    while rows := [row for row in await source.rows(after, CHUNK) if row.seq <= upto]:
        await target.adopt(rows, ledger)
        after = rows[-1].seq


async def read_back(draft: Path, world: str, name: Path) -> JournalCopied:
    """Open a copy as a start would: pages, chain, fold, checkpoint. Raises Refusal(COPY_BAD)."""
    from optconsole.engine.store.journal import open_journal

    try:
        copy = await open_journal(f"sqlite:///{draft}", world)
        try:
            start = await copy.load()
            if not start.agrees:
                raise JournalBroken("REPLAY_DIFFERS", "replaying it does not give the state that was live.")
            seq, head = await copy.head()
        finally:
            await copy.close()
    except (JournalBroken, Refusal) as broken:
        raise Refusal("COPY_BAD", f"The copy {name} cannot be trusted: {broken.text}") from broken
    return JournalCopied(file=str(name), events=seq, head_hash=head)


def discard(draft: Path) -> None:
    """Remove what is left of a copy that was begun."""
    for ending in ("", "-wal", "-shm", ".lease"):
        Path(f"{draft}{ending}").unlink(missing_ok=True)
