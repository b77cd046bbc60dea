"""The lease: which engine may write. Each start takes the next epoch; whoever holds an older one writes no more.

The row in the store is asked by every commit itself. SQLite's exclusive mode keeps its index of the log in memory and
would not see another program's row where locks lie, so there a small file beside the database is looked at as well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.database import Database
from optconsole.engine.store.files import replace_file

FENCED: Final = "FENCED"


class Lease:
    """One engine's right to write to a store. ``epoch`` is 0 until ``take``."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._read: tuple[int, int, int] | None = None
        self.epoch = 0

    def take(self, database: Database) -> None:
        """Become the writer. Raises JournalBroken(FENCED) when another engine was quicker."""
        stored = int(database.fetch(database.sql.epoch)[0][0])
        epoch = max(stored, self._written()) + 1
        if database.change(database.sql.take_lease, (epoch, epoch)) != 1:
            raise fenced(epoch, epoch - 1)
        if self._file is not None:
            replace_file(self._file, f"{epoch}\n".encode())
        self.epoch = epoch

    def require(self, database: Database) -> None:
        """Raises JournalBroken(FENCED) when a newer engine has the store."""
        newest = max(int(database.fetch(database.sql.epoch)[0][0]), self._written())
        if newest > self.epoch:
            raise fenced(newest, self.epoch)

    def look(self) -> None:
        """The part of ``require`` that needs no database: cheap enough for every write."""
        seen = self._stamp()
        if seen is None or seen != self._read:
            newest = self._written()
            if newest > self.epoch:
                raise fenced(newest, self.epoch)
            self._read = seen

    def renew(self, database: Database) -> None:
        """Say that this engine lives. Raises JournalBroken(FENCED)."""
        self.look()
        if self._file is not None:
            return  # nobody waits for a sign of life from a local store: its locks go with the process
        if database.change(database.sql.renew_lease, (self.epoch,)) != 1:
            self.require(database)

    def _stamp(self) -> tuple[int, int, int] | None:
        """What differs once the file was written anew: each epoch comes as a new file under the old name."""
        if self._file is None:
            return None
        try:
            found = os.stat(self._file)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _written(self) -> int:
        if self._file is None:
            return 0
        try:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return 0  # never written, or a disk that fails: the row in the store decides
        try:
            text = os.read(descriptor, 32)
        except OSError:
            return 0
        finally:
            os.close(descriptor)
        return int(text) if text.strip().isdigit() else 0


def fenced(newest: int, ours: int) -> JournalBroken:
    """The refusal of a write by an engine whose time is over."""
    return JournalBroken(
        FENCED,
        f"Another engine has taken this store (epoch {newest}, ours is {ours}): "
        "this one writes and sends nothing more. Stop it and attach to the other.",
    )
