"""Angel One rehearsed over a still market, and a client of its wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.brokers.rehearsal.smartapi.dialect import SmartApi
from tests.brokers.paper.stage import at
from tests.brokers.rehearsal.smartapi.trader import Wire


def noon() -> datetime:
    """What authenticators' clocks show in these tests."""
    return at("12:00")


@pytest.fixture
async def smartapi(market: Market) -> SmartApi:
    """Without rate limits, which have tests of their own."""
    return SmartApi(market, wall=noon, caps={})


@pytest.fixture
async def served(smartapi: SmartApi, market: Market) -> AsyncIterator[Served]:
    served = await serve(smartapi, market)
    yield served
    await served.close()


@pytest.fixture
async def wire(served: Served) -> AsyncIterator[Wire]:
    async with httpx.AsyncClient(base_url=served.url, timeout=5.0, trust_env=False) as http:
        yield Wire(served, http)
