"""A process that holds a store and appends one fact for each line it is given; it says what became of each.

``entry`` adds risk, ``exit`` does not. With ``--no-locks`` it opens the store as on a file system whose locks lie.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

from optconsole.engine import events as ev
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import RiskClass
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.journal import open_journal
from tests.engine.store.faults import Book, intended, opening


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def without_locks() -> None:
    """Let every connection of this process take its locks for granted."""
    connect = sqlite3.dbapi2.connect

    def unlocked(path: str, *arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(f"file:{path}?vfs=unix-none", *arguments, **{**options, "uri": True})

    sqlite3.dbapi2.connect = unlocked  # type: ignore[assignment]


async def hold(url: str, world: str, folder: Path) -> None:
    try:
        journal = await open_journal(url, world, emergency=folder)
        start = await journal.load()
    except (Refusal, JournalBroken) as refused:
        say(refused.code)
        return
    book = Book(start.state.seq)
    if not start.state.seq:
        await journal.append(book.facts(*opening()))
    say(f"open {journal.epoch}")
    loop = asyncio.get_running_loop()
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        risk = RiskClass.INCREASE if line == "entry" else RiskClass.REDUCE
        before = book.seq
        facts = book.facts(intended(f"N{before}-{os.getpid()}", risk))
        try:
            await journal.append(facts)
            say(f"stored {book.seq}" if journal.down is None else f"aside {book.seq}")
        except JournalBroken as broken:
            book.seq = before
            say(broken.code)
    await journal.append(book.facts(ev.EngineStopped(reason="asked")))
    await journal.close()


if __name__ == "__main__":
    if "--no-locks" in sys.argv:
        without_locks()
    asyncio.run(hold(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
