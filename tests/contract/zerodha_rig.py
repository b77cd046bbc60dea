"""Zerodha's adapter against its rehearsal over real loopback sockets."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from optconsole.brokers.rehearsal.kite.limits import UNLIMITED
from optconsole.brokers.rehearsal.kite.wire import KiteSettings as Wire
from optconsole.brokers.rehearsal.kite.wire import open_kite
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.brokers.zerodha.gateway import KiteGateway, open_gateway
from optconsole.brokers.zerodha.settings import KiteSettings
from optconsole.engine.clock import seeded
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.secrets import Secret
from optconsole.engine.ports import Broker
from tests.brokers.paper.stage import CALL, INDEX
from tests.brokers.rehearsal.stage import a_still_market, quoted
from tests.contract.rig import Inbox


class Vault:
    """The rehearsal's credentials."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def get(self, name: str) -> Secret | None:
        text = self._served.credentials.get(name)
        return None if text is None else Secret(text)


class Facts:
    """The almanac of the paper exchange's one index."""

    def freeze(self, underlying: str) -> int | None:
        return CALL.freeze if underlying == CALL.underlying else None

    def last_trade(self, underlying: str, expiry: date) -> datetime | None:
        return Calendar.load().last_trade(underlying, expiry)

    def index_tick(self, _underlying: str) -> int:
        return INDEX.tick


class Evidence:
    """What the adapter could not read: nothing, in a rehearsal without faults."""

    def __init__(self) -> None:
        self.rows: list[str] = []

    def __call__(self, kind: str, detail: str, _sample: bytes | str) -> None:
        self.rows.append(f"{kind}: {detail}")


class ZerodhaRig:
    """One account; the market is the rehearsal's, and runs by the machine's time."""

    def __init__(self, served: Served, roots: Path | None = None, **changes: Any) -> None:
        self.instrument = CALL
        self.inbox = Inbox()
        self.evidence = Evidence()
        self.served = served
        self._changes, self._roots = changes, roots
        self._gateway = self._open()

    @property
    def broker(self) -> Broker:
        return self._gateway.broker

    @property
    def gateway(self) -> KiteGateway:
        return self._gateway

    def _open(self) -> KiteGateway:
        account = Account(id="Z1", broker="zerodha", mode=Mode.LIVE, capital=0)
        settings = KiteSettings(rest_url=self.served.url, ws_url=self.served.ws_url, **self._changes)  # type: ignore[arg-type]
        clock = self.served.market.clock
        return open_gateway(
            account, settings, Vault(self.served), clock, seeded(3), self.evidence, Facts(), self._roots
        )

    async def start(self) -> None:
        self.master = await self._gateway.load_master(self.served.market.now().date())
        await self._gateway.broker.connect(self.inbox.take)

    async def show(self, bid: tuple[int, int] | None, ask: tuple[int, int] | None, ltp: int) -> None:
        market = self.served.market
        market.show(
            Quote(
                name=self.instrument.name,
                ts=market.stamp(),
                bid=bid[0] if bid else None,
                bid_qty=bid[1] if bid else 0,
                ask=ask[0] if ask else None,
                ask_qty=ask[1] if ask else 0,
                ltp=ltp,
            )
        )

    async def reconnect(self) -> None:
        await self._gateway.close()
        self.inbox = Inbox()
        self._gateway = self._open()
        await self.start()

    async def close(self) -> None:
        await self._gateway.close()


@asynccontextmanager
async def rehearsed(
    folder: Path,
    started: bool = True,
    tls: ssl.SSLContext | None = None,
    roots: Path | None = None,
    **changes: Any,
) -> AsyncIterator[ZerodhaRig]:
    """A rig on a rehearsal of its own; ``changes`` are settings of the adapter."""
    market = await a_still_market(folder)
    quoted(market, INDEX, 25_000_00, booked=False)
    kite = await open_kite(market, Wire(limits=UNLIMITED, pause=0.0, heartbeat=0.1))
    served = await serve(kite, market, tls=tls)
    rig = ZerodhaRig(served, roots, **changes)
    try:
        if started:
            await rig.start()
        yield rig
    finally:
        await rig.close()
        await served.close()
        await market.close()


@asynccontextmanager
async def zerodha(folder: Path) -> AsyncIterator[ZerodhaRig]:
    async with rehearsed(folder) as rig:
        yield rig
        assert rig.evidence.rows == []
