"""Angel One's adapter before its rehearsal: REST and both sockets over loopback, the paper exchange behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from optconsole.brokers.angelone.broker import AngelBroker
from optconsole.brokers.angelone.gateway import AngelGateway, open_gateway
from optconsole.brokers.angelone.settings import AngelSettings
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.opening import still_market
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.brokers.rehearsal.smartapi.dialect import SmartApi
from optconsole.brokers.rehearsal.smartapi.limits import Caps
from optconsole.engine.clock import MarketClock, seeded
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.secrets import Secret
from optconsole.runtime.rates import paper_rules
from tests.brokers.paper.stage import CALL, DAY, INDEX, LISTED, at
from tests.contract.rig import Inbox

CODE = "A1"
ACCOUNT = Account(id="angel", broker="angelone", mode=Mode.LIVE, capital=0)


class RigCredentials:
    """What the rehearsal printed for whoever rehearses."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.held = dict(given)

    def get(self, name: str) -> Secret | None:
        text = self.held.get(name)
        return None if text is None else Secret(text)


class RigAlmanac:
    """Of the contracts of the stage."""

    def freeze(self, underlying: str) -> int | None:
        return CALL.freeze if underlying == CALL.underlying else None

    def last_trade(self, underlying: str, expiry: date) -> datetime | None:
        known = (each for each in LISTED if (each.underlying, each.expiry) == (underlying, expiry))
        return next((each.last_trade for each in known), None)

    def index_tick(self, underlying: str) -> int:
        return INDEX.tick


class AngelRig:
    """The adapter's own limits are off, as the rehearsal's are: they have tests of their own."""

    def __init__(self, market: Market, served: Served, **settings: Any) -> None:
        self._changes = settings
        self.instrument = CALL
        self.inbox = Inbox()
        self.market = market
        self.served = served
        self.evidence: list[tuple[str, str]] = []
        self.credentials = RigCredentials(served.credentials)
        self.gateway = self._open()

    @property
    def broker(self) -> AngelBroker:
        return self.gateway.broker

    def _open(self) -> AngelGateway:
        self.settings = AngelSettings(
            client_id=self.served.credentials["client_code"],
            rest_url=self.served.url,
            ws_url=self.served.ws_url,
            sentinels=("NIFTY",),
            **{"budgets": {}, "deadline": 3.0} | self._changes,
        )
        return open_gateway(
            ACCOUNT, self.settings, self.credentials, self.market.clock, seeded(5), self._lay_down, RigAlmanac()
        )

    def _lay_down(self, kind: str, detail: str, _sample: bytes | str) -> None:
        self.evidence.append((kind, detail))

    async def start(self) -> None:
        await self.gateway.load_master(DAY)
        await self.broker.connect(self.inbox.take)

    async def show(self, bid: tuple[int, int] | None, ask: tuple[int, int] | None, ltp: int) -> None:
        self.market.show(
            Quote(
                name=self.instrument.name,
                ts=self.market.stamp(),
                bid=bid[0] if bid else None,
                bid_qty=bid[1] if bid else 0,
                ask=ask[0] if ask else None,
                ask_qty=ask[1] if ask else 0,
                ltp=ltp,
            )
        )

    async def reconnect(self) -> None:
        await self.gateway.close()
        self.inbox = Inbox()
        self.gateway = self._open()
        await self.start()


@asynccontextmanager
async def angelone(folder: Path) -> AsyncIterator[AngelRig]:
    """A day without faults: there is nothing the adapter could not read."""
    async with rehearsed(folder) as rig:
        yield rig
        assert rig.evidence == []


@asynccontextmanager
async def rehearsed(folder: Path, caps: Mapping[str, Caps] | None = None, **settings: Any) -> AsyncIterator[AngelRig]:
    """As `angelone`, for faults to act upon; ``caps`` are the rehearsal's limits, ``settings`` change the adapter's."""
    rules = paper_rules(Calendar.load())
    market = await still_market(folder, rules=rules, clock=MarketClock(at("10:00")), instruments=LISTED, account=CODE)
    market.show(Quote(name=INDEX.name, ts=market.stamp(), ltp=25_000_00, booked=False))
    served = await serve(SmartApi(market, caps=caps or {}), market)
    rig = AngelRig(market, served, **settings)
    await rig.start()
    try:
        yield rig
    finally:
        await rig.gateway.close()
        await served.close()
        await market.close()
