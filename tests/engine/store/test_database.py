"""Opening a store: settings proven, one connection, and one clear sentence when it cannot be."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store import sqlite
from optconsole.engine.store.database import Database, store_url
from optconsole.engine.store.journal import open_journal
from optconsole.engine.store.postgres import schema_name
from tests.engine.store.conftest import ENVIRONMENT, Place
from tests.engine.store.facts import Trader
from tests.engine.store.faults import full_disk


async def test_sqlite_runs_durable_and_says_so(sqlite_place: Place) -> None:
    journal = await sqlite_place.open()

    def pragma(name: str) -> object:
        return lambda database: database.fetch(f"PRAGMA {name}")[0][0]

    found = {
        name: await journal._writer.call(pragma(name))  # type: ignore[arg-type]
        for name in ("locking_mode", "journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    assert found == {
        "locking_mode": "exclusive",
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": sqlite.BUSY_MS,
    }


async def test_the_log_is_brought_into_the_database_while_no_append_waits(sqlite_place: Place) -> None:
    journal, (*facts, last) = await sqlite_place.open(), Trader(1).take(71)
    for fact in facts:
        await journal.append([fact])
    async with asyncio.timeout(10):
        while journal._writer._trust.untidy:  # noqa: ASYNC110 - it is another thread that is waited for
            await asyncio.sleep(0.01)
    # once it is all brought in, the log begins anew with the next commit: it holds the pages of that one only
    await journal.append([last])
    _, in_log, _ = (await journal._writer.call(lambda store: store.fetch("PRAGMA wal_checkpoint(PASSIVE)")))[0]
    assert 0 < in_log < 40


async def test_a_store_that_trades_commits_into_room_that_it_has_already(tmp_path: Path) -> None:
    """The zeros behind the last commit are no commits, also after a kill; a full disk keeps nobody from opening."""
    facts, log = Trader(1).take(60), tmp_path / "j.db-wal"
    journal = await open_journal(f"sqlite:///{tmp_path / 'j.db'}", "practice", emergency=tmp_path)
    room = log.stat().st_size
    assert room >= sqlite.LOG_ROOM
    for fact in facts:
        await journal.append([fact])
    assert log.stat().st_size == room
    (tmp_path / "killed").mkdir()
    for name in ("j.db", "j.db-wal"):
        (tmp_path / "killed" / name).write_bytes((tmp_path / name).read_bytes())
    await journal.close()
    survivor = await open_journal(f"sqlite:///{tmp_path / 'killed' / 'j.db'}", "practice", emergency=tmp_path)
    assert (await survivor.read(limit=100), (await survivor.verify()).ok) == (facts, True)
    await survivor.close()
    (tmp_path / "full").mkdir()
    with full_disk(1 << 20):
        store = await open_journal(f"sqlite:///{tmp_path / 'full' / 'j.db'}", "practice", emergency=tmp_path)
        await store.append(facts[:1])
    await store.close()


@pytest.mark.parametrize(
    ("pragma", "name"),
    [
        ("synchronous = NORMAL", "synchronous"),
        ("foreign_keys = OFF", "foreign_keys"),
        ("busy_timeout = 1", "busy_timeout"),
    ],
)
def test_a_setting_that_did_not_take_is_refused(tmp_path: Path, pragma: str, name: str) -> None:
    connection = sqlite3.connect(tmp_path / "x.db")
    sqlite._settle(connection, None)
    sqlite.prove(connection)
    connection.execute(f"PRAGMA {pragma}")
    with pytest.raises(JournalBroken) as refused:
        sqlite.prove(connection)
    assert refused.value.code == "STORE_SETTINGS"
    assert name in refused.value.text
    connection.close()


def test_an_old_sqlite_is_refused() -> None:
    sqlite.require_version((3, 35, 0))
    with pytest.raises(Refusal) as refused:
        sqlite.require_version((3, 34, 1))
    assert refused.value.code == "SQLITE_TOO_OLD"
    assert "3.34.1" in refused.value.text


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_store_on_a_network_file_system_is_refused_wherever_the_home_is(tmp_path: Path, kind: str) -> None:
    """S09."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path} {kind} rw 0 0\n")
    with pytest.raises(Refusal) as refused:
        sqlite.require_local(tmp_path / "journal.db", mounts)
    assert refused.value.code == "STORE_ON_NETWORK"
    assert kind in refused.value.text
    mounts.write_text("/dev/sda / ext4 rw 0 0\n")
    sqlite.require_local(tmp_path / "journal.db", mounts)


async def test_whatever_its_version_sqlite_itself_keeps_the_store_to_one_connection(sqlite_place: Place) -> None:
    """S06: the WAL-reset fault of 3.7.0 to 3.51.2 needs two connections at one time. None is ever let in."""
    journal = await sqlite_place.open()
    await journal.append(Trader().take(5))
    path = sqlite_place.url.removeprefix("sqlite:///")
    for mode in ("ro", "rw"):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode={mode}", uri=True, timeout=0)) as other:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("PRAGMA wal_checkpoint").fetchone()
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("SELECT count(*) FROM event")
    # also not the store's own, when it opens anew after a failure
    await journal._writer.revive([])
    await journal.append(Trader().take(9)[5:])
    other = sqlite3.connect(path, timeout=0)
    with contextlib.closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("SELECT count(*) FROM event")


