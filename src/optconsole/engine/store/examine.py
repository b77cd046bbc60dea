"""A whole check of a store at rest: what is wrong with it, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store import emergency
from optconsole.engine.store.emergency import EmergencyLog
from optconsole.engine.store.journal import SqlJournal, open_journal
from optconsole.engine.store.memory import recall, went_back

RESTORE: Final = "Run `optconsole db restore FILE` with the last good copy; what is there now is kept aside."


@dataclass(slots=True)
class Finding:
    """One thing that is wrong. ``code`` is stable; ``advice`` says what to do."""

    code: str
    text: str
    advice: str


@dataclass(slots=True)
class Examination:
    """What a check found: nothing is wrong when ``findings`` is empty."""

    events: int = 0
    head_hash: str = ""
    waiting: int = 0
    """Facts in the emergency journal: the next start takes them in."""
    findings: list[Finding] = field(default_factory=list)

    def blame(self, code: str, text: str, advice: str = RESTORE) -> None:
        self.findings.append(Finding(code, text, advice))


async def examine(url: str, world: str, folder: Path) -> Examination:
    """Pages, chain, fold, checkpoint, read tables, and whether it went back. The caller holds the home's lock.

    Raises Refusal for what is no damage: ENGINE_RUNNING, BAD_STORE_URL, OTHER_WORLD, STORE_UNREACHABLE.
    """
    found = Examination()
    _emergency(folder, found)
    try:
        journal = await open_journal(url, world)
    except JournalBroken as broken:
        found.blame(broken.code, broken.text)
        return found
    except Refusal as refused:
        if refused.code != "SCHEMA_NEWER":
            raise
        found.blame(refused.code, refused.text, "Start the newer version of the program, or restore an older copy.")
        return found
    try:
        await _journal(journal, found)
        await _against_memory(journal, world, folder, found)
    except JournalBroken as broken:
        found.blame(broken.code, broken.text)
    finally:
        await journal.close()
    return found


async def _journal(journal: SqlJournal, found: Examination) -> None:
    verdict = await journal.verify()
    found.events, found.head_hash = verdict.events, verdict.head_hash
    if not verdict.ok:
        found.blame("CHAIN_BROKEN", verdict.text)
        return
    start = await journal.load()
    if not start.agrees:
        found.blame("REPLAY_DIFFERS", "Replaying the journal does not give the state that was live.")
    differences = await journal.compare_read_tables()
    if differences:
        found.blame(
            "READ_TABLES_DIFFER",
            f"{len(differences)} rows of the read tables differ from the journal, the first: {differences[0]}.",
        )


async def _against_memory(journal: SqlJournal, world: str, folder: Path, found: Examination) -> None:
    remembered = recall(folder, world)
    if remembered is None:
        return
    seq, _ = await journal.head()
    fault = went_back(remembered, seq, await journal.hash_at(remembered.head_seq))
    if fault is not None:
        found.blame(fault.code, fault.text)


def _emergency(folder: Path, found: Examination) -> None:
    path = folder / emergency.FILE
    if not path.exists():
        return
    try:
        log = EmergencyLog(path)
    except OSError as error:
        found.blame("EMERGENCY_LOG", f"The emergency journal cannot be read: {error}.", f"Move {path} away.")
        return
    found.waiting = sum(len(record) for record in log.records)
    log.close()
