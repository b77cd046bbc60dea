"""The Shoonya adapter on the bench, against its rehearsal over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import msgspec

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.dialect import NorenDialect, open_noren
from optconsole.brokers.rehearsal.opening import still_market
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.brokers.shoonya.broker import ShoonyaBroker
from optconsole.brokers.shoonya.gateway import ShoonyaGateway, open_gateway
from optconsole.brokers.shoonya.settings import ShoonyaSettings
from optconsole.engine.clock import MarketClock, seeded
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.timeline import IST
from optconsole.runtime.rates import paper_rules
from tests.brokers.paper.stage import CALL, DAY, INDEX, LISTED, at
from tests.brokers.shoonya.loopback import few_roots
from tests.contract.rig import Inbox

ACCOUNT = Account(id="FA", broker="shoonya", mode=Mode.LIVE, capital=0)


class Keys:
    """What the rehearsal says of itself, as credentials."""

    def __init__(self, served: Served) -> None:
        told = served.credentials
        self.held = {name: told[name] for name in ("access_token", "user_id", "api_key")}

    def get(self, name: str) -> Secret | None:
        return Secret(self.held[name]) if name in self.held else None


class Almanac:
    """The freeze is left to the broker to tell."""

    def freeze(self, underlying: str) -> int | None:
        return None

    def last_trade(self, underlying: str, expiry: date) -> datetime | None:
        return datetime(expiry.year, expiry.month, expiry.day, 15, 40, tzinfo=IST)

    def index_tick(self, underlying: str) -> int:
        return INDEX.tick


class ShoonyaRig:
    """A gateway to a rehearsed Shoonya whose market stands still until it is shown something."""

    broker: ShoonyaBroker
    gateway: ShoonyaGateway

    def __init__(self, market: Market, served: Served, **settings: float) -> None:
        self._settings = settings
        self.instrument = CALL
        self.market = market
        self.served = served
        self.keys = Keys(served)
        self.evidence: list[tuple[str, str, bytes | str]] = []
        self.inbox = Inbox()

    async def open(self) -> None:
        plain = ShoonyaSettings(
            rest_url=f"{self.served.url}/NorenWClientAPI",
            ws_url=f"{self.served.ws_url}/NorenWSAPI/",
            masters_url=self.served.url,
            sentinels=("NIFTY",),
            quotes_a_minute=1200,
        )
        settings = replace(plain, **self._settings)  # type: ignore[arg-type]
        clock = self.market.clock
        self.gateway = open_gateway(
            ACCOUNT, settings, self.keys, clock, seeded(3), self._laid_down, Almanac(), few_roots()
        )
        self.broker = self.gateway.broker
        await self.gateway.load_master(DAY)
        await self.broker.connect(self.inbox.take)

    def hazards(self, **changed: object) -> None:
        """Switch the wire's own bad habits."""
        dialect = self.served.dialect
        assert isinstance(dialect, NorenDialect)
        dialect.hazards = msgspec.structs.replace(dialect.hazards, **changed)

    def _laid_down(self, kind: str, detail: str, sample: bytes | str) -> None:
        self.evidence.append((kind, detail, sample))

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
        await self.open()


@asynccontextmanager
async def shoonya(folder: Path, **settings: float) -> AsyncIterator[ShoonyaRig]:
    market = await still_market(
        folder, rules=paper_rules(Calendar.load()), clock=MarketClock(at("10:00")), instruments=LISTED
    )
    market.show(Quote(name=INDEX.name, ts=market.stamp(), ltp=25_000_00, booked=False))
    served = await serve(await open_noren(market), market)
    rig = ShoonyaRig(market, served, **settings)
    try:
        await rig.open()
        yield rig
    finally:
        await rig.gateway.close()
        await served.close()
        await market.close()
