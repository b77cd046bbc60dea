"""S04, S05: while the store takes nothing, exits are on record, entries are refused, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.orders import RiskClass
from optconsole.engine.ports import JournalBroken
from optconsole.engine.state import digest
from optconsole.engine.store import emergency
from optconsole.engine.store.database import Database
from optconsole.engine.store.emergency import EmergencyLog
from optconsole.engine.store.journal import SqlJournal, open_journal
from optconsole.engine.store.restore import restore
from tests.engine.store.faults import Book, full_disk, intended, opening, padding, terms


class StillClock:
    """Time stands: the test itself says when the store is tried again."""

    def now(self) -> object:
        from tests.engine.store.faults import NOON

        return NOON

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, _seconds: float) -> None:
        await asyncio.Event().wait()


Started = tuple[SqlJournal, Book]


async def start(folder: Path) -> SqlJournal:
    url = f"sqlite:///{folder / 'journal.db'}"
    return await open_journal(url, "practice", StillClock(), emergency=folder)  # type: ignore[arg-type]


@pytest.fixture
async def trading(tmp_path: Path) -> AsyncIterator[Started]:
    journal, book = await start(tmp_path), Book()
    await journal.load()
    await journal.append(book.facts(*opening(), *padding(150)))
    yield journal, book
    await journal.close()


async def stored(journal: SqlJournal) -> list[object]:
    return [fact async for batch in journal.replay() for fact in batch]


async def refused(journal: SqlJournal, book: Book, *events: ev.AnyEvent) -> str:
    before = book.seq
    with pytest.raises(JournalBroken) as broken:
        await journal.append(book.facts(*events))
    book.seq = before
    assert broken.value.passing
    return broken.value.code


async def test_a_full_disk_takes_exits_and_refuses_entries(trading: Started, tmp_path: Path) -> None:
    journal, book = trading
    before = await stored(journal)
    with full_disk():
        exits = book.facts(intended("O3", RiskClass.REDUCE), ev.OrderSent(order_id="O3", attempt=0))
        await journal.append(exits)
        assert journal.down is not None
        for entry in (
            intended("O4", RiskClass.INCREASE),
            ev.OrderChangeAsked(order_id="O1", terms=terms(qty=150)),
            ev.KillReleased(),
        ):
            assert await refused(journal, book, entry) == "STORE_DOWN"
        more = book.facts(
            ev.KillEngaged(why="disk"),
            ev.OrderChangeAsked(order_id="O2", terms=terms(qty=150)),
            ev.OrderCancelAsked(order_id="O1", why="kill"),
            ev.OrderCancelled(order_id="O1"),
            ev.OrderDoubted(order_id="O3", cause="late"),
            ev.CommandRefused(command="PlaceOrder", code="STORE_DOWN", reason="r"),
        )
        for fact in more:
            await journal.append([fact])
        assert not await journal.revive()
        # consoles read them though the store does not have them
        assert await journal.read(after=exits[0].seq - 1) == exits + more
        assert await journal.read(stream="order:O3", limit=1, last=True) == [more[-2]]
        assert await journal.read(text="disk", limit=9) == [more[0]]
    assert await journal.revive()
    assert journal.down is None
    assert await stored(journal) == before + exits + more
    assert await journal.compare_read_tables() == []
    assert (await journal.verify()).ok
    await journal.append(book.facts(intended("O4", RiskClass.INCREASE)))
    log = EmergencyLog(tmp_path / emergency.FILE)
    assert log.records == []
    log.close()


@pytest.mark.parametrize("merged", [False, True], ids=["not in the store", "in the store, not emptied"])
async def test_what_a_killed_engine_left_there_is_in_the_store_before_anything_else(
    trading: Started, tmp_path: Path, merged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, book = trading
    before = await stored(journal)
    with full_disk():
        exits = book.facts(ev.KillEngaged(why="disk"), ev.OrderCancelAsked(order_id="O1"))
        for fact in exits:
            await journal.append([fact])
    if merged:
        # the machine dies after the store took the records and before the file is emptied
        monkeypatch.setattr(EmergencyLog, "reset", lambda self: (_ for _ in ()).throw(OSError("gone")))
        assert not await journal.revive()
        monkeypatch.undo()
    await journal.close()

    again = await start(tmp_path)
    found = await again.load()
    assert found.state.killed
    assert found.state.seq == exits[-1].seq
    assert await stored(again) == before + exits
    assert await again.compare_read_tables() == []
    await again.append(book.facts(ev.KillReleased()))
    await again.close()
    last = await start(tmp_path)
    assert not (await last.load()).state.killed
    await last.close()


async def test_an_entry_that_was_refused_and_is_in_the_store_after_all_is_taken_out(
    trading: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write that failed had reached the disk. Nobody was promised it; exits were written down in its place."""
    journal, book = trading
    before = await stored(journal)
    for dies in (False, True):
        write, struck = Database.write, []

        def late(
            self: Database, work: object, *, fence: bool = False, write: Any = write, struck: Any = struck
        ) -> None:
            if not struck:
                struck.append(1)
                write(self, work, fence=fence)
            raise sqlite3.OperationalError("disk I/O error")

        monkeypatch.setattr(Database, "write", late)
        monkeypatch.setattr(Database, "settle", lambda _self: (_ for _ in ()).throw(OSError("no answer")))
        name = f"O{book.seq}"
        assert await refused(journal, book, intended(name, RiskClass.INCREASE)) == "STORE_DOWN"
        exits = book.facts(
            ev.OrderCancelAsked(order_id="O1"), ev.OrderCancelRefused(order_id="O1", code="x", reason="")
        )
        await journal.append(exits)
        monkeypatch.undo()
        if dies:
            await journal.close()
            journal = await start(tmp_path)
            assert name not in (await journal.load()).state.orders
        else:
            assert await journal.revive()
        before += exits
        assert await stored(journal) == before
        assert await journal.compare_read_tables() == []
        assert (await journal.verify()).ok
    await journal.close()


