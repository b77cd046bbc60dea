from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.brokers.paper.stage import INDEX, Stage, open_stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A broker at 10:00 that knows the index at 25,000."""
    opened = await open_stage(tmp_path)
    opened.show(INDEX, ltp=25_000_00, booked=False)
    yield opened
    await opened.broker.close()
