"""The door: what it decides before anything heavy is imported, and how it lets nothing escape."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from optconsole import __version__
from optconsole.__main__ import main, opens_screen

SRC = Path(__file__).resolve().parents[1] / "src"


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[list[str]], int]], None]:
    """Put a function in the place of the command line, to see how the door treats what it does."""

    def install(run: Callable[[list[str]], int]) -> None:
        module = ModuleType("optconsole.cli.main")
        module.__dict__["run"] = run
        monkeypatch.setitem(sys.modules, "optconsole.cli", ModuleType("optconsole.cli"))
        monkeypatch.setitem(sys.modules, "optconsole.cli.main", module)

    monkeypatch.delenv("OPTCONSOLE_DEBUG", raising=False)
    return install


@pytest.mark.parametrize(
    ("args", "opens"),
    [
        ([], True),
        (["--replay", "status"], True),
        (["--home", "x", "--screen", "chain"], True),
        (["--home=x"], True),
        (["attach"], True),
        (["--home", "x", "attach"], True),
        (["status"], False),
        (["--home", "x", "status"], False),
        (["engine", "--replay", "x"], False),
        (["--help"], False),
        (["attach", "--help"], False),
        (["--home", "x", "--version"], False),
    ],
)
def test_only_the_console_and_attach_open_a_screen(args: list[str], opens: bool) -> None:
    assert opens_screen(args) is opens


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"optconsole {__version__}\n"


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_command_line_s_code_is_the_exit_code(command_line: Callable[..., None], code: int) -> None:
    command_line(lambda args: code)
    assert main(["status"]) == code


def test_an_interrupt_ends_with_130_and_no_words(
    command_line: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(args: list[str]) -> int:
        raise KeyboardInterrupt

    command_line(interrupted)
    assert main(["status"]) == 130
    assert capsys.readouterr() == ("", "")


def faulty(args: list[str]) -> int:
    raise LookupError("a fault")


@pytest.mark.parametrize("spelled", [["--home", "{}"], ["--home={}"]], ids=" ".join)
def test_a_fault_is_one_line_and_its_log_lies_in_the_home(
    command_line: Callable[..., None], capsys: pytest.CaptureFixture[str], tmp_path: Path, spelled: list[str]
) -> None:
    command_line(faulty)
    home = tmp_path / "home"
    assert main(["status", *(part.format(home) for part in spelled)]) == 1
    out, err = capsys.readouterr()
    (log,) = home.glob("incidents/*.log")
    assert out == ""
    assert err.count("\n") == 1
    assert str(log) in err
    assert "LookupError: a fault" in log.read_text(encoding="utf-8")


def test_the_same_fault_has_the_same_code(
    command_line: Callable[..., None], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command_line(faulty)
    said = []
    for _ in range(2):
        main(["status", "--home", str(tmp_path)])
        said.append(capsys.readouterr().err)
    assert said[0] == said[1]


def test_a_home_that_cannot_be_written_still_gets_its_log(
    command_line: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command_line(faulty)
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert main(["status", "--home", str(tmp_path / "file")]) == 1
    (log,) = (tmp_path / "temporary").glob("*.log")
    assert str(log) in capsys.readouterr().err


def test_the_traceback_is_shown_when_asked_for(
    command_line: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    command_line(faulty)
    monkeypatch.setenv("OPTCONSOLE_DEBUG", "1")
    with pytest.raises(LookupError):
        main(["status"])


UNDER_A_TERMINAL = """
import os, sys, types
from optconsole.__main__ import main
def run(args):
    heavy = [name for name in sys.modules if name.split(".")[0] in ("textual", "rich", "asyncio", "msgspec")]
    os.write(1, f"<{heavy} {os.environ['TEXTUAL_FPS']}>".encode())
    return 0
sys.modules["optconsole.cli"] = types.ModuleType("optconsole.cli")
sys.modules["optconsole.cli.main"] = module = types.ModuleType("optconsole.cli.main")
module.run = run
main([])
"""


def under_a_terminal(**env: str) -> str:
    ours, theirs = os.openpty()
    clean = {name: value for name, value in os.environ.items() if name != "TEXTUAL_FPS"}
    with subprocess.Popen(
        [sys.executable, "-c", UNDER_A_TERMINAL],
        env={**clean, "PYTHONPATH": str(SRC), **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as child:
        os.close(theirs)
        child.wait()
    seen = os.read(ours, 4096).decode()
    os.close(ours)
    return seen


def test_the_splash_is_out_before_anything_heavy_loads_and_is_wiped_at_the_end() -> None:
    before, _, rest = under_a_terminal(TERM="xterm-256color").partition("<")
    assert __version__ in before
    assert rest == "[] 1000>\x1b[J"


def test_a_terminal_without_escapes_gets_no_splash() -> None:
    assert under_a_terminal(TERM="dumb") == "<[] 1000>"


def test_the_chosen_frame_rate_is_kept() -> None:
    assert under_a_terminal(TERM="dumb", TEXTUAL_FPS="30") == "<[] 30>"
