"""One Shoonya account, opened: orders and quotes over one login and one socket."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

from optconsole.brokers.shoonya import instruments
from optconsole.brokers.shoonya.broker import ShoonyaBroker
from optconsole.brokers.shoonya.feed import ShoonyaFeed
from optconsole.brokers.shoonya.freezes import with_freezes
from optconsole.brokers.shoonya.instruments import ShoonyaMaster
from optconsole.brokers.shoonya.market import MarketHistory
from optconsole.brokers.shoonya.portfolio import Portfolio
from optconsole.brokers.shoonya.quotes import Questions
from optconsole.brokers.shoonya.settings import ShoonyaSettings
from optconsole.brokers.shoonya.stream import Stream
from optconsole.brokers.shoonya.triggers import Triggers
from optconsole.brokers.shoonya.wire import Wire
from optconsole.brokers.transport.gateway import Almanac, Credentials, Evidence
from optconsole.brokers.transport.rest import RestClient, Unanswered
from optconsole.engine.clock import Clock, Rng
from optconsole.engine.model.accounts import Account
from optconsole.engine.model.errors import Refusal

MASTER_DEADLINE = 60.0


class ShoonyaGateway:
    """Implements the gateway, with what Shoonya offers beyond it: ``questions``, ``history``, ``triggers`` and
    ``portfolio``; ``master`` is the day's list once loaded."""

    def __init__(
        self,
        account: Account,
        settings: ShoonyaSettings,
        credentials: Credentials,
        clock: Clock,
        rng: Rng,
        evidence: Evidence,
        almanac: Almanac,
        roots: Path | None = None,
    ) -> None:
        self._settings = settings
        self._evidence = evidence
        self._almanac = almanac
        self._wire = Wire(settings, credentials, clock, evidence, roots)
        self._files = RestClient(settings.masters_url, clock, deadline=MASTER_DEADLINE, roots=roots)
        self.master: ShoonyaMaster | None = None
        stream = Stream(settings, self._wire, clock, rng, evidence, roots)
        self.questions = Questions(settings, self._wire, evidence)
        self.broker = ShoonyaBroker(account, settings, self._wire, stream, clock, evidence)
        self.feed = ShoonyaFeed(account.broker, settings, stream, self.questions, clock, evidence)
        self.history = MarketHistory(self._wire)
        self.triggers = Triggers(self._wire)
        self.portfolio = Portfolio(self._wire)

    async def load_master(self, day: date) -> ShoonyaMaster:
        packed = {name: await self._file(name) for name in instruments.FILES}
        kept: list[tuple[str, str, bytes | str]] = []

        def read() -> ShoonyaMaster:
            texts = {name: instruments.unpack(content, name) for name, content in packed.items()}
            return instruments.read_master(texts, day, self._almanac, lambda *what: kept.append(what))

        # a hundred thousand rows take a second, in which prices must not stand still
        master = await asyncio.to_thread(read)
        for kind, detail, sample in kept:
            self._evidence(kind, detail, sample)
        instruments.check(master, self._settings.sentinels, self.master)
        master = await with_freezes(master, self.questions, self._evidence)
        self.master = master
        self.broker.adopt(master)
        self.feed.adopt(master)
        return master

    async def _file(self, name: str) -> bytes:
        try:
            reply = await self._files.read("GET", f"/{name}_symbols.txt.zip")
        except Unanswered as silence:
            raise Refusal("MASTER_UNREACHABLE", f"Shoonya's {name} file: {silence.cause}. Try again.") from None
        if reply.status != 200:
            raise Refusal("MASTER_UNREACHABLE", f"Shoonya's {name} file: HTTP {reply.status}. Try again.")
        return reply.body

    async def close(self) -> None:
        await self.feed.stop()
        await self.broker.close()
        await self._wire.close()
        await self._files.close()


def open_gateway(
    account: Account,
    settings: ShoonyaSettings,
    credentials: Credentials,
    clock: Clock,
    rng: Rng,
    evidence: Evidence,
    almanac: Almanac,
    roots: Path | None = None,
) -> ShoonyaGateway:
    """Open an account. Nothing is asked of Shoonya before the broker connects or the feed starts."""
    return ShoonyaGateway(account, settings, credentials, clock, rng, evidence, almanac, roots)
