"""An engine that the tests of one file share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.process import EngineProcess
from tests.e2e.terminal import fresh_home


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """An engine in a process of its own, in the middle of a practice day; it must end in good order."""
    home = fresh_home(tmp_path_factory.mktemp("shared"))
    engine = EngineProcess(home, "--seed", "7", "--from", "10:00")
    yield engine
    assert engine.stop() == 0
