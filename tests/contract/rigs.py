"""Brokers on a test bench: one rig per implementation of the Broker port, each able to make its market show a book.

A new broker joins the contract suite with one more entry in ``RIGS``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.clock import MarketClock, seeded
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import millis
from optconsole.runtime.rates import paper_rules
from tests.brokers.paper.stage import ACCOUNT, CALL, INDEX, LISTED, at
from tests.contract.angelone_rig import angelone
from tests.contract.rig import Inbox, Rig
from tests.contract.shoonya_rig import shoonya
from tests.contract.zerodha_rig import zerodha


class PaperRig:
    """The paper broker with real delays on a running clock."""

    def __init__(self, folder: Path) -> None:
        self.instrument = CALL
        self.inbox = Inbox()
        self._folder = folder
        self._clock = MarketClock(at("10:00"))
        self.broker = self._open()

    def _open(self) -> PaperBroker:
        settings = PaperSettings(ack_latency_ms=1, update_latency_ms=1, latency_jitter_ms=1)
        rules = paper_rules(Calendar.load())
        broker = PaperBroker(ACCOUNT, self._clock, self._folder / "paper.db", settings, rules, seeded(3))
        broker.load(LISTED)
        broker.on_quotes([Quote(name=INDEX.name, ts=millis(self._clock.now()), ltp=25_000_00, booked=False)])
        return broker

    async def start(self) -> None:
        await self.broker.connect(self.inbox.take)

    async def show(self, bid: tuple[int, int] | None, ask: tuple[int, int] | None, ltp: int) -> None:
        quote = Quote(
            name=self.instrument.name,
            ts=millis(self._clock.now()),
            bid=bid[0] if bid else None,
            bid_qty=bid[1] if bid else 0,
            ask=ask[0] if ask else None,
            ask_qty=ask[1] if ask else 0,
            ltp=ltp,
        )
        self.broker.on_quotes([quote])

    async def reconnect(self) -> None:
        await self.broker.close()
        self.inbox = Inbox()
        self.broker = self._open()
        await self.start()


@asynccontextmanager
async def paper(folder: Path) -> AsyncIterator[Rig]:
    rig = PaperRig(folder)
    await rig.start()
    yield rig
    await rig.broker.close()


RIGS: dict[str, Callable[[Path], AbstractAsyncContextManager[Rig]]] = {
    "angelone": angelone,
    "paper": paper,
    "shoonya": shoonya,
    "zerodha": zerodha,
}
