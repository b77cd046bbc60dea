"""A trader with an exchange and an engine, each in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.crash.nursery import Nursery, nursery
from tests.crash.trader import Plan, Trader

if not sys.platform.startswith("linux"):
    collect_ignore_glob = ["test_*.py"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cradle() -> AsyncIterator[Nursery]:
    """What the engine needs is loaded once."""
    async with nursery() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def trader(cradle: Nursery, tmp_path: Path) -> AsyncIterator[Trader]:
    """The day has begun, nothing is traded yet."""
    found = Trader(cradle, tmp_path, Plan())
    await found.open()
    yield found
    await found.close()
