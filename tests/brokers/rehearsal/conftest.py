"""A market and an echoing broker on loopback, closed after the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import Served, serve
from tests.brokers.rehearsal.stage import Echo, a_still_market


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    market = await a_still_market(tmp_path)
    yield market
    await market.close()


@pytest.fixture
async def served(market: Market) -> AsyncIterator[Served]:
    served = await serve(Echo(), market)
    yield served
    await served.close()


@pytest.fixture
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.url, timeout=5.0, trust_env=False) as client:
        yield client
