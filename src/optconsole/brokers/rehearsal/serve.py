"""A rehearsed broker on a port: its dialect, the faults in force, and the control endpoint beside them."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optconsole.brokers.rehearsal.control import PREFIX, Control
from optconsole.brokers.rehearsal.dialect import Dialect, set_habits
from optconsole.brokers.rehearsal.faults import Fault
from optconsole.brokers.rehearsal.faulty import FaultyWire
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.plan import FaultPlan
from optconsole.brokers.rehearsal.server import LOOPBACK, RehearsalServer, SocketHandler
from optconsole.brokers.rehearsal.wire import Request, Response, plain
from optconsole.engine.clock import fresh_id


@dataclass(slots=True)
class Served:
    """A rehearsed broker that answers. ``plan`` takes faults, ``wire`` has counts, ``server`` the open streams."""

    url: str
    ws_url: str
    credentials: dict[str, str]
    ready: dict[str, object]
    control_token: str
    plan: FaultPlan
    wire: FaultyWire
    server: RehearsalServer
    dialect: Dialect
    market: Market

    async def close(self) -> None:
        """Cut every client, then end the dialect; the market is who opened it's to close."""
        await self.server.close()
        await self.wire.close()
        await self.dialect.close()


async def serve(
    dialect: Dialect,
    market: Market,
    *,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    faults: Sequence[Fault] = (),
    habits: Mapping[str, object] | None = None,
    seed: int = 1,
) -> Served:
    """Answer for a broker on a loopback port, 0 for any free one.

    Raises OSError where the port is taken, Refusal(BAD_HABITS) for ``habits`` that the broker's wire has not.
    """
    set_habits(dialect, habits or {})
    plan = FaultPlan(market.now, faults, seed)
    market.desk.plan = plan
    wire = FaultyWire(dialect, market, plan)
    token = fresh_id() + fresh_id()
    control = Control(token, dialect, market, plan, wire)

    async def handle(request: Request) -> Response:
        return await (control if request.path.startswith(PREFIX) else wire).handle(request)

    async def welcome(request: Request) -> Response | SocketHandler:
        if request.path.startswith(PREFIX):
            return plain("the control endpoint has no stream\n", 404)
        return await wire.welcome(request)

    server = RehearsalServer(handle, welcome, tls=tls)
    await server.start(port)
    secure = "s" if tls is not None else ""
    url, ws_url = (f"{scheme}{secure}://{LOOPBACK}:{server.port}" for scheme in ("http", "ws"))
    credentials = dict(dialect.login())
    ready: dict[str, object] = {
        "broker": dialect.name,
        "pid": os.getpid(),
        "rest_url": url,
        "ws_url": ws_url,
        "control_url": url + PREFIX.rstrip("/"),
        "control_token": token,
        "credentials": credentials,
        "account": market.account.id,
        "market_time": market.now().isoformat(),
        **dialect.ready(),
    }
    return Served(url, ws_url, credentials, ready, token, plan, wire, server, dialect, market)
