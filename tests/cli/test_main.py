"""The door: exit codes, one line of error, JSON beside it, nothing heavy loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from optconsole import __version__
from optconsole.cli.main import noun_at, run
from optconsole.cli.nouns import NOUNS
from tests.link.small_engine import SRC

ASKING = [
    ["status"],
    ["positions"],
    ["orders"],
    ["trades"],
    ["accounts"],
    ["quote", "NIFTY"],
    ["chain", "NIFTY"],
    ["instruments", "search", "NIFTY"],
    ["order", "place", "BUY", "NIFTY 25NOV26 24500 CE", "--lots", "1", "--market"],
    ["order", "modify", "O1", "--limit", "5"],
    ["order", "cancel", "O1"],
    ["order", "show", "O1"],
    ["cancel-all"],
    ["flatten"],
    ["kill"],
    ["release", "UNLOCK"],
    ["journal", "list"],
    ["journal", "show", "1"],
    ["journal", "verify"],
    ["journal", "export"],
    ["replay", "status"],
    ["attach"],
]


@pytest.mark.parametrize("argv", ASKING, ids=" ".join)
def test_where_no_engine_runs_each_command_says_so_and_starts_none(
    argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    assert run(["--home", str(home), *argv]) == 1
    said = capsys.readouterr()
    assert said.err == f"error: No engine runs on {home}; start one with `optconsole engine`. [NO_ENGINE]\n"
    assert said.out == ""
    assert not home.exists()


def test_with_json_a_failure_is_a_document_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json", "--home", str(tmp_path)]) == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["ok"], document["code"]) == (False, "NO_ENGINE")
    assert said.err.endswith("[NO_ENGINE]\n")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["stauts"], "did you mean status?"),
        (["xyzzy"], "`optconsole --help` lists them."),
        (["--sped", "3"], "did you mean --speed?"),
        (["--speed", "fast"], "'fast' is not a speed"),
        (["engine", "--from", "9"], "not a time of day"),
        (["engine", "--until", "09:00", "--from", "10:00"], "is not after"),
        (["engine", "--replay", "x", "--seed", "1"], "practice market"),
        (["engine", "--replay", "x", "--on", "2026-11-25"], "practice market"),
        (["engine", "--live", "--speed", "2"], "as it comes with --live"),
        (["--live"], "an engine that outlives the screen"),
        (["engine", "--on", "tuesday"], "'tuesday' is not a d"),
        (["status", "now"], "one word too many"),
        (["order", "plase"], "did you mean place?"),
        (["order", "modify", "O1"], "Say what to change"),
        (["engine", "--fresh"], "begins a recording anew"),
        (["flatten", "--scope", "everything"], "is not a scope"),
        (["flatten", "--scope", "contract:N;"], "not a contract name"),
        (["--json"], "The console has no JSON"),
        (["--screen", "chian"], "did you mean chain?"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(
    argv: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTCONSOLE_HOME", str(tmp_path))
    assert run(argv) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert err.endswith("[BAD_USAGE]\n")


def test_a_replay_file_that_is_missing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "day.parquet"
    assert run(["engine", "--home", str(tmp_path), "--replay", str(missing)]) == 1
    assert f"The recording {missing} cannot be read: No such file" in capsys.readouterr().err


def test_the_console_needs_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--home", str(tmp_path)]) == 1
    assert capsys.readouterr().err.endswith("[NO_TERMINAL]\n")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {noun} " in shown for noun in NOUNS)


@pytest.mark.parametrize("noun", NOUNS)
def test_every_command_has_its_own_help(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([noun, "--help"]) == 0
    assert f"optconsole {noun}" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--home", "x", "--version"]) == 0
    assert capsys.readouterr().out == f"optconsole {__version__}\n"


def test_the_noun_is_the_first_word_that_is_no_options_value() -> None:
    assert noun_at(["--home", "status", "orders"]) == 2
    assert noun_at(["--home=x", "--json", "orders", "--working"]) == 2
    assert noun_at(["--replay", "file"]) is None


def program(*argv: str, **env: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "optconsole", *argv)


def test_a_hostile_home_name_is_shown_as_text(tmp_path: Path) -> None:
    done = subprocess.run(
        program("--home", f"{tmp_path}/\x1b[31mred\u202e", "status"),
        capture_output=True,
        env=dict(os.environ, PYTHONPATH=SRC),
        check=False,
    )
    assert done.returncode == 1
    assert b"\x1b" not in done.stderr
    assert "\u202e".encode() not in done.stderr


def test_an_ascii_terminal_gets_ascii(tmp_path: Path) -> None:
    done = subprocess.run(
        program("--home", str(tmp_path / "ü"), "doctor"),
        capture_output=True,
        env=dict(os.environ, PYTHONPATH=SRC, PYTHONIOENCODING="ascii"),
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert done.stdout.isascii()
    assert b"unicode" in done.stdout


def test_a_reader_that_leaves_ends_the_program_quietly() -> None:
    cases = '{"id":1,"model":"bsm"}\n' * 20_000
    ran = subprocess.Popen(
        program("calc"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=SRC),
    )
    assert ran.stdout is not None
    ran.stdout.close()
    ran.stdout = None
    _out, err = ran.communicate(cases.encode())
    assert ran.returncode == 1
    assert err == b""


LOADED = """
import sys
from optconsole.cli.main import run
code = run(sys.argv[1:])
print(code, *(name for name in ("textual", "rich", "numpy", "pyarrow", "sqlmodel", "pydantic") if name in sys.modules))
"""


@pytest.mark.parametrize("argv", [["status"], ["orders"], ["order", "cancel", "O1"], ["journal", "list"]], ids=" ".join)
def test_a_short_command_loads_neither_screens_nor_stores(argv: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        (sys.executable, "-c", LOADED, "--home", str(tmp_path), *argv),
        capture_output=True,
        text=True,
        env=dict(os.environ, PYTHONPATH=SRC),
        check=False,
    )
    assert done.stdout == "1\n"
