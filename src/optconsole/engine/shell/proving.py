"""Whether the journal gives the state we hold: what a restart would know must be what we know (I-8)."""

from __future__ import annotations

from typing import Final

import msgspec

from optconsole.engine.model.book import TradingState
from optconsole.engine.ports import Journal
from optconsole.engine.queries import JournalVerdict
from optconsole.engine.state import apply, digest

PAGE: Final = 1_000
"""Facts folded at a time: a few milliseconds of the loop."""


async def prove(journal: Journal, live: TradingState) -> JournalVerdict:
    """Check the chain, then that a replay from the first fact gives ``live``. Raises JournalBroken."""
    verdict = await journal.verify()
    if not verdict.ok:
        return verdict
    replayed = TradingState()
    while replayed.seq < live.seq:
        page = await journal.read(after=replayed.seq, limit=PAGE)
        if not page:
            break
        for fact in page:
            if fact.seq <= live.seq:
                apply(replayed, fact)
    if digest(replayed) == digest(live):
        return verdict
    text = f"Replaying {replayed.seq} facts does not give the live state; stop the engine and start it again."
    return msgspec.structs.replace(verdict, ok=False, first_bad=replayed.seq, text=text)