async def test_records_of_another_journal_are_never_mixed_in(trading: Started, tmp_path: Path) -> None:
    journal, book = trading
    with full_disk():
        await journal.append(book.facts(ev.KillEngaged(why="disk")))
    await journal.close()
    os.unlink(tmp_path / "journal.db")
    other = await open_journal(f"sqlite:///{tmp_path / 'journal.db'}", "practice")
    await other.load()
    await other.append(Book().facts(*opening()))
    await other.close()
    again = await start(tmp_path)
    with pytest.raises(JournalBroken) as broken:
        await again.load()
    assert broken.value.code == "EMERGENCY_DIFFERS"
    await again.close()


async def test_a_restore_puts_the_records_of_the_replaced_store_aside(trading: Started, tmp_path: Path) -> None:
    journal, book = trading
    await journal.backup(str(tmp_path / "copy.db"))
    with full_disk():
        await journal.append(book.facts(ev.KillEngaged(why="disk")))
    await journal.close()
    await restore(tmp_path / "copy.db", f"sqlite:///{tmp_path / 'journal.db'}", "practice", tmp_path, "now")
    again = await start(tmp_path)
    assert (await again.load()).state.seq == book.seq - 1
    await again.close()
    assert "emergency.log.replaced-now" in os.listdir(tmp_path)


async def test_a_write_that_failed_once_is_proven_and_done(trading: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """S05: one I/O error. The connection is given up, the head read anew, and the append is there exactly once."""
    journal, book = trading
    write, failed = Database.write, []

    for stored_first in (False, True):

        def once(self: Database, work: object, *, fence: bool = False, done: bool = stored_first) -> None:
            if not failed:
                failed.append(1)
                if done:
                    write(self, work, fence=fence)  # type: ignore[arg-type]
                raise sqlite3.OperationalError("disk I/O error")
            write(self, work, fence=fence)  # type: ignore[arg-type]

        failed.clear()
        monkeypatch.setattr(Database, "write", once)
        await journal.append(book.facts(intended(f"O{book.seq}", RiskClass.INCREASE)))
        assert failed
        assert journal.down is None
    assert (await journal.head())[0] == book.seq
    assert (await journal.verify()).ok


async def test_a_store_that_changed_underneath_takes_nothing_more(trading: Started, tmp_path: Path) -> None:
    """The head a new connection shows is neither the one that was left nor the one that was written."""
    closed, book = trading
    file = tmp_path / "journal.db"
    await closed.close()
    shutil.copy(file, tmp_path / "older.db")
    journal = await start(tmp_path)
    await journal.load()
    await journal.append(book.facts(*padding(150)))
    await journal.append(book.facts(ev.OrderCancelAsked(order_id="O1")))
    with full_disk():
        os.rename(file, tmp_path / "away.db")
        os.rename(tmp_path / "journal.db-wal", tmp_path / "away.db-wal")
        os.rename(tmp_path / "older.db", file)
        await journal.append(book.facts(ev.KillEngaged(why="x")))
    assert journal.down is not None
    assert await journal.revive()
    assert journal.down is not None
    assert journal.down.code == "STORE_CHANGED"
    assert await refused(journal, book, intended("O9", RiskClass.INCREASE)) == "STORE_DOWN"
    await journal.append(book.facts(ev.OrderCancelled(order_id="O1")))
    await journal.close()


async def test_when_even_the_emergency_journal_fails_the_fact_is_refused_and_may_come_again(trading: Started) -> None:
    journal, book = trading
    with full_disk(limit=4096):
        assert await refused(journal, book, ev.KillEngaged(why="x")) == "STORE_LOST"
        assert await refused(journal, book, ev.KillEngaged(why="x")) == "STORE_LOST"
    await journal.append(book.facts(ev.KillEngaged(why="x")))
    assert await journal.revive()
    assert (await journal.head())[0] == book.seq


async def test_the_ledger_is_taken_back_to_what_is_stored(trading: Started, tmp_path: Path) -> None:
    """A refused append leaves no trace in what the next one is chained to."""
    journal, book = trading
    with full_disk():
        assert await refused(journal, book, intended("O7", RiskClass.INCREASE)) == "STORE_DOWN"
        await journal.append(book.facts(intended("O7", RiskClass.REDUCE)))
    assert await journal.revive()
    live = journal._appends._ledger
    assert live is not None
    expected = digest(live.state)
    await journal.close()
    again = await start(tmp_path)
    assert digest((await again.load()).state) == expected
    assert (await again.verify()).ok
    await again.close()
