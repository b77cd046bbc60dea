"""One home, one engine: also across processes, also after a crash."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from optconsole.engine.model.errors import Refusal
from optconsole.engine.store.lock import FILE, HomeLock
from tests.engine.store.conftest import ENVIRONMENT

HOLD = """
import sys
from pathlib import Path
from optconsole.engine.store.lock import HomeLock
HomeLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def umask_kept() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def holder(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the home."""
    command = [sys.executable, "-c", HOLD, str(home)]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_engine_is_refused_and_told_whose_the_home_is(home: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(Refusal) as refused:
        HomeLock(home).acquire()
    assert refused.value.code == "ENGINE_RUNNING"
    assert f"process {holder.pid}" in refused.value.text
    assert "attach" in refused.value.text


def test_a_killed_engine_frees_the_home_at_once(home: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    with HomeLock(home):
        assert (home / FILE).read_text() == f"{os.getpid()}\n"


def test_two_locks_in_one_process_exclude_each_other(home: Path) -> None:
    with HomeLock(home), pytest.raises(Refusal, match=f"process {os.getpid()}"):
        HomeLock(home).acquire()


def test_a_released_home_can_be_taken_again(home: Path) -> None:
    lock = HomeLock(home)
    lock.acquire()
    lock.release()
    lock.release()
    assert (home / FILE).read_text() == ""
    with lock:
        assert stat.S_IMODE((home / FILE).stat().st_mode) == 0o600


def test_a_lock_file_that_leads_elsewhere_is_refused(home: Path, tmp_path: Path) -> None:
    home.mkdir(mode=0o700)
    (tmp_path / "victim").write_text("precious")
    (home / FILE).symlink_to(tmp_path / "victim")
    with pytest.raises(Refusal) as refused:
        HomeLock(home).acquire()
    assert refused.value.code == "HOME_NOT_WRITABLE"
    assert (tmp_path / "victim").read_text() == "precious"


def test_an_unsafe_home_is_refused_before_anything_is_written(home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(Refusal) as refused:
        HomeLock(home).acquire()
    assert refused.value.code == "HOME_UNSAFE"
    assert list(home.iterdir()) == []


def test_the_lock_loads_no_database_code(home: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom optconsole.engine.store.lock import HomeLock\n"
        "HomeLock(Path(sys.argv[1])).acquire()\n"
        "print([name for name in ('sqlalchemy', 'sqlmodel', 'alembic', 'sqlite3', 'psycopg') if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", script, str(home)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
