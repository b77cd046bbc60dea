"""What a start leaves out is looked at while the engine trades, and damage is an alarm."""

from __future__ import annotations

from pathlib import Path

import pytest

from optconsole.engine.store import behind, snapshots, sqlite
from optconsole.engine.store.journal import SqlJournal
from optconsole.runtime.keeping import entry_stops
from tests.engine.store.conftest import Place
from tests.engine.store.test_snapshots import told

LARGE = ("orders", "fills", "positions", "sqlite_autoindex_event_1", "sqlite_autoindex_orders_1")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "SNAPSHOT_EVERY", 100)
    monkeypatch.setattr(behind, "AT_ONCE", 50)
    monkeypatch.setattr(behind, "REST", 0)


async def again(place: Place) -> SqlJournal:
    """The store of 380 facts, the first 250 of them in a snapshot, opened by the next start."""
    await (await told(place, 380, kept_at=250)).close()
    return await place.open()


async def test_a_fact_from_before_the_snapshot_that_was_altered_is_found_behind_the_start(place: Place) -> None:
    journal = await again(place)
    await journal.close()
    place.tamper("UPDATE event SET actor = 'key:F9' WHERE seq = 123")
    journal = await place.open()
    assert (await journal.load()).resumed_at == 250, "the start itself does not read it"
    assert journal.left_out
    await journal.look_behind()
    assert journal.damage is not None
    assert journal.damage.code == "CHAIN_BROKEN"
    assert "123" in journal.damage.text
    assert [stop.code for stop in entry_stops(journal, Path("/")) if stop.code != "DISK_LOW"] == ["STORE_DAMAGED"]


async def test_a_sound_store_is_read_to_its_end_and_nothing_is_found(place: Place) -> None:
    journal = await again(place)
    await journal.load()
    walk, steps = behind.Behind(), 1
    while await journal._writer.call(walk.step):
        steps += 1
    assert walk._chain.seq == 380
    assert steps > 380 / 50 + (len(behind._KEYS) if place.on_sqlite else 0)
    await journal.look_behind()
    assert journal.damage is None
    assert [stop for stop in entry_stops(journal, Path("/")) if stop.code == "STORE_DAMAGED"] == []


@pytest.mark.parametrize("what", LARGE)
async def test_damage_in_a_file_too_large_to_check_at_the_start_is_found_behind_it(
    what: str, sqlite_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await again(sqlite_place)
    ((root,),) = await journal._writer.call(
        lambda store: store.fetch("SELECT rootpage FROM sqlite_master WHERE name = ?", (what,))
    )
    await journal.close()
    with (tmp_path / "journal.db").open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 64)
    monkeypatch.setattr(sqlite, "CHECKED_WHOLE", 0)
    journal = await sqlite_place.open()
    await journal.load()
    await journal.look_behind()
    assert journal.damage is not None
    assert journal.damage.code == "STORE_CORRUPT"


async def test_a_start_that_read_everything_leaves_nothing_out(place: Place) -> None:
    journal = await told(place, 380, kept_at=0)
    await journal.close()
    journal = await place.open()
    assert (await journal.load()).resumed_at == 0
    assert not journal.left_out
