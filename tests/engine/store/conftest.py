"""The databases the store is held to: the same tests run on both, only the URL differs."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

import optconsole
from optconsole.engine.store.database import store_url
from optconsole.engine.store.journal import SqlJournal, open_journal
from optconsole.engine.store.postgres import schema_name

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{Path(optconsole.__file__).resolve().parents[1]}{os.pathsep}{ROOT}"}
"""For child processes: they find the package and the tests where this process does."""

_worlds = itertools.count(1)


class Place:
    """A store of its own for one test: where it is, how to open it, and how to touch it from outside."""

    def __init__(self, url: str, world: str) -> None:
        self.url = url
        self.world = world
        self._open: list[SqlJournal] = []

    async def open(self) -> SqlJournal:
        journal = await open_journal(self.url, self.world)
        self._open.append(journal)
        return journal

    async def close_all(self) -> None:
        while self._open:
            await self._open.pop().close()

    def tamper(self, *statements: str) -> None:
        """Run SQL as someone with a database client would."""
        engine = create_engine(store_url(self.url))
        with engine.begin() as connection:
            if not self.on_sqlite:
                connection.execute(text(f'SET search_path TO "{schema_name(self.world)}"'))
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    @property
    def on_sqlite(self) -> bool:
        return self.url.startswith("sqlite")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """An empty store, on each database in turn."""
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    made = Place(url, f"test_{next(_worlds)}")
    yield made
    await made.close_all()


@pytest.fixture
async def sqlite_place(tmp_path: Path) -> AsyncIterator[Place]:
    """An empty SQLite store, for what only a file can show."""
    made = Place(f"sqlite:///{tmp_path / 'journal.db'}", "practice")
    yield made
    await made.close_all()


@pytest.fixture
async def journal(place: Place) -> SqlJournal:
    """An open journal in an empty store."""
    return await place.open()
