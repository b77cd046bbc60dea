"""S11, S12: the server dies, the wire is cut at COMMIT, an older base is put in its place. On a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.orders import RiskClass
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.journal import SqlJournal, open_journal
from optconsole.engine.store.memory import Remembered, remember
from optconsole.runtime.places import practice
from optconsole.runtime.recovery import recover
from tests.engine.store.faults import Book, intended, opening
from tests.store_faults.server import Server, Wire

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        made = Server()
    except Exception as error:
        pytest.skip(f"no PostgreSQL server can be started here: {error}")
    yield made
    made.close()


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    made = Wire(server)
    yield made
    made.close()


async def trading(url: str, world: str, folder: Path) -> tuple[SqlJournal, Book]:
    journal, book = await open_journal(url, world, emergency=folder), Book()
    await journal.load()
    await journal.append(book.facts(*opening()))
    return journal, book


async def stored(journal: SqlJournal) -> list[object]:
    return [fact async for batch in journal.replay() for fact in batch]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_commit_of_unknown_outcome_is_proven_before_anybody_is_told(
    server: Server, wire: Wire, tmp_path: Path, when: str
) -> None:
    journal, book = await trading(wire.url, f"cut_{when}", tmp_path)
    facts = await stored(journal)
    for _ in range(3):
        entry = book.facts(intended(f"E{book.seq}", RiskClass.INCREASE))
        wire.cut = when
        await journal.append(entry)
        facts += entry
    assert wire.cuts == 3
    assert journal.down is None
    assert await stored(journal) == facts
    assert (await journal.verify()).ok
    assert await journal.compare_read_tables() == []
    await journal.close()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_entry_whose_commit_cannot_be_proven_is_refused_and_never_there(
    server: Server, wire: Wire, tmp_path: Path, when: str
) -> None:
    journal, book = await trading(wire.url, f"gone_{when}", tmp_path)
    facts = await stored(journal)
    wire.cut, wire.then = when, "stay"
    with pytest.raises(JournalBroken) as refused:
        await journal.append(Book(book.seq).facts(intended("E9", RiskClass.INCREASE)))
    assert refused.value.code == "STORE_DOWN"
    exits = book.facts(intended("X9", RiskClass.REDUCE), ev.OrderSent(order_id="X9", attempt=0))
    await journal.append(exits)
    assert not await journal.revive()
    wire.cut = wire.then = ""
    assert await journal.revive()
    assert await stored(journal) == facts + exits
    assert (await journal.verify()).ok
    assert await journal.compare_read_tables() == []
    await journal.close()


async def test_a_server_that_dies_under_load_loses_no_promise(server: Server, tmp_path: Path) -> None:
    journal, book = await trading(server.url, "stopped", tmp_path)
    facts = await stored(journal)
    dying = asyncio.get_running_loop().run_in_executor(None, server.stop)
    while journal.down is None:
        exits = book.facts(intended(f"X{book.seq}", RiskClass.REDUCE))
        await journal.append(exits)
        facts += exits
    await dying
    with pytest.raises(JournalBroken) as refused:
        await journal.append(Book(book.seq).facts(intended("E9", RiskClass.INCREASE)))
    assert refused.value.code == "STORE_DOWN"
    for _ in range(5):
        exits = book.facts(intended(f"X{book.seq}", RiskClass.REDUCE))
        await journal.append(exits)
        facts += exits
    await asyncio.to_thread(server.start)
    assert await journal.revive()
    assert await stored(journal) == facts
    await journal.append(book.facts(intended("E9", RiskClass.INCREASE)))
    assert (await journal.verify()).ok
    assert await journal.compare_read_tables() == []
    await journal.close()


async def test_an_older_base_put_in_place_is_found_out_running_and_at_the_next_start(
    server: Server, tmp_path: Path
) -> None:
    place = practice(tmp_path, 1, 1, server.url)
    journal, book = await trading(place.url, place.world, place.folder)
    await journal.close()
    await asyncio.to_thread(server.stop, "fast")
    await asyncio.to_thread(server.copy_base, tmp_path / "base")
    await asyncio.to_thread(server.start)

    journal = await open_journal(place.url, place.world, emergency=place.folder)
    await journal.load()
    await journal.append(book.facts(intended("E1", RiskClass.INCREASE)))
    seq, head = await journal.head()
    remember(place.folder, Remembered(world=place.world, installs=(journal.install_id,), head_seq=seq, head_hash=head))
    await asyncio.to_thread(server.stop, "immediate")
    await asyncio.to_thread(server.restore_base, tmp_path / "base")
    await asyncio.to_thread(server.start)

    # the engine that runs: nothing new, and its exits are on record beside the store
    with pytest.raises(JournalBroken) as refused:
        await journal.append(Book(book.seq).facts(intended("E2", RiskClass.INCREASE)))
    assert refused.value.code == "STORE_DOWN"
    assert journal.down is not None
    assert journal.down.code == "STORE_CHANGED"
    await journal.append(book.facts(intended("X1", RiskClass.REDUCE)))
    await journal.close()

    # the next start: guards only
    again = await recover(place, lambda: datetime(2025, 8, 29, 12, tzinfo=IST))
    await again.journal.close()
    assert "[EMERGENCY_DIFFERS]" in again.guard_only or "[STORE_WENT_BACK]" in again.guard_only
    assert again.state.seq == 0
