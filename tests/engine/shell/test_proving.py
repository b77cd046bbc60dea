"""X14: a journal that was written anew is whole in itself; only what was noted elsewhere shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec

from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.queries import Anchor, JournalVerdict
from optconsole.engine.shell.proving import prove
from optconsole.engine.state import apply
from optconsole.engine.store.journal import open_journal
from tests.engine.store.facts import Trader

FACTS = Trader(3).take(60)


async def journal_of(
    file: Path, facts: list[Recorded], anchors: tuple[Anchor, ...] = ()
) -> tuple[Anchor, JournalVerdict]:
    """The anchor of a journal of these facts, and what is said of it under others' anchors."""
    state = TradingState()
    for fact in facts:
        apply(state, fact)
    journal = await open_journal(f"sqlite:///{file}", "practice")
    try:
        await journal.append(facts)
        seq, head = await journal.head()
        return Anchor(seq=seq, hash=head), await prove(journal, state, anchors)
    finally:
        await journal.close()


def done(work: Coroutine[Any, Any, tuple[Anchor, JournalVerdict]]) -> tuple[Anchor, JournalVerdict]:
    return asyncio.run(work)


def test_a_chain_written_anew_is_named_by_the_anchor_and_by_nothing_else(tmp_path: Path) -> None:
    anchor, verdict = done(journal_of(tmp_path / "true.db", FACTS[:40]))
    assert verdict.ok
    forged = [*FACTS[:30], msgspec.structs.replace(FACTS[30], actor="somebody else"), *FACTS[31:]]
    _, alone = done(journal_of(tmp_path / "unanchored.db", forged))
    assert alone.ok
    _, found = done(journal_of(tmp_path / "forged.db", forged, (anchor,)))
    assert (found.ok, found.first_bad) == (False, 40)
    assert "written anew at or before that fact" in found.text


def test_a_journal_that_went_on_leads_through_its_anchors_and_one_cut_short_does_not(tmp_path: Path) -> None:
    early, _ = done(journal_of(tmp_path / "a.db", FACTS[:20]))
    late, _ = done(journal_of(tmp_path / "b.db", FACTS[:50]))
    assert done(journal_of(tmp_path / "c.db", FACTS, (late, early)))[1].ok
    _, short = done(journal_of(tmp_path / "d.db", FACTS[:30], (late, early)))
    assert (short.ok, short.first_bad) == (False, 50)
    assert "ends before fact 50" in short.text
