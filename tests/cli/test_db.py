"""S08: `optconsole db` against a real engine and without one."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from optconsole.cli.main import run
from tests.cli.engine_process import optconsole, running_engine


@pytest.mark.slow
def test_a_store_is_copied_while_it_runs_ruined_and_restored(tmp_path: Path) -> None:
    home = tmp_path / "home"
    copy = tmp_path / "copy.db"
    with running_engine(home):
        made = optconsole(home, "db", "backup", str(copy), "--json")
        assert made.code == 0, made.err
        assert made.document["file"] == str(copy)
        again = optconsole(home, "db", "backup", str(copy), "--json")
        assert (again.code, again.document["code"]) == (1, "FILE_EXISTS")
        held = optconsole(home, "db", "restore", str(copy), "--json")
        assert (held.code, held.document["code"]) == (1, "ENGINE_RUNNING")
        live = optconsole(home, "db", "check", "--json")
        assert (live.code, live.document["ok"]) == (0, True)
        assert live.document["events"] >= made.document["events"]
        other = optconsole(home, "db", "check", "--world", "practice-7", "--json")
        assert other.document["code"] == "ENGINE_RUNNING"

    whole = optconsole(home, "db", "check", "--json")
    assert (whole.code, whole.document["findings"]) == (0, [])
    named = optconsole(home, "db", "backup")
    assert named.code == 0, named.err
    assert [name.startswith("practice-") for name in os.listdir(home / "backups")] == [True]

    file = home / "practice" / "journal.db"
    with sqlite3.connect(file) as database:
        database.execute("UPDATE event SET actor = 'me' WHERE seq = 3")
    database.close()
    bad = optconsole(home, "db", "check", "--json")
    assert (bad.code, bad.document["ok"], bad.document["code"]) == (1, False, "CHAIN_BROKEN")
    assert "db restore" in bad.document["findings"][0]["advice"]
    assert "event 3" in bad.document["findings"][0]["text"]
    with running_engine(home):
        status = optconsole(home, "status")
        assert "GUARD ONLY" in status.out
        shown = optconsole(home, "journal", "list", "--text", "GUARD_ONLY")
        assert "optconsole db restore FILE" in shown.out

    done = optconsole(home, "db", "restore", str(copy), "--json")
    assert done.code == 0, done.err
    assert done.document["events"] == made.document["events"]
    assert Path(done.document["kept"]).is_file()
    with running_engine(home):
        status = optconsole(home, "status")
        assert "GUARD ONLY" not in status.out
        assert "ready" in status.out


def test_bad_words_and_files_are_one_sentence_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"
    cases = [
        (("backup",), "NO_STORE"),
        (("check",), "NO_STORE"),
        (("check", "--world", "mars"), "NO_SUCH_WORLD"),
        (("check", "--world", "replay/x/1"), "NO_SUCH_WORLD"),
        (("restore", str(tmp_path / "none.db")), "NO_SUCH_FILE"),
        (("restore", __file__), "COPY_BAD"),
        (("restore",), "BAD_USAGE"),
    ]
    for words, code in cases:
        assert run(["--home", str(home), "--json", "db", *words]) != 0
        said = capsys.readouterr()
        assert json.loads(said.out)["code"] == code, words
        assert said.err.count("\n") == 1
    assert not (home / "practice" / "journal.db").exists()
