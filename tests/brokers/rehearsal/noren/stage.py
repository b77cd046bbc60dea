"""A client of the rehearsed Noren wire that knows nothing but text: what it sends and hears is literal."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from optconsole.brokers.rehearsal.noren.dialect import NorenDialect
from optconsole.brokers.rehearsal.serve import Served

BUY = {
    "exch": "NFO",
    "tsym": "NIFTY23NOV26C25000",
    "qty": "65",
    "prc": "99.00",
    "dscqty": "0",
    "prd": "M",
    "trantype": "B",
    "prctyp": "LMT",
    "ret": "DAY",
    "remarks": "T1",
    "ordersource": "API",
}
"""One lot of the stage's call, below the market."""
STOP = {**BUY, "trantype": "S", "prctyp": "SL-LMT", "trgprc": "90.00", "prc": "89.00", "remarks": "S1"}


@dataclass
class Noren:
    """A logged-in client. ``call`` answers the decoded reply."""

    http: httpx.AsyncClient
    served: Served
    token: str
    uid: str = "FA1234"
    status: int = 0

    @property
    def dialect(self) -> NorenDialect:
        assert isinstance(self.served.dialect, NorenDialect)
        return self.served.dialect

    async def raw(self, name: str, body: str, token: str | None = None) -> Any:
        headers = {"Content-Type": "text/plain"}
        if self.token if token is None else token:
            headers["Authorization"] = f"Bearer {self.token if token is None else token}"
        answer = await self.http.post(f"/NorenWClientAPI/{name}", content=body, headers=headers)
        self.status = answer.status_code
        return json.loads(answer.text)

    async def call(self, name: str, **fields: object) -> Any:
        return await self.raw(name, "jData=" + json.dumps({"uid": self.uid, "actid": self.uid, **fields}))

    async def place(self, **terms: object) -> str:
        """The number of an order that was taken."""
        answer = await self.call("PlaceOrder", **{**BUY, **terms})
        assert answer["stat"] == "Ok", answer
        return str(answer["norenordno"])

    async def until(self, number: str, status: str) -> dict[str, str]:
        """The row of an order once it shows a status: what the exchange says arrives a moment after the answer."""
        for _ in range(2_000):
            rows = await self.call("SingleOrdHist", norenordno=number)
            if rows[0]["status"] == status:
                return dict(rows[0])
            await asyncio.sleep(0.001)
        raise AssertionError(f"{number} is {rows[0]}, not {status}")


@dataclass
class Ears:
    """One socket and what was heard on it."""

    socket: ClientConnection
    heard: list[dict[str, str]] = field(default_factory=list)

    async def say(self, **frame: str) -> None:
        await self.socket.send(json.dumps(frame))

    async def next(self) -> dict[str, str]:
        async with asyncio.timeout(5):
            frame: dict[str, str] = json.loads(await self.socket.recv())
        self.heard.append(frame)
        return frame

    async def until(self, **wanted: str) -> dict[str, str]:
        """The next frame that has these fields."""
        while True:
            frame = await self.next()
            if wanted.items() <= frame.items():
                return frame

    async def quiet(self) -> list[dict[str, str]]:
        """What is still to be heard, up to the answer to a heartbeat."""
        await self.say(t="h")
        found: list[dict[str, str]] = []
        while (frame := await self.next())["t"] != "hk":
            found.append(frame)
        return found

    async def connect(self, token: str, uid: str = "FA1234") -> dict[str, str]:
        await self.say(t="a", uid=uid, actid=uid, source="API", accesstoken=token)
        return await self.next()


async def ears(noren: Noren, login: bool = True) -> Ears:
    """An open socket, logged in unless told not to."""
    found = Ears(await connect(f"{noren.served.ws_url}/NorenWSAPI/"))
    if login:
        assert (await found.connect(noren.token))["s"] == "OK"
    return found
