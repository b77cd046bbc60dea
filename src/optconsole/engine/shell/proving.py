"""Whether the journal gives the state we hold: what a restart would know must be what we know (I-8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from optconsole.engine.model.book import TradingState
from optconsole.engine.ports import Journal
from optconsole.engine.queries import Anchor, JournalVerdict
from optconsole.engine.state import apply, digest

PAGE: Final = 1_000
"""Facts folded at a time: a few milliseconds of the loop."""


async def prove(journal: Journal, live: TradingState, anchors: Sequence[Anchor] = ()) -> JournalVerdict:
    """Check the chain, the anchors, then that a replay from the first fact gives ``live``. Raises JournalBroken."""
    verdict = await journal.verify()
    if not verdict.ok:
        return verdict
    for anchor in sorted(anchors, key=lambda each: each.seq):
        there = await journal.hash_at(anchor.seq)
        if there != anchor.hash:
            return msgspec.structs.replace(verdict, ok=False, first_bad=anchor.seq, text=_missed(anchor, there))
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


def _missed(anchor: Anchor, there: str | None) -> str:
    """A chain that is whole and leads elsewhere was written anew, or is another store's (reliability X14)."""
    if there is None:
        return f"The journal ends before fact {anchor.seq}, which was anchored: its newest facts are gone."
    return (
        f"The journal is not the one that was anchored: fact {anchor.seq} has the hash {there[:16]} and had "
        f"{anchor.hash[:16]}; it was written anew at or before that fact, or is another store's."
    )
