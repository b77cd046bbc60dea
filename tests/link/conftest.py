from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from optconsole.link.server import LinkServer
from tests.link.small_engine import SmallEngine


@pytest.fixture
async def engine() -> SmallEngine:
    return SmallEngine()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


@pytest.fixture
async def server(engine: SmallEngine, path: Path) -> AsyncIterator[LinkServer]:
    def count(consoles: int) -> None:
        engine.consoles = consoles

    server = LinkServer(engine, path, stall=0.5, on_consoles=count)
    await server.start()
    yield server
    await server.close()
