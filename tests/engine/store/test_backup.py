"""S08: a backup is a copy that was read back, made while appends go on; a restore never loses what was there."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from optconsole.engine.model.errors import Refusal
from optconsole.engine.store.examine import examine
from optconsole.engine.store.journal import SqlJournal, open_journal
from optconsole.engine.store.memory import Remembered, recall, remember
from optconsole.engine.store.restore import restore
from optconsole.engine.store.snapshots import form
from tests.engine.store.conftest import Place
from tests.engine.store.facts import Trader


async def stored(journal: SqlJournal) -> list[object]:
    return [fact async for batch in journal.replay() for fact in batch]


async def filled(place: Place, count: int) -> SqlJournal:
    journal = await place.open()
    await journal.append(Trader(3).take(count))
    return journal


async def test_a_backup_made_between_appends_is_a_store_of_its_own(place: Place, tmp_path: Path) -> None:
    journal = await filled(place, 1200)
    facts = Trader(3).take(1600)

    async def trade() -> None:
        for fact in facts[1200:]:
            await journal.append([fact])

    copied, _ = await asyncio.gather(journal.backup(str(tmp_path / "copies" / "a.db")), trade())
    assert copied.events >= 1200
    assert (await journal.head())[0] == 1600
    assert os.listdir(tmp_path / "copies") == ["a.db"]
    copy = await open_journal(f"sqlite:///{copied.file}", place.world)
    assert await copy.head() == (copied.events, copied.head_hash)
    assert await stored(copy) == facts[: copied.events]
    assert await copy.compare_read_tables() == []
    assert copy.install_id == journal.install_id
    await copy.close()


async def test_a_backup_never_replaces_a_file_and_leaves_no_half_one(sqlite_place: Place, tmp_path: Path) -> None:
    journal = await filled(sqlite_place, 20)
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(Refusal) as refused:
        await journal.backup(str(target))
    assert refused.value.code == "FILE_EXISTS"
    assert target.read_text() == "precious"
    with pytest.raises(Refusal) as refused:
        await journal.backup("/proc/nowhere/copy.db")
    assert refused.value.code == "NOT_WRITABLE"
    assert [name for name in os.listdir(tmp_path) if name.startswith("copy")] == ["copy.db"]


async def test_a_restore_puts_the_copy_in_place_and_keeps_what_was_there(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "world"
    folder.mkdir()
    journal = await filled(place, 300)
    copied = await journal.backup(str(tmp_path / "copy.db"))
    await journal.append(Trader(3).take(330)[300:])
    name = journal.install_id
    remember(folder, Remembered(world=place.world, installs=(name,), head_seq=330, head_hash="x", killed=True))
    await place.close_all()

    done = await restore(tmp_path / "copy.db", place.url, place.world, folder, "20250829-101500")
    assert (done.events, done.head_hash) == (300, copied.head_hash)
    assert "20250829" in done.kept.replace("_", "")
    journal = await place.open()
    start = await journal.load()
    assert start.state.seq == 300
    assert await journal.compare_read_tables() == []
    # tags of orders sent after the copy was made must never be given out again
    assert journal.install_id != name
    known = recall(folder, place.world)
    assert known is not None
    assert known.restored
    assert known.killed
    assert {name, journal.install_id} <= set(known.installs)
    assert known.head_seq == 300
    if place.on_sqlite:
        kept = await open_journal(f"sqlite:///{done.kept}", place.world)
        assert (await kept.head())[0] == 330
        await kept.close()
    await place.close_all()


@pytest.mark.parametrize("damage", ["page", "short", "chain", "tail", "text"])
async def test_a_copy_that_is_not_whole_is_refused_and_nothing_changes(
    sqlite_place: Place, tmp_path: Path, damage: str
) -> None:
    journal = await filled(sqlite_place, 400)
    await journal.backup(str(tmp_path / "copy.db"))
    before = await journal.head()
    await sqlite_place.close_all()
    copy = tmp_path / "copy.db"
    image = bytearray(copy.read_bytes())
    match damage:
        case "page":
            image[9 * 4096 : 9 * 4096 + 200] = b"\xff" * 200
        case "short":
            del image[len(image) // 2 :]
        case "text":
            image = bytearray(b"not a database at all, but long enough to look like one" * 100)
        case _:
            wrong = (
                "UPDATE event SET actor = 'me' WHERE seq = 7"
                if damage == "chain"
                else "DELETE FROM event WHERE seq > 9"
            )
            Place(f"sqlite:///{copy}", "practice").tamper(wrong)
            image = bytearray(copy.read_bytes())
    copy.write_bytes(image)
    with pytest.raises(Refusal) as refused:
        await restore(copy, sqlite_place.url, "practice", tmp_path, "stamp")
    assert refused.value.code == "COPY_BAD"
    assert str(copy) in refused.value.text
    assert copy.read_bytes() == bytes(image)
    journal = await sqlite_place.open()
    assert await journal.head() == before
    assert not [name for name in os.listdir(tmp_path) if "replaced" in name]


async def test_the_copy_of_another_world_is_refused(sqlite_place: Place, tmp_path: Path) -> None:
    journal = await filled(sqlite_place, 10)
    await journal.backup(str(tmp_path / "copy.db"))
    await sqlite_place.close_all()
    with pytest.raises(Refusal) as refused:
        await restore(tmp_path / "copy.db", sqlite_place.url, "live", tmp_path, "stamp")
    assert refused.value.code == "COPY_BAD"
    assert "'practice'" in refused.value.text


@pytest.mark.slow
async def test_a_restore_of_a_store_somebody_has_open_is_refused(postgres_url: str, tmp_path: Path) -> None:
    place = Place(postgres_url, "held")
    journal = await filled(place, 10)
    await journal.backup(str(tmp_path / "copy.db"))
    with pytest.raises(Refusal) as refused:
        await restore(tmp_path / "copy.db", place.url, place.world, tmp_path, "stamp")
    assert refused.value.code == "ENGINE_RUNNING"
    assert (await journal.head())[0] == 10
    await place.close_all()


async def test_a_check_finds_nothing_in_a_whole_store_and_counts_it(place: Place, tmp_path: Path) -> None:
    journal = await filled(place, 60)
    head = await journal.head()
    await place.close_all()
    found = await examine(place.url, place.world, tmp_path)
    assert (found.events, found.head_hash) == head
    assert found.findings == []


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE event SET actor = 'me' WHERE seq = 23", "CHAIN_BROKEN"),
        ("UPDATE orders SET qty = 1 WHERE id = 'O1'", "READ_TABLES_DIFFER"),
        (f"INSERT INTO checkpoint (seq, digest, form) VALUES (60, 'not the digest', '{form()}')", "REPLAY_DIFFERS"),
        ("UPDATE alembic_version SET version_num = '9999'", "SCHEMA_NEWER"),
    ],
)
async def test_a_check_names_what_is_wrong_and_what_to_do(
    sqlite_place: Place, tmp_path: Path, statement: str, code: str
) -> None:
    await filled(sqlite_place, 60)
    await sqlite_place.close_all()
    sqlite_place.tamper(statement)
    found = await examine(sqlite_place.url, "practice", tmp_path)
    assert [finding.code for finding in found.findings] == [code]
    assert "restore" in found.findings[0].advice


async def test_a_store_that_ends_before_what_was_remembered_is_named(sqlite_place: Place, tmp_path: Path) -> None:
    await filled(sqlite_place, 60)
    await sqlite_place.close_all()
    remember(tmp_path, Remembered(world="practice", head_seq=61, head_hash="h"))
    found = await examine(sqlite_place.url, "practice", tmp_path)
    assert [finding.code for finding in found.findings] == ["STORE_WENT_BACK"]
    remember(tmp_path, Remembered(world="practice", head_seq=60, head_hash="h"))
    found = await examine(sqlite_place.url, "practice", tmp_path)
    assert [finding.code for finding in found.findings] == ["STORE_REPLACED"]
