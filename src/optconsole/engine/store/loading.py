"""Folding a journal, chunk by chunk, with every check on the way."""

from __future__ import annotations

from typing import Final

import msgspec

from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.state import digest
from optconsole.engine.store import reading, snapshots
from optconsole.engine.store.chain import BEFORE_FIRST
from optconsole.engine.store.codec import decode
from optconsole.engine.store.database import Database
from optconsole.engine.store.ledger import Ledger

LOAD_CHUNK: Final = 5000
"""Facts folded between two reports of progress."""
FETCHED: Final = 500
"""Rows read at a time: more of them would not stay in the processor's cache until they are folded."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal holds at a start.

    ``checkpoint`` is the newest saved number and digest, ``replayed`` the digest of the fold at that number: they are
    equal when replay gives the state that was live. A digest that other code made is empty: it cannot be compared.
    ``resumed_at`` is the fact whose snapshot the fold began with, 0 when it began with the first fact.
    """

    state: TradingState
    checkpoint: tuple[int, str] | None
    replayed: str | None
    resumed_at: int = 0

    @property
    def agrees(self) -> bool:
        """True when replay gives the state that was live, or none was saved by the code that replays."""
        return self.checkpoint is None or self.checkpoint[1] in ("", self.replayed)


class Load:
    """A fold of the journal from its snapshot or its first fact, chunk by chunk.

    It notes the digest where the checkpoint was taken.
    """

    def __init__(self, database: Database) -> None:
        self.checkpoint = reading.last_checkpoint(database)
        self.replayed: str | None = None
        resumed = snapshots.resumed(database, self.checkpoint)
        self.ledger = resumed or Ledger()
        self.resumed_at = self.ledger.seq
        self._after = self.resumed_at if resumed else BEFORE_FIRST
        if self.checkpoint is not None and self.checkpoint[0] == self.resumed_at:
            self.replayed = digest(self.ledger.state)

    def step(self, database: Database) -> bool:
        """Fold one chunk. False at the end, which is checked too."""
        restore, marked = self.ledger.restore, self.checkpoint[0] if self.checkpoint else None
        for _ in range(LOAD_CHUNK // FETCHED):
            rows = reading.chunk(database, self._after, FETCHED)
            for row in rows:
                restore(row)
                if row.seq == marked:
                    self.replayed = digest(self.ledger.state)
            if not rows:
                break
            self._after = rows[-1].seq
        else:
            return True
        self.ledger.close_book(reading.noted_head(database), self.checkpoint)
        return False


def decoded(database: Database, after: int, limit: int) -> list[Recorded]:
    rows = database.fetch(database.sql.facts_after, (after, limit))
    return [decode(*row) for row in rows]
