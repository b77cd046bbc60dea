"""What a running house keeps an eye on for the store: room on the disk, and what to remember outside of it."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path
from typing import Final

import msgspec

from optconsole.engine.core import Engine
from optconsole.engine.ports import JournalBroken
from optconsole.engine.queries import Check
from optconsole.engine.rules.pretrade import REFUSE
from optconsole.engine.store.degraded import store_down
from optconsole.engine.store.journal import SqlJournal
from optconsole.engine.store.memory import Remembered, recall, remember
from optconsole.runtime.recovery import Recovered

LEAST_FREE: Final = 1 << 30
LEAST_SHARE: Final = 0.05
"""Below either, nothing new is begun: what is begun must be written down to its end (reliability S04)."""
_GIGABYTE: Final = 1 << 30


def entry_stops(journal: SqlJournal, home: Path) -> tuple[Check, ...]:
    """What forbids new risk on this store and this disk now."""
    found: list[Check] = []
    if journal.down is not None:
        refused = store_down(journal.down)
        found.append(Check(code=refused.code, severity=REFUSE, text=refused.text))
    if journal.damage is not None:
        text = f"{journal.damage.text} Until then only orders that reduce a position may leave."
        found.append(Check(code="STORE_DAMAGED", severity=REFUSE, text=text))
    low = disk_low(home)
    if low:
        found.append(Check(code="DISK_LOW", severity=REFUSE, text=low))
    return tuple(found)


def disk_low(home: Path) -> str:
    """Why the disk of the home is too full to begin anything; empty when it is not."""
    try:
        usage = shutil.disk_usage(home)
    except OSError as error:
        return f"The disk of {home} cannot be looked at ({error.strerror}); only exits may leave."
    if usage.free >= LEAST_FREE and usage.free >= usage.total * LEAST_SHARE:
        return ""
    needed = max(LEAST_FREE, int(usage.total * LEAST_SHARE))
    return (
        f"The disk of {home} has {usage.free / _GIGABYTE:.1f} GB free and {needed / _GIGABYTE:.1f} GB are needed: "
        "only orders that reduce a position may leave. Free some space."
    )


class KeptMemory:
    """The memory of the store outside of it, written when something in it changed."""

    def __init__(self, folder: Path, remembered: Remembered, guarding: bool) -> None:
        self._folder = folder
        self._remembered = remembered
        self._guarding = guarding

    @classmethod
    async def begin(cls, folder: Path, book: Recovered) -> KeptMemory:
        """Remember the store's name before any order carries it."""
        kept = cls(
            folder, recall(folder, book.memory.world) or Remembered(world=book.memory.world), bool(book.guard_only)
        )
        await kept.write(book.memory)
        return kept

    @property
    def killed(self) -> bool:
        """Whether the kill switch was latched when it was last written."""
        return self._remembered.killed

    async def note(self, engine: Engine, journal: SqlJournal) -> None:
        """Write down the store's head and the kill switch.

        A side journal's head says nothing of the store it stands in for.
        """
        changes: dict[str, object] = {"killed": engine.state.killed}
        if not self._guarding:
            changes["restored"] = False
            if journal.down is None and engine.broken is None:
                try:
                    changes["head_seq"], changes["head_hash"] = await journal.head()
                except JournalBroken:
                    changes.pop("head_seq", None)
        after = msgspec.structs.replace(self._remembered, **changes)
        await self.write(after)

    async def write(self, after: Remembered) -> None:
        """Write it where it differs. A disk that does not take it is the store's own alarm, and no reason to stop."""
        if after == self._remembered:
            return
        try:
            await asyncio.to_thread(remember, self._folder, after)
            self._remembered = after
        except OSError as error:
            logging.getLogger("optconsole.runtime").warning("the store's memory was not written: %s", error)
