"""Puts a copy in the place of a store. What was there is kept aside under a dated name, whatever state it is in."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from optconsole.engine.clock import fresh_id
from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store import emergency, postgres
from optconsole.engine.store.backup import discard, pour, read_back
from optconsole.engine.store.database import store_url
from optconsole.engine.store.files import sync_file, sync_folder
from optconsole.engine.store.journal import open_journal
from optconsole.engine.store.memory import Remembered, recall, remember


@dataclass(frozen=True, slots=True)
class Restored:
    """What is in place now, and where what was there before is kept (empty when nothing was)."""

    events: int
    head_hash: str
    kept: str


async def restore(source: Path, url: str, world: str, folder: Path, stamp: str) -> Restored:
    """Make the copy ``source`` the store of ``world``. The caller holds the home's lock.

    The store gets a new name, so that no tag of an order sent since the copy was made is given out again.
    Raises Refusal: COPY_BAD, NO_SUCH_FILE, NOT_WRITABLE, ENGINE_RUNNING; nothing is changed then.
    """
    draft = folder / "restore.part"
    try:
        discard(draft)
        _copied(source, draft)
        copied = await read_back(draft, world, source)
        before = await _renamed(draft, world)
        target = store_url(url)
        if target.get_backend_name() == "sqlite":
            kept = _swap(draft, Path(target.database or ""), stamp)
        else:
            kept = await _swap_schema(draft, url, world, stamp, copied.events)
        _forget_emergency(folder, stamp)
    except OSError as error:
        raise Refusal("NOT_WRITABLE", f"The store of {world} cannot be replaced: {error.strerror}.") from None
    finally:
        discard(draft)
    known = (recall(folder, world) or Remembered(world=world)).knowing(*before)
    remember(
        folder,
        Remembered(
            world=world,
            installs=known.installs,
            head_seq=copied.events,
            head_hash=copied.head_hash,
            killed=known.killed,
            restored=True,
        ),
    )
    return Restored(copied.events, copied.head_hash, kept)


def _copied(source: Path, draft: Path) -> None:
    if not source.is_file():
        raise Refusal("NO_SUCH_FILE", f"{source} is not a file; `optconsole db backup` makes one.")
    shutil.copyfile(source, draft)
    log = Path(f"{source}-wal")
    if log.is_file():
        # a store that was copied by hand: what its log holds belongs to it
        shutil.copyfile(log, f"{draft}-wal")


async def _renamed(draft: Path, world: str) -> tuple[str, str]:
    """Give the copy a name of its own; the names it had and has."""
    copy = await open_journal(f"sqlite:///{draft}", world)
    fresh = fresh_id()
    try:
        await copy.rename(fresh)
    finally:
        await copy.close()
    return copy.install_id, fresh


def _swap(draft: Path, file: Path, stamp: str) -> str:
    sync_file(draft)
    kept = ""
    aside = file.with_name(f"{file.name}.replaced-{stamp}")
    for ending in ("", "-wal", "-shm"):
        there = Path(f"{file}{ending}")
        if there.exists():
            os.rename(there, f"{aside}{ending}")
            kept = str(aside)
    os.rename(draft, file)
    sync_folder(file.parent)
    return kept


async def _swap_schema(draft: Path, url: str, world: str, stamp: str, events: int) -> str:
    aside = postgres.set_aside(store_url(url), world, stamp)
    copy = await open_journal(f"sqlite:///{draft}", world)
    try:
        target = await open_journal(url, world, install_id=copy.install_id)
        try:
            await pour(copy, target, events)
            checkpoint = await copy.last_checkpoint()
            if checkpoint is not None:
                await target.save_checkpoint(*checkpoint)
            if await target.head() != await copy.head():
                raise Refusal("COPY_BAD", f"The store of {world} did not take the whole copy; it is as it was before.")
        finally:
            await target.close()
    except (Refusal, JournalBroken):
        postgres.put_back(store_url(url), world, aside)
        raise
    finally:
        await copy.close()
    return aside


def _forget_emergency(folder: Path, stamp: str) -> None:
    """Its records go on from the store that was replaced; the broker's book tells what they told."""
    path = folder / emergency.FILE
    if path.exists():
        os.rename(path, path.with_name(f"{path.name}.replaced-{stamp}"))
        sync_folder(folder)
