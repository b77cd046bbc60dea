"""S01, G6: the power goes at any moment. What was promised is there, what is there is whole."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass

from optconsole.engine.store import sqlite
from optconsole.engine.store.database import Database
from optconsole.engine.store.ledger import Ledger
from optconsole.engine.store.reading import chunk
from optconsole.engine.store.writing import write_drafts
from tests.engine.store.conftest import Place
from tests.engine.store.facts import Trader
from tests.store_faults.platter import VFS, Image, OnPlatter, Op, Platter, cuts

CUTS = int(os.environ.get("OPTCONSOLE_POWER_CUTS", "400"))
"""100000 for a release; a few hundred tell a wrong setting at once."""
OFTEN = "PRAGMA wal_autocheckpoint = 40"
"""The log is brought into the database every few appends, so that cuts fall into that too."""


@dataclass
class Recorded:
    """All that a run did to the disk, and the facts it appended."""

    base: Image
    log: list[Op]
    facts: list[object]


def record(base: Image, draw: random.Random, *extra: str, proven: bool = True, facts: int = 120) -> Recorded:
    """Append batches of facts as the writer does, and note each promise among the writes."""
    VFS.platter = platter = Platter(base)
    database, ledger, source = OnPlatter(OFTEN, *extra, proven=proven), Ledger(), Trader(draw.randint(0, 999)).facts()
    taken: list[object] = []
    while len(taken) < facts:
        drafts = []
        for _ in range(draw.choice((1, 1, 1, 2, 5))):
            batch = [next(source) for _ in range(draw.choice((1, 1, 3)))]
            taken += batch
            drafts.append(ledger.draft(batch))
        write_drafts(database, drafts, epoch=1)
        platter.note("ack", "", ledger.seq)
    log = list(platter.log)
    database.close()
    return Recorded(base, log, taken)


def judge(run: Recorded, acked: int, survivor: Image) -> str:
    """What is wrong with a disk after a cut; empty when the promise was kept."""
    VFS.platter = Platter(survivor)
    try:
        database: Database = OnPlatter()
    except Exception as broken:
        return f"it does not open: {broken}"
    try:
        ledger = Ledger()
        found = [ledger.restore(row) for row in chunk(database, 0, 10_000)]
        seq, head = database.fetch(database.sql.noted_head)[0]
        ledger.close_book((seq, head), None)
        if ledger.seq < acked:
            return f"{acked} were promised and {ledger.seq} are there"
        return "" if found == run.facts[: len(found)] else "other facts are there"
    except Exception as broken:
        return f"it is not whole: {broken}"
    finally:
        database.close()


def places(log: list[Op], wanted: int, draw: random.Random) -> set[int]:
    """Every sync, the moment before and after it, and random ones up to the number wanted."""
    syncs = [place for place, op in enumerate(log) if op.kind == "sync"]
    chosen = {place + step for place in syncs for step in (0, 1) if place + step < len(log)}
    chosen = set(draw.sample(sorted(chosen), min(len(chosen), wanted)))
    while len(chosen) < min(wanted, len(log)):
        chosen.add(draw.randrange(len(log)))
    return chosen


def test_no_power_cut_takes_back_a_promise(empty_store: Image) -> None:
    draw, made = random.Random(1), 0
    while made < CUTS:
        run = record(empty_store, draw)
        for place, acked, survivor in cuts(run.base, run.log, places(run.log, min(CUTS - made, 400), draw), draw):
            fault = judge(run, acked, survivor)
            assert not fault, f"after operation {place} of {len(run.log)}: {fault}"
            made += 1


def test_a_log_that_is_not_synced_at_every_commit_is_found_out(empty_store: Image) -> None:
    """Mutant M26: synchronous=NORMAL. It opens well and loses promises, so the suite must see it."""
    draw = random.Random(2)
    run = record(empty_store, draw, "PRAGMA synchronous = NORMAL", proven=False)
    faults = [judge(run, acked, left) for _, acked, left in cuts(run.base, run.log, places(run.log, 200, draw), draw)]
    assert any("were promised" in fault for fault in faults)


def test_a_second_cut_while_recovering_from_the_first_takes_nothing_either(empty_store: Image) -> None:
    """A start writes too: it brings the log into the database. The power may go then."""
    draw = random.Random(3)
    run = record(empty_store, draw, facts=60)
    for _, acked, survivor in cuts(run.base, run.log, places(run.log, 25, draw), draw):
        VFS.platter = platter = Platter(survivor)
        database = OnPlatter()
        database.settle()
        log = list(platter.log)
        database.close()
        for place, _, again in cuts(survivor, log, set(range(len(log))), draw):
            fault = judge(run, acked, again)
            assert not fault, f"after operation {place} of the recovery: {fault}"


async def test_the_store_runs_with_the_settings_that_are_tested_here(empty_store: Image, sqlite_place: Place) -> None:
    names = ("journal_mode", "synchronous", "locking_mode", "foreign_keys", "busy_timeout", "wal_autocheckpoint")
    VFS.platter = Platter(empty_store)
    tested = OnPlatter()
    here = [tested.fetch(f"PRAGMA {name}") for name in names]
    tested.close()
    journal = await sqlite_place.open()
    there = [await journal._writer.call(lambda database, name=name: database.fetch(f"PRAGMA {name}")) for name in names]
    assert here == there
    assert dict(zip(names, (rows[0][0] for rows in here), strict=True))["synchronous"] == 2
    assert here[4][0][0] == sqlite.BUSY_MS