async def test_a_second_connection_is_turned_away(sqlite_place: Place) -> None:
    journal = await sqlite_place.open()
    await journal.append(Trader().take(5))
    other = sqlite3.connect(sqlite_place.url.removeprefix("sqlite:///"), timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("SELECT count(*) FROM event")
    other.close()


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_files_are_private_whatever_the_umask(sqlite_place: Place, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        (tmp_path / "journal.db").touch(0o666)
        journal = await sqlite_place.open()
        await journal.append(Trader().take(5))
        assert modes(tmp_path) == {"journal.db": 0o600, "journal.db-wal": 0o600, "journal.db.lease": 0o600}
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "journal.db",
        "mysql://host/db",
        "sqlite+aiosqlite:///x.db",
        "postgresql+asyncpg://h/d",
        "postgresql://h:port/d",
    ],
)
def test_a_url_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(Refusal) as refused:
        store_url(url)
    assert refused.value.code == "BAD_STORE_URL"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
async def test_a_store_in_memory_is_refused(url: str) -> None:
    with pytest.raises(Refusal) as refused:
        await open_journal(url, "practice")
    assert refused.value.code == "BAD_STORE_URL"


async def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        await open_journal(f"sqlite:///{tmp_path}/nowhere/journal.db", "practice")
    assert refused.value.code == "STORE_UNREACHABLE"


async def test_an_absent_server_is_one_sentence_without_the_password() -> None:
    with pytest.raises(Refusal) as refused:
        await open_journal("postgresql+psycopg://me:hush@127.0.0.1:1/none", "practice")
    assert refused.value.code == "STORE_UNREACHABLE"
    assert "hush" not in refused.value.text
    assert "\n" not in refused.value.text


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"this is a diary, not a database" * 100)
    with pytest.raises(JournalBroken) as refused:
        await open_journal(f"sqlite:///{tmp_path}/journal.db", "practice")
    assert refused.value.code == "STORE_CORRUPT"


async def test_a_damaged_page_is_found_at_the_start(sqlite_place: Place, tmp_path: Path) -> None:
    journal = await sqlite_place.open()
    await journal.append(Trader().take(500))
    await journal.close()
    path = tmp_path / "journal.db"
    image = bytearray(path.read_bytes())
    for page in range(2, len(image) // 4096):
        image[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(image)
    with pytest.raises(JournalBroken) as refused:
        await sqlite_place.open()
    assert refused.value.code == "STORE_CORRUPT"


async def test_of_a_very_large_store_what_does_not_grow_is_checked_at_the_start(
    sqlite_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECKED_WHOLE", 0)
    journal = await sqlite_place.open()
    await journal.append(Trader().take(500))
    ((root,),) = await journal._writer.call(
        lambda database: database.fetch("SELECT rootpage FROM sqlite_master WHERE name = 'checkpoint'")
    )
    await journal.close()
    assert (await (await sqlite_place.open()).head())[0] == 500
    await sqlite_place.close_all()

    with (tmp_path / "journal.db").open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 64)
    with pytest.raises(JournalBroken) as refused:
        await sqlite_place.open()
    assert refused.value.code == "STORE_CORRUPT"


async def test_a_practice_store_cannot_become_a_live_one(sqlite_place: Place) -> None:
    await sqlite_place.open()
    await sqlite_place.close_all()
    with pytest.raises(Refusal) as refused:
        await open_journal(sqlite_place.url, "live")
    assert refused.value.code == "OTHER_WORLD"
    assert (await (await sqlite_place.open()).verify()).ok


def test_worlds_get_schemas_of_their_own() -> None:
    assert schema_name("practice") == "practice"
    names = [
        "live",
        "Live",
        "replay 2025-08-29.parquet",
        "replay 2025.08.29 parquet",
        'x"; drop',
        "pg_temp",
        "",
        "x" * 99,
    ]
    made = [schema_name(name) for name in names]
    assert len(set(made)) == len(names)
    assert all(name.replace("_", "").isalnum() and len(name) < 60 for name in made)
    assert not any(name.startswith("pg_") for name in made)


@pytest.mark.slow
async def test_worlds_in_one_database_do_not_meet(postgres_url: str) -> None:
    one = await open_journal(postgres_url, "apart_a")
    other = await open_journal(postgres_url, "apart b")
    await one.append(Trader(1).take(30))
    await other.append(Trader(2).take(20))
    assert (await one.head())[0] == 30
    assert (await other.head())[0] == 20
    assert await one.compare_read_tables() == [] == await other.compare_read_tables()
    await one.close()
    await other.close()


@pytest.mark.slow
async def test_postgresql_flushes_every_commit(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute("ALTER ROLE CURRENT_USER SET synchronous_commit TO off")
        try:
            journal = await open_journal(postgres_url, "flushed")
            shown = await journal._writer.call(lambda database: database.fetch("SHOW synchronous_commit"))
            assert shown == [("on",)]
            await journal.close()
        finally:
            admin.execute("ALTER ROLE CURRENT_USER RESET synchronous_commit")


@pytest.mark.slow
async def test_a_lost_server_connection_is_opened_again_and_nothing_is_lost_or_doubled(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    place = Place(postgres_url, "cut")
    journal = await place.open()
    facts = Trader(8).take(60)
    await journal.append(facts[:30])
    pid = (await journal._writer.call(lambda database: database.fetch("SELECT pg_backend_pid()")))[0][0]
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    await journal.append(facts[30:40])
    await journal.append(facts[40:])
    assert [fact async for batch in journal.replay() for fact in batch] == facts
    assert await journal.compare_read_tables() == []
    await place.close_all()
    assert [record for record in caplog.records if record.name.startswith("sqlalchemy")] == []


def test_a_second_process_is_refused_while_a_store_is_open(sqlite_place: Place) -> None:
    database = Database(sqlite_place.url, "practice")
    script = (
        "import sys\n"
        "from optconsole.engine.model.errors import Refusal\n"
        "from optconsole.engine.store.database import Database\n"
        "try:\n    Database(sys.argv[1], 'practice')\n"
        "except Refusal as refusal:\n    print(refusal.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, sqlite_place.url], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "ENGINE_RUNNING"
    database.close()
