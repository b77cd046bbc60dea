"""The doctor's checks, each on a home that has the fault."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from optconsole.cli import checkup
from optconsole.cli.main import run
from optconsole.config import Settings, Store


def test_a_healthy_home_passes_and_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"
    assert run(["doctor", "--json", "--home", str(home)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"]
    assert {"python", "sqlite", "home", "disk", "config", "lock", "engine", "database"} <= {
        each["name"] for each in found["checks"]
    }
    assert not home.exists()


def test_what_fails_is_named_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text("[ui\n")
    assert run(["doctor", "--home", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "FAIL  config" in said.out
    assert "config check" in said.out
    assert said.err == "error: config: see what to do above. [DOCTOR]\n"


def test_a_home_others_can_write_fails(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    found = checkup.home(tmp_path)
    assert (found.verdict, found.advice) == (checkup.FAIL, f"Run: chmod 700 {tmp_path}")


def test_a_home_that_is_a_file_fails(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert checkup.home(file).verdict == checkup.FAIL
    assert checkup.home(file / "below").verdict == checkup.FAIL


def test_the_lock_tells_whether_an_engine_holds_it(tmp_path: Path) -> None:
    assert checkup.lock(tmp_path).text == "free; no engine has run here yet"
    with (tmp_path / "engine.lock").open("w+") as file:
        file.write("4711\n")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        assert checkup.lock(tmp_path).text == "held by the engine (process 4711)"
    assert checkup.lock(tmp_path).text == "free; no engine runs"


def test_a_damaged_database_is_found_and_a_whole_one_passes(tmp_path: Path) -> None:
    path = tmp_path / "practice" / "journal.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [("y" * 500,)] * 200)
        connection.commit()
    settings = Settings()
    assert checkup.database(tmp_path, settings, engine_runs=False).verdict == checkup.OK
    content = bytearray(path.read_bytes())
    content[4096:8192] = os.urandom(4096)
    path.write_bytes(content)
    assert checkup.database(tmp_path, settings, engine_runs=False).verdict == checkup.FAIL
    assert checkup.database(tmp_path, settings, engine_runs=True).verdict == checkup.OK


def test_an_unreachable_server_is_told_without_its_password(tmp_path: Path) -> None:
    settings = Settings(store=Store(url="postgresql+psycopg://me:hunter2@127.0.0.1:1/none"))
    found = checkup.database(tmp_path, settings, engine_runs=False)
    assert found.verdict == checkup.FAIL
    assert "hunter2" not in found.text
