"""S07, S12, S16: a store that cannot be trusted is left as it is, and guards act beside it on their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import IST
from optconsole.engine.store.journal import open_journal
from optconsole.engine.store.memory import Remembered, recall, remember
from optconsole.engine.store.restore import restore
from optconsole.engine.store.snapshots import form
from optconsole.runtime.places import Place, practice
from optconsole.runtime.recovery import Recovered, recover
from tests.engine.store.facts import Trader

NOON = datetime(2025, 8, 29, 12, tzinfo=IST)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return practice(tmp_path, 1, 1, "")


@pytest.fixture
def clocks() -> Iterator[datetime]:
    return iter(NOON.replace(second=second) for second in range(60))


async def traded(place: Place, count: int = 300) -> str:
    """A store of some facts that was left in good order. Returns its name."""
    book = await recover(place, lambda: NOON)
    await book.journal.append(Trader(4).take(count))
    head = await book.journal.head()
    memory = Remembered(world=place.world, installs=(book.journal.install_id,), head_seq=head[0], head_hash=head[1])
    remember(place.folder, memory)
    await book.journal.close()
    return book.journal.install_id


def sql(place: Place, statement: str) -> None:
    engine = create_engine(place.url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def damage(place: Place, kind: str) -> None:
    file = place.folder / "journal.db"
    image = bytearray(file.read_bytes())
    match kind:
        case "STORE_CORRUPT":
            for page in range(3, len(image) // 4096):
                image[page * 4096 : page * 4096 + 64] = b"\xff" * 64
            file.write_bytes(image)
        case "truncated":
            file.write_bytes(image[: len(image) // 3])
        case "empty":
            file.write_bytes(b"")
        case "gone":
            file.unlink()
        case "CHAIN_BROKEN":
            sql(place, "UPDATE event SET actor = 'me' WHERE seq = 23")
        case "REPLAY_DIFFERS":
            sql(place, f"INSERT INTO checkpoint (seq, digest, form) VALUES (300, 'another', '{form()}')")
        case "SCHEMA_NEWER":
            sql(place, "UPDATE alembic_version SET version_num = '9999'")
        case "STORE_WENT_BACK":
            known = recall(place.folder, place.world)
            assert known is not None
            remember(place.folder, Remembered(world=place.world, installs=known.installs, head_seq=301, head_hash="x"))


async def ended(book: Recovered) -> Recovered:
    await book.journal.close()
    return book


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("STORE_CORRUPT", "STORE_CORRUPT"),
        ("truncated", "STORE_CORRUPT"),
        ("empty", "STORE_WENT_BACK"),
        ("gone", "STORE_WENT_BACK"),
        ("CHAIN_BROKEN", "CHAIN_BROKEN"),
        ("REPLAY_DIFFERS", "REPLAY_DIFFERS"),
        ("SCHEMA_NEWER", "SCHEMA_NEWER"),
        ("STORE_WENT_BACK", "STORE_WENT_BACK"),
    ],
)
async def test_a_damaged_store_is_left_as_it_is_and_guards_run_beside_it(place: Place, kind: str, code: str) -> None:
    name = await traded(place)
    damage(place, kind)
    file = place.folder / "journal.db"
    before = file.read_bytes() if kind not in ("empty", "gone") else None

    book = await ended(await recover(place, lambda: NOON))
    assert f"[{code}]" in book.guard_only
    assert "`optconsole db restore FILE`" in book.guard_only
    assert book.from_broker
    assert book.state.seq == 0
    assert {name, book.journal.install_id} == set(book.memory.installs)
    assert "journal-guard-20250829-120000.db" in os.listdir(place.folder)
    if before is not None and kind in ("STORE_CORRUPT", "truncated"):
        assert file.read_bytes() == before


async def test_an_unknown_event_is_refused_and_not_skipped(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await traded(place)
    journal = await open_journal(place.url, place.world)
    await journal.load()

    class Later(ev.Event, frozen=True, kw_only=True):
        """What a newer program writes."""

    fact = Recorded(seq=301, at=NOON, actor="engine", cause="", event=Later())  # type: ignore[arg-type]
    monkeypatch.setitem(__import__("optconsole.engine.state", fromlist=["_APPLY"])._APPLY, Later, lambda *_: None)
    await journal.append([fact])
    await journal.close()
    book = await ended(await recover(place, lambda: NOON))
    assert "[UNKNOWN_EVENT]" in book.guard_only
    assert "'Later'" in book.guard_only


async def test_a_second_start_goes_on_with_the_same_side_journal(place: Place, clocks: Iterator[datetime]) -> None:
    await traded(place)
    damage(place, "STORE_CORRUPT")
    first = await recover(place, lambda: next(clocks))
    await first.journal.append(Trader(9).take(20))
    await first.journal.close()
    second = await ended(await recover(place, lambda: next(clocks)))
    assert second.guard_only
    assert second.state.seq == 20
    assert second.journal.install_id == first.journal.install_id


async def test_a_damaged_side_journal_is_left_too(place: Place) -> None:
    await traded(place)
    damage(place, "STORE_CORRUPT")
    first = await ended(await recover(place, lambda: NOON))
    side = place.folder / "journal-guard-20250829-120000.db"
    side.write_bytes(b"no database" * 1000)
    second = await ended(await recover(place, lambda: NOON))
    assert second.guard_only
    assert second.journal.install_id != first.journal.install_id
    assert side.read_bytes() == b"no database" * 1000


async def test_after_a_restore_the_store_goes_on_and_the_broker_is_asked(place: Place, tmp_path: Path) -> None:
    name = await traded(place)
    journal = await open_journal(place.url, place.world)
    await journal.backup(str(tmp_path / "copy.db"))
    await journal.close()
    damage(place, "CHAIN_BROKEN")
    guarded = await ended(await recover(place, lambda: NOON))
    remember(place.folder, Remembered(world=place.world, installs=guarded.memory.installs, killed=True))
    await restore(tmp_path / "copy.db", place.url, place.world, place.folder, "20250829-130000")

    book = await ended(await recover(place, lambda: NOON))
    assert book.guard_only == ""
    assert book.state.seq == 300
    assert book.from_broker
    assert book.killed, "a kill latched beside the damaged store must outlive the restore"
    assert {name, guarded.journal.install_id, book.journal.install_id} <= set(book.memory.installs)
    names = os.listdir(place.folder)
    assert "ended-journal-guard-20250829-120000.db" in names
    assert "journal.db.replaced-20250829-130000" in names


async def test_a_world_that_never_had_a_store_is_refused_rather_than_guarded(tmp_path: Path) -> None:
    url = "postgresql+psycopg://me:hush@127.0.0.1:1/none"
    place = practice(tmp_path, 1, 1, url)
    with pytest.raises(Refusal) as refused:
        await recover(place, lambda: NOON)
    assert refused.value.code == "STORE_UNREACHABLE"

    remember(place.folder, Remembered(world=place.world, installs=("i",), head_seq=5, head_hash="h"))
    book = await ended(await recover(place, lambda: NOON))
    assert "[STORE_UNREACHABLE]" in book.guard_only
    assert "hush" not in book.guard_only


async def test_a_store_in_use_is_not_damage(place: Place) -> None:
    await traded(place)
    journal = await open_journal(place.url, place.world)
    with pytest.raises(Refusal) as refused:
        await recover(place, lambda: NOON)
    assert refused.value.code == "ENGINE_RUNNING"
    await journal.close()
