"""A client of the rehearsed SmartAPI that knows nothing of it but the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from optconsole.brokers.rehearsal.serve import Served
from tests.brokers.paper.stage import CALL

ORDER = "/rest/secure/angelbroking/order/v1/"
USER = "/rest/secure/angelbroking/user/v1/"


class Wire:
    """REST calls and sockets with the headers of a live client."""

    def __init__(self, served: Served, http: httpx.AsyncClient) -> None:
        self.served, self.http = served, http
        self.headers = {
            "X-UserType": "USER",
            "X-SourceID": "WEB",
            "X-ClientLocalIP": "127.0.0.1",
            "X-ClientPublicIP": "127.0.0.1",
            "X-MACAddress": "00:00:00:00:00:00",
            "X-PrivateKey": served.credentials["api_key"],
            "Authorization": f"Bearer {served.credentials['access_token']}",
        }

    async def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        content = None if body is None else msgspec.json.encode(body)
        return await self.http.request(method, path, content=content, headers=self.headers)

    async def get(self, path: str) -> Any:
        return (await self.send("GET", path)).json()

    async def post(self, path: str, body: object) -> Any:
        return (await self.send("POST", path, body)).json()

    def token(self, name: str = CALL.name) -> str:
        row = self.served.dialect.catalogue.of(name)  # type: ignore[attr-defined]
        assert row is not None
        return str(row.token)

    def terms(self, **changes: object) -> dict[str, object]:
        """One lot of the call at a limit that trades at once."""
        scrip = self.served.dialect.catalogue.of(CALL.name)  # type: ignore[attr-defined]
        return {
            "variety": "NORMAL",
            "tradingsymbol": scrip.symbol,
            "symboltoken": scrip.token,
            "transactiontype": "BUY",
            "exchange": "NFO",
            "ordertype": "LIMIT",
            "producttype": "CARRYFORWARD",
            "duration": "DAY",
            "price": "101.00",
            "triggerprice": "0",
            "squareoff": "0",
            "stoploss": "0",
            "quantity": str(CALL.lot),
            "disclosedquantity": "0",
            "ordertag": "OC7F3A91",
        } | changes

    async def place(self, **changes: object) -> str:
        """The number of a new order."""
        said = await self.post(ORDER + "placeOrder", self.terms(**changes))
        assert said["status"] is True, said
        return str(said["data"]["orderid"])

    async def row(self, orderid: str) -> dict[str, Any]:
        """An order as the book has it."""
        rows = (await self.get(ORDER + "getOrderBook"))["data"] or []
        return next(row for row in rows if row["orderid"] == orderid)

    def stream_headers(self) -> Mapping[str, str]:
        given = self.served.credentials
        return {
            "Authorization": f"Bearer {given['access_token']}",
            "x-api-key": given["api_key"],
            "x-client-code": given["client_code"],
            "x-feed-token": given["feed_token"],
        }

    def ticks(self, **changes: str) -> connect:
        return connect(self.served.ws_url + "/smart-stream", additional_headers={**self.stream_headers(), **changes})

    def updates(self, **changes: str) -> connect:
        url = self.served.ws_url + "/smart-order-update"
        return connect(url, additional_headers={**self.stream_headers(), **changes})


async def frame(socket: ClientConnection) -> dict[str, Any]:
    """The next order frame, from text or a binary message."""
    return msgspec.json.decode(await socket.recv())


def subscribing(mode: int, token: str, segment: int = 2, action: int = 1) -> str:
    said = {
        "correlationID": "abcde12345",
        "action": action,
        "params": {"mode": mode, "tokenList": [{"exchangeType": segment, "tokens": [token]}]},
    }
    return msgspec.json.encode(said).decode()
