"""The start script makes its own environment, once, whatever it finds. Run with an empty lock: no network."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def start(checkout: Path, **env: str) -> subprocess.Popen[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPTCONSOLE_", "PYTHON", "VIRTUAL_ENV"))}
    return subprocess.Popen(
        [checkout / "optconsole", "--version"],
        cwd=checkout.parent,
        env={**clean, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate()
    return process.returncode, out, err


def assert_started(outcome: tuple[int, str, str]) -> None:
    code, out, err = outcome
    assert code == 0, err
    assert out.startswith("optconsole ")
    assert out.count("\n") == 1, "standard output is the program's alone"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with its environment already made."""
    checkout = tmp_path_factory.mktemp("start") / "checkout"
    (checkout / "src" / "optconsole").mkdir(parents=True)
    for name in ("optconsole", "pyproject.toml", "scripts/environment.sh", "scripts/prepare.py"):
        (checkout / name).parent.mkdir(exist_ok=True)
        shutil.copy2(ROOT / name, checkout / name)
    for name in ("__init__.py", "__main__.py"):
        shutil.copy2(ROOT / "src" / "optconsole" / name, checkout / "src" / "optconsole" / name)
    (checkout / "requirements.txt").write_text("# nothing to fetch\n", encoding="utf-8")
    assert_started(finish(start(checkout)))
    return checkout


@pytest.fixture
def checkout(made: Path, tmp_path: Path) -> Path:
    """A copy of it, which also shows that a checkout may be moved."""
    return Path(shutil.copytree(made, tmp_path / "moved", symlinks=True))


def test_a_later_start_asks_nothing_of_the_installer(checkout: Path) -> None:
    (checkout / "scripts" / "prepare.py").write_text("raise SystemExit('called')\n", encoding="utf-8")
    assert_started(finish(start(checkout)))


def test_a_changed_lock_is_installed_before_the_program_starts(checkout: Path) -> None:
    changed = "# still nothing to fetch\n"
    (checkout / "requirements.txt").write_text(changed, encoding="utf-8")
    assert_started(finish(start(checkout)))
    assert (checkout / ".venv" / "requirements.txt").read_text(encoding="utf-8") == changed


def test_an_environment_cut_short_is_made_anew(checkout: Path) -> None:
    venv = checkout / ".venv"
    (venv / "requirements.txt").unlink()
    (venv / "unfinished").touch()
    (venv / "half-written").touch()
    assert_started(finish(start(checkout)))
    assert not (venv / "half-written").exists()
    assert not (venv / "unfinished").exists()


def test_an_environment_whose_python_went_away_is_made_anew(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nonexistent/python3")
    assert_started(finish(start(checkout)))


def test_starts_at_the_same_time_share_one_environment(checkout: Path) -> None:
    (checkout / ".venv" / "unfinished").touch()
    (checkout / ".venv" / "requirements.txt").unlink()
    for outcome in [finish(process) for process in [start(checkout) for _ in range(3)]]:
        assert_started(outcome)


def test_a_folder_that_is_no_environment_is_left_alone(checkout: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "ledger.txt").write_text("mine", encoding="utf-8")
    code, out, err = finish(start(checkout, OPTCONSOLE_VENV=str(precious)))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "is not a virtual environment" in err
    assert (precious / "ledger.txt").read_text(encoding="utf-8") == "mine"


def test_without_a_recent_python_one_sentence_says_so(checkout: Path, tmp_path: Path) -> None:
    code, out, err = finish(
        start(checkout, OPTCONSOLE_VENV=str(tmp_path / "new"), OPTCONSOLE_PYTHON="/nonexistent/python3")
    )
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "no Python 3.11 or newer" in err


def test_a_package_that_cannot_be_had_keeps_the_environment(checkout: Path) -> None:
    nowhere = f"optconsole-has-no-such-package==1 --hash=sha256:{'0' * 64}\n"
    lock = checkout / "requirements.txt"
    before = lock.read_text(encoding="utf-8")
    lock.write_text(nowhere, encoding="utf-8")
    code, _, err = finish(start(checkout, PIP_NO_INDEX="1"))
    assert code == 1
    assert "could not install" in err
    lock.write_text(before, encoding="utf-8")
    assert_started(finish(start(checkout, PIP_NO_INDEX="1")))
