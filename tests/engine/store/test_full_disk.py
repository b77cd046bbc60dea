"""A disk that takes no more: the append is refused, trust ends, and what was promised before is whole."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.engine.store.conftest import ENVIRONMENT, Place
from tests.engine.store.facts import Trader

FILL = """
import asyncio, resource, sys
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.journal import open_journal
from tests.engine.store.facts import Trader

async def main():
    journal = await open_journal(sys.argv[1], "practice")
    await journal.load()
    # the log beside the database may not outgrow this: writes beyond it fail as they do on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
    facts, promised, codes, batch = Trader(5).facts(), 0, [], []
    while len(codes) < 3:
        batch = batch or [next(facts) for _ in range(50)]
        try:
            await journal.append(batch)
            assert not codes, "an append after a failed one was taken"
            promised, batch = batch[-1].seq, []
        except JournalBroken as broken:
            codes.append(broken.code)
    await journal.close()
    print(promised, *codes)

asyncio.run(main())
"""


@pytest.fixture
def filled(sqlite_place: Place) -> list[str]:
    """What a process reports that appended until its disk was full: the last number promised, then the refusals."""
    command = [sys.executable, "-c", FILL, sqlite_place.url]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.slow
async def test_a_full_disk_breaks_the_journal_and_half_applies_nothing(filled: list[str], sqlite_place: Place) -> None:
    promised, *codes = filled
    assert int(promised) > 0
    assert codes == ["STORE_FAILED"] * 3

    journal = await sqlite_place.open()
    head, _ = await journal.head()
    assert head == int(promised)
    assert (await journal.verify()).ok
    assert await journal.compare_read_tables() == []
    facts = Trader(5).take(head + 50)
    await journal.append(facts[head:])
    assert (await journal.head())[0] == head + 50
