"""S10, M27: two engines on one store, as real processes. The older one writes nothing once the newer one has it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.store.conftest import ENVIRONMENT, ROOT, Place

pytestmark = pytest.mark.slow


class Holder:
    """One process that holds a store, or was refused."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = self.line()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def send(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def ask(self, word: str) -> str:
        self.send(word)
        return self.line()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def holder(place: Place, folder: Path, *options: str) -> Iterator[Holder]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.store_faults.holder", place.url, place.world, str(folder), *options]
    with subprocess.Popen(
        command, cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Holder(process)
        finally:
            process.kill()


async def facts(place: Place) -> int:
    journal = await place.open()
    verdict = await journal.verify()
    assert verdict.ok, verdict.text
    assert await journal.compare_read_tables() == []
    await place.close_all()
    return verdict.events


def test_a_paused_engine_keeps_its_store_on_a_disk_whose_locks_hold(sqlite_place: Place, tmp_path: Path) -> None:
    with holder(sqlite_place, tmp_path / "a") as first:
        assert first.said == "open 1"
        first.pause()
        with holder(sqlite_place, tmp_path / "b") as second:
            assert second.said == "ENGINE_RUNNING"
        first.go_on()
        assert first.ask("entry") == "stored 10"


async def test_where_locks_lie_the_older_engine_writes_nothing_more(sqlite_place: Place, tmp_path: Path) -> None:
    with holder(sqlite_place, tmp_path / "a", "--no-locks") as first:
        assert first.ask("entry") == "stored 10"
        first.pause()
        with holder(sqlite_place, tmp_path / "b", "--no-locks") as second:
            assert second.said == "open 2"
            assert second.ask("entry") == "stored 11"
            first.go_on()
            assert first.ask("entry") == "FENCED"
            assert first.ask("exit") == "FENCED", "its exits are the newer engine's business too"
            assert second.ask("exit") == "stored 12"
            assert second.ask("entry") == "stored 13"
            first.process.kill()
            first.process.wait()
            second.send("")
            second.process.wait(20)
    assert await facts(sqlite_place) == 14


async def test_a_server_lets_the_newer_engine_in_only_past_the_lease(postgres_url: str, tmp_path: Path) -> None:
    place = Place(postgres_url, "leased")
    with holder(place, tmp_path / "a") as first:
        assert first.ask("entry") == "stored 10"
        first.pause()
        with holder(place, tmp_path / "b") as second:
            assert second.said == "ENGINE_RUNNING"
        place.tamper("UPDATE meta SET renewed_at = renewed_at - 31")
        with holder(place, tmp_path / "c") as third:
            assert third.said == "open 2"
            assert third.ask("entry") == "stored 11"
            first.go_on()
            assert first.ask("entry") == "FENCED"
            assert first.ask("exit") == "FENCED"
            third.send("")
            third.process.wait(20)
        # also when nobody has the store any more: its time is over
        assert first.ask("exit") == "FENCED"
    assert await facts(place) == 12


async def test_an_epoch_that_moved_on_is_seen_by_the_commit_itself(place: Place) -> None:
    """Without any lost connection: the row alone stops the older engine."""
    from optconsole.engine.ports import JournalBroken
    from tests.engine.store.facts import Trader

    journal = await place.open()
    taken = Trader(1).take(20)
    await journal.append(taken[:10])
    await journal._writer.change(lambda database: database.change(database.sql.take_lease, (9, 9)))
    for _ in range(2):
        with pytest.raises(JournalBroken) as broken:
            await journal.append(taken[10:])
        assert broken.value.code == "FENCED"
        assert "epoch 9, ours is 1" in broken.value.text
    assert (await journal.head())[0] == 10
    with pytest.raises(JournalBroken):
        await journal.renew()
