from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from optconsole.engine import events as ev
from optconsole.engine import publisher as publishing
from optconsole.engine.events import Recorded
from optconsole.engine.publisher import Publisher
from optconsole.engine.store.journal import SqlJournal, open_journal
from tests.engine.facts import START


@pytest.fixture
async def journal(tmp_path: Path) -> SqlJournal:
    opened = await open_journal(f"sqlite:///{tmp_path / 'journal.db'}", "practice")
    await opened.load()
    return opened


def notices(first: int, last: int) -> list[Recorded]:
    return [
        Recorded(
            seq=seq,
            at=START,
            actor="test",
            cause="",
            event=ev.NoticeRaised(level="info", code="TEST", text=str(seq)),
        )
        for seq in range(first, last + 1)
    ]


async def take(publisher: Publisher, after: int, count: int) -> list[int]:
    seen: list[int] = []
    async with asyncio.timeout(10):
        async for fact in publisher.follow(after):
            seen.append(fact.seq)
            if len(seen) == count:
                break
    return seen


async def test_a_follower_gets_every_fact_once_in_order_stored_then_live(journal: SqlJournal) -> None:
    publisher = Publisher(journal)
    stored = notices(1, 5)
    await journal.append(stored)
    publisher.start_at(5)
    following = asyncio.create_task(take(publisher, 0, 8))
    await asyncio.sleep(0)
    live = notices(6, 8)
    await journal.append(live)
    publisher.publish(live)
    assert await following == list(range(1, 9))
    await journal.close()


async def test_a_follower_that_fell_far_behind_reads_the_journal(
    journal: SqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "KEPT", 10)
    publisher = Publisher(journal)
    for start in range(1, 101, 10):
        facts = notices(start, start + 9)
        await journal.append(facts)
        publisher.publish(facts)
    assert await take(publisher, 0, 100) == list(range(1, 101))
    await journal.close()


async def test_a_fact_is_shown_only_once_it_is_applied(journal: SqlJournal) -> None:
    publisher = Publisher(journal)
    facts = notices(1, 3)
    await journal.append(facts)
    following = asyncio.create_task(take(publisher, 0, 3))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not following.done()
    publisher.publish(facts)
    assert await following == [1, 2, 3]
    await journal.close()
