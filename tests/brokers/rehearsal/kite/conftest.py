"""Kite on loopback over a still market, and a client that is logged in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from optconsole.brokers.rehearsal.kite.contracts import KiteContract
from optconsole.brokers.rehearsal.kite.limits import UNLIMITED
from optconsole.brokers.rehearsal.kite.wire import Kite, KiteSettings, open_kite
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import Served, serve
from tests.brokers.paper.stage import CALL, LOT
from tests.brokers.rehearsal.stage import until


@dataclass
class Desk:
    """A logged-in client's view of the rehearsed broker."""

    served: Served
    kite: Kite
    http: httpx.AsyncClient

    @property
    def market(self) -> Market:
        return self.served.market

    @property
    def call(self) -> KiteContract:
        row = self.kite.contracts().of(CALL.name)
        assert row is not None
        return row

    def form(self, **changed: object) -> dict[str, str]:
        """A limit order to buy one lot of the call at 101."""
        terms = {
            "exchange": "NFO",
            "tradingsymbol": self.call.symbol,
            "transaction_type": "BUY",
            "quantity": LOT,
            "product": "NRML",
            "order_type": "LIMIT",
            "price": 101,
            "validity": "DAY",
            **changed,
        }
        return {name: str(value) for name, value in terms.items() if value is not None}

    async def place(self, **changed: object) -> str:
        answer = await self.http.post("/orders/regular", data=self.form(**changed))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["order_id"])

    async def refused(self, **changed: object) -> tuple[int, str, str]:
        answer = await self.http.post("/orders/regular", data=self.form(**changed))
        body = answer.json()
        return answer.status_code, body["error_type"], body["message"]

    async def get(self, path: str, **query: object) -> object:
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def row(self, order_id: str) -> dict[str, object]:
        return next(row for row in await self.get("/orders") if row["order_id"] == order_id)

    async def becomes(self, order_id: str, status: str) -> dict[str, object]:
        """The order's row once it is in a state."""
        await until(lambda: self.kite.orders.history(order_id)[-1]["status"] == status)
        return await self.row(order_id)


@pytest.fixture
async def desk(market: Market) -> AsyncIterator[Desk]:
    kite = await open_kite(market, KiteSettings(limits=UNLIMITED, pause=0.0005, heartbeat=0.05))
    served = await serve(kite, market)
    login = served.credentials
    headers = {"Authorization": f"token {login['api_key']}:{login['access_token']}", "X-Kite-Version": "3"}
    async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=5.0, trust_env=False) as http:
        yield Desk(served, kite, http)
    await served.close()
