"""A wheel of this tree carries all the program needs, nothing of the workshop, and runs elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "optconsole"

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OPTCONSOLE_"))}
    if home is not None:
        env["OPTCONSOLE_HOME"] = str(home)
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without isolation: the locked build backend, no network."""
    out = tmp_path_factory.mktemp("wheel")
    done = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a new environment: the wheel, and this environment's packages as its dependencies."""
    place = tmp_path_factory.mktemp("clean")
    python = place / "env" / "bin" / "python"
    steps = [
        [sys.executable, "-m", "venv", "--without-pip", place / "env"],
        [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel],
    ]
    for step in steps:
        done = run(*step, cwd=place)
        assert done.returncode == 0, done.stdout + done.stderr
    (site,) = (place / "env" / "lib").glob("python*/site-packages")
    # a path added by a .pth file has its own .pth files left unread, so this checkout's source stays out
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("source", "inside", "pattern", "least"),
    [
        pytest.param(ROOT, "themes", "*.toml", 6, id="themes"),
        pytest.param(PACKAGE, ".", "**/*.tcss", 1, id="styles"),
        pytest.param(PACKAGE, "engine/store/migrations", "**/*.py", 2, id="migrations"),
        pytest.param(PACKAGE, "engine/market/data", "*.csv", 1, id="market-data"),
    ],
)
def test_the_wheel_carries(names: set[str], source: Path, inside: str, pattern: str, least: int) -> None:
    found = (source / inside).glob(pattern)
    expected = {f"optconsole/{path.relative_to(source).as_posix()}" for path in found}
    assert len(expected) >= least
    assert expected <= names


def test_the_wheel_carries_every_file_of_the_package(names: set[str]) -> None:
    files = {
        str(PurePosixPath("optconsole") / path.relative_to(PACKAGE).as_posix())
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files <= names


def test_the_wheel_carries_nothing_of_the_workshop(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"optconsole"}
    assert not [name for name in names if "tests" in name.split("/") or "conftest" in name or name.endswith(".pyc")]


def test_the_installed_program_says_its_version(installed: Path, elsewhere: Path) -> None:
    done = run(installed / "optconsole", "--version", cwd=elsewhere)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("optconsole ")


def test_the_installed_package_is_the_wheel_s_and_finds_its_themes(installed: Path, elsewhere: Path) -> None:
    code = "from optconsole.paths import *; print(package_data(), len([*themes_dir().glob('*.toml')]))"
    done = run(installed / "python", "-c", code, cwd=elsewhere)
    place, count = done.stdout.split()
    assert Path(place).is_relative_to(installed.parent.resolve())
    assert int(count) >= 6


@pytest.mark.parametrize("command", [["config", "show"], ["engine", "--help"], ["--help"]], ids=" ".join)
def test_the_installed_program_runs_from_an_empty_folder(
    installed: Path, elsewhere: Path, tmp_path: Path, command: list[str]
) -> None:
    done = run(installed / "optconsole", *command, cwd=elsewhere, home=tmp_path / "home")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
    assert not list(elsewhere.iterdir())
