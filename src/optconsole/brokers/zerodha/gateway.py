"""One account at Zerodha, opened: REST, stream, broker and feed put together."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

from optconsole.brokers.transport.gateway import Almanac, Credentials, Evidence
from optconsole.brokers.transport.rest import RestClient, Unanswered
from optconsole.brokers.zerodha.broker import KiteBroker
from optconsole.brokers.zerodha.feed import KiteFeed
from optconsole.brokers.zerodha.instruments import KiteMaster, read_master
from optconsole.brokers.zerodha.market import KiteMarket
from optconsole.brokers.zerodha.notes import Notes
from optconsole.brokers.zerodha.session import KiteSession
from optconsole.brokers.zerodha.settings import BUDGETS, KiteSettings
from optconsole.brokers.zerodha.stream import KiteStream
from optconsole.engine.clock import Clock, Rng
from optconsole.engine.model.accounts import Account
from optconsole.engine.model.errors import Refusal

MASTER_DEADLINE = 60.0


class KiteGateway:
    """``broker`` and ``feed`` share a login and a socket."""

    def __init__(
        self,
        settings: KiteSettings,
        client: RestClient,
        session: KiteSession,
        broker: KiteBroker,
        feed: KiteFeed,
        notes: Notes,
        almanac: Almanac,
    ) -> None:
        self._settings, self._client, self._session = settings, client, session
        self._notes, self._almanac = notes, almanac
        self._master: KiteMaster | None = None
        self.broker = broker
        self.feed = feed

    async def load_master(self, day: date) -> KiteMaster:
        """Download, check and adopt a day's instruments. Raises Refusal(MASTER_BAD | MASTER_UNREACHABLE)."""
        try:
            reply = await self._client.read(
                "GET",
                self._settings.master_url or "/instruments",
                headers=self._session.headers(),
                deadline=MASTER_DEADLINE,
            )
        except Unanswered as silent:
            raise Refusal("MASTER_UNREACHABLE", f"Zerodha gives no instrument file: {silent.cause}.") from None
        if reply.status != 200:
            raise Refusal("MASTER_UNREACHABLE", f"Zerodha gives no instrument file ({reply.status}): {reply.text(100)}")
        last = self._master
        if last is not None and last.day != day:
            self._notes.turn()
        yesterday = len(last.rows()) if last is not None and last.day < day else None
        # a hundred thousand lines: the engine must not stand still for them
        odd: list[tuple[str, str, str]] = []
        try:
            master = await asyncio.to_thread(self._read, reply.body, day, odd, yesterday)
        finally:
            for kind, detail, sample in odd:
                self._notes(kind, detail, sample)
        self._master = master
        self.broker.adopt(master)
        self.feed.adopt(master)
        return master

    def _read(self, body: bytes, day: date, odd: list[tuple[str, str, str]], yesterday: int | None) -> KiteMaster:
        """On a thread of its own, so that what is odd is only noted here."""
        text = body.decode("utf-8", "replace")
        return read_master(text, day, self._almanac, lambda *note: odd.append(note), yesterday)

    async def close(self) -> None:
        await self.feed.stop()
        await self.broker.close()
        await self._client.close()


def open_gateway(
    account: Account,
    settings: KiteSettings,
    credentials: Credentials,
    clock: Clock,
    rng: Rng,
    evidence: Evidence,
    almanac: Almanac,
    roots: Path | None = None,
) -> KiteGateway:
    """Put an account together; nothing is sent yet. Raises Refusal(PLAIN_TEXT | BAD_URL | BAD_ROOTS)."""
    notes = Notes(evidence)
    client = RestClient(settings.rest_url, clock, deadline=settings.deadline, budgets=BUDGETS, roots=roots)
    session = KiteSession(client, credentials)
    stream = KiteStream(settings, session, clock, rng, notes, roots)
    market = KiteMarket(settings, session, clock, notes)
    broker = KiteBroker(account, settings, session, stream, market, clock, notes)
    feed = KiteFeed(settings, stream, market, session, clock, notes)
    return KiteGateway(settings, client, session, broker, feed, notes, almanac)
