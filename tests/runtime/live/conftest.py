"""Houses on the live stage, each closed after its test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from optconsole.engine.model.secrets import Secret
from optconsole.options import RunOptions
from optconsole.runtime.house import House, open_house
from tests.runtime.live.rehearsals import PASSPHRASE

Raise = Callable[..., Awaitable[House]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "market").mkdir()
    return tmp_path / "home"


@pytest.fixture
async def live(home: Path) -> AsyncIterator[Raise]:
    """Open the live house of the home, its vault unlocked unless said otherwise."""
    houses: list[House] = []

    async def start(passphrase: Secret | None = PASSPHRASE) -> House:
        house = await open_house(RunOptions(home=home, live=True), passphrase=passphrase)
        houses.append(house)
        return house

    yield start
    for house in houses:
        await house.stop("test over")
