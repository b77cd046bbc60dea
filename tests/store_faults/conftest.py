"""An empty store as its own migrations make it, to be put on a disk that fails."""

from __future__ import annotations

import asyncio

import pytest

from optconsole.engine.store.journal import open_journal
from tests.engine.store.conftest import place, sqlite_place
from tests.store_faults.platter import DB, Image


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The file of a store that was opened once and closed in good order."""
    path = tmp_path_factory.mktemp("empty") / "journal.db"

    async def make() -> None:
        await (await open_journal(f"sqlite:///{path}", "practice")).close()

    asyncio.run(make())
    return {DB: path.read_bytes()}


__all__ = ["place", "sqlite_place"]
