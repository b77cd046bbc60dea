"""One account at Angel One, opened: its broker, its quotes and the day's contracts."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Final

from optconsole.brokers.angelone.books import Books
from optconsole.brokers.angelone.broker import AngelBroker
from optconsole.brokers.angelone.feed import AngelFeed
from optconsole.brokers.angelone.instruments import AngelMaster, read_master
from optconsole.brokers.angelone.settings import AngelSettings
from optconsole.brokers.angelone.tally import Tally
from optconsole.brokers.angelone.wire import Wire
from optconsole.brokers.transport.gateway import Almanac, Credentials, Evidence
from optconsole.brokers.transport.rest import Unanswered
from optconsole.engine.clock import Clock, Rng
from optconsole.engine.model.accounts import Account
from optconsole.engine.model.errors import Refusal

MOST_CHANGE: Final = 0.3
"""The part of yesterday's number of contracts by which today's may differ."""


class AngelGateway:
    """What one account is given. Close it when done."""

    def __init__(
        self,
        account: Account,
        settings: AngelSettings,
        credentials: Credentials,
        clock: Clock,
        rng: Rng,
        evidence: Evidence,
        almanac: Almanac,
        roots: Path | None = None,
    ) -> None:
        self._settings = settings
        self._almanac = almanac
        self._master: AngelMaster | None = None
        self.tally = Tally(evidence)
        self._wire = Wire(settings, credentials, clock, roots, self.tally)
        self._books = Books(account.id, self._wire, clock, self.tally)
        self.feed = AngelFeed(settings, self._wire, clock, rng, self.tally, roots)
        self.broker = AngelBroker(account, settings, self._wire, self._books, self.feed, clock, rng, self.tally, roots)

    async def load_master(self, day: date) -> AngelMaster:
        """Download, check and adopt the day's contracts. Raises Refusal(MASTER_BAD | MASTER_UNREACHABLE)."""
        try:
            reply = await self._wire.file(self._settings.master_url, self._settings.master_deadline)
        except Unanswered as silence:
            raise _unreachable(silence.cause) from None
        if reply.status != 200:
            raise _unreachable(f"it was answered with {reply.status}")
        master = await asyncio.to_thread(read_master, reply.body, day, self._almanac, self._settings.sentinels)
        before = self._master
        if before is not None:
            _require_alike(len(before.rows()), len(master.rows()))
        self._master = master
        self._books.adopt(master)
        self.feed.adopt(master)
        return master

    async def close(self) -> None:
        await self.feed.stop()
        await self.broker.close()
        await self._wire.close()


def open_gateway(
    account: Account,
    settings: AngelSettings,
    credentials: Credentials,
    clock: Clock,
    rng: Rng,
    evidence: Evidence,
    almanac: Almanac,
    roots: Path | None = None,
) -> AngelGateway:
    """Put an account together. Nothing is connected yet. Raises Refusal for addresses that are not safe."""
    return AngelGateway(account, settings, credentials, clock, rng, evidence, almanac, roots)


def _require_alike(before: int, now: int) -> None:
    if abs(now - before) > before * MOST_CHANGE:
        raise Refusal(
            "MASTER_BAD",
            f"Angel One's instrument file lists {now} contracts after {before} before; it is not taken. Look at it, "
            "and restart to take it as it is.",
        )


def _unreachable(why: str) -> Refusal:
    return Refusal("MASTER_UNREACHABLE", f"Angel One's instrument file cannot be downloaded: {why}. Try again later.")
