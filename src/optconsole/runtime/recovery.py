"""Opens a world's book: its own store when it is whole, else a fresh journal beside it on which only guards act."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.emergency import FILE as EMERGENCY_FILE
from optconsole.engine.store.journal import SqlJournal, open_journal
from optconsole.engine.store.memory import Remembered, recall, remember, went_back
from optconsole.runtime.places import PRACTICE, Place

ANYWAY: Final = frozenset({"SCHEMA_NEWER"})
"""Refusals that mean damage to a store, as far as trading on it goes."""
IF_KNOWN: Final = frozenset({"STORE_UNREACHABLE", "STORE_SETTINGS", "NO_EMERGENCY_LOG", "SQLITE_TOO_OLD"})
"""Faults that stop a first start, since there is nothing to guard, and no later one."""
NOT_DAMAGE: Final = frozenset({"FENCED"})

SIDE: Final = "journal-guard-"


@dataclass(frozen=True, slots=True)
class Recovered:
    """A journal to run on. ``guard_only`` is why only guards may act, empty when the store is whole.

    ``from_broker``: the book is to be taken from the broker; ``killed``: the kill switch was latched in a journal
    that is not this one.
    """

    journal: SqlJournal
    state: TradingState
    memory: Remembered
    guard_only: str
    from_broker: bool
    killed: bool


async def recover(place: Place, now: Callable[[], datetime]) -> Recovered:
    """The world's book, proven. Raises Refusal or JournalBroken for what is not damage, such as a store in use."""
    known = recall(place.folder, place.world)
    try:
        journal, state = await _proven(place.url, place, known)
    except JournalBroken as broken:
        if broken.code in NOT_DAMAGE or (broken.code in IF_KNOWN and known is None):
            raise
        return await _guarding(place, known, broken.code, broken.text, now())
    except Refusal as refused:
        if refused.code not in ANYWAY and (refused.code not in IF_KNOWN or known is None):
            raise
        return await _guarding(place, known, refused.code, refused.text, now())
    known = known or Remembered(world=place.world)
    sides = _sides(place.folder)
    killed = (known.restored or bool(sides)) and known.killed and not state.killed
    memory = known.knowing(journal.install_id)
    from_broker = known.restored or bool(sides)
    await asyncio.to_thread(_end_sides, sides)
    return Recovered(journal, state, memory, "", from_broker, killed)


async def _proven(url: str, place: Place, known: Remembered | None) -> tuple[SqlJournal, TradingState]:
    """Open, fold, and hold against the checkpoint and against what is remembered. Raises JournalBroken."""
    journal = await open_journal(url, place.world, emergency=place.folder)
    try:
        start = await journal.load()
        if not start.agrees:
            raise JournalBroken("REPLAY_DIFFERS", "Replaying the journal does not give the state that was live.")
        if known is not None:
            there = await journal.hash_at(known.head_seq)
            fault = went_back(known, start.state.seq, there)
            if fault is not None:
                raise fault
    except BaseException:
        await journal.close()
        raise
    return journal, start.state


async def _guarding(place: Place, known: Remembered | None, code: str, text: str, now: datetime) -> Recovered:
    """Run beside a damaged store, which is left as it is, until a good copy is in its place."""
    memory = known or Remembered(world=place.world)
    journal, state = await _side_journal(place, now)
    memory = memory.knowing(journal.install_id)
    await asyncio.to_thread(remember, place.folder, memory)
    option = "" if place.world == PRACTICE else f" --world {place.label}"
    why = (
        f"{text} [{code}] The store is left as it is and the book is the broker's. Stop the engine and run "
        f"`optconsole db restore FILE{option}` with the last good copy; "
        f"`optconsole db check{option}` says what is wrong."
    )
    return Recovered(journal, state, memory, why, True, memory.killed and not state.killed)


async def _side_journal(place: Place, now: datetime) -> tuple[SqlJournal, TradingState]:
    """The newest side journal that is whole, so that a second start goes on with it; else a new one."""
    taken = _sides(place.folder)
    for file in reversed(taken):
        with contextlib.suppress(JournalBroken, Refusal):
            beside = _beside(place, file)
            return await _proven(beside.url, beside, None)
    file, again = place.folder / f"{SIDE}{now:%Y%m%d-%H%M%S}.db", 1
    while file in taken:
        again += 1
        file = place.folder / f"{SIDE}{now:%Y%m%d-%H%M%S}-{again}.db"
    beside = _beside(place, file)
    await asyncio.to_thread(_set_aside, beside.folder / EMERGENCY_FILE, f"{now:%Y%m%d-%H%M%S}")
    return await _proven(beside.url, beside, None)


def _beside(place: Place, file: Path) -> Place:
    """Its emergency journal must not mix with that of the store, which waits for its own."""
    folder = place.folder / "guard"
    folder.mkdir(exist_ok=True)
    return Place(place.world, folder, f"sqlite:///{file}")


def _set_aside(file: Path, stamp: str) -> None:
    """What an earlier side journal left: it cannot go on from a new one."""
    if file.exists():
        os.rename(file, file.with_name(f"{file.name}.replaced-{stamp}"))


def _sides(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{SIDE}*.db"))


def _end_sides(files: list[Path]) -> None:
    """A whole store has taken over: side journals keep their facts under a name that no start goes on with."""
    for file in files:
        os.rename(file, file.with_name(f"ended-{file.name}"))
