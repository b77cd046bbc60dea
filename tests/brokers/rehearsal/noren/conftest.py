"""A rehearsed Shoonya on loopback and a client that is logged in, closed after the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.dialect import open_noren
from optconsole.brokers.rehearsal.noren.hazards import Hazards
from optconsole.brokers.rehearsal.serve import serve
from tests.brokers.rehearsal.noren.stage import Ears, Noren, ears


@pytest.fixture
async def noren(market: Market) -> AsyncIterator[Noren]:
    served = await serve(await open_noren(market, hazards=Hazards(paced=False)), market)
    async with httpx.AsyncClient(base_url=served.url, timeout=5.0, trust_env=False) as http:
        yield Noren(http, served, served.credentials["access_token"])
    await served.close()


@pytest.fixture
async def stream(noren: Noren) -> AsyncIterator[Ears]:
    found = await ears(noren)
    yield found
    await found.socket.close()
