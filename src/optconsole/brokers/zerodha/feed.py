"""Kite's quotes as a feed of the engine: from the stream, and while that is down asked for, a few hundred a second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import date
from typing import Final

from optconsole.brokers.transport.gateway import Evidence, Listed
from optconsole.brokers.zerodha.doubtful import Doubtful
from optconsole.brokers.zerodha.instruments import KiteMaster
from optconsole.brokers.zerodha.market import KiteMarket
from optconsole.brokers.zerodha.session import KiteSession
from optconsole.brokers.zerodha.settings import KiteSettings
from optconsole.brokers.zerodha.stream import KiteStream
from optconsole.brokers.zerodha.ticks import Decoder
from optconsole.engine.clock import Clock
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.timeline import millis
from optconsole.engine.ports import BrokerUnreachable, LoginLost, QuoteSink

USER: Final = "quotes"
LONGEST_PROBE_PAUSE: Final = 30.0


class KiteFeed:
    """Quotes of what is watched. What was asked for is kept by our names, so that it outlives sockets and files."""

    def __init__(
        self,
        settings: KiteSettings,
        stream: KiteStream,
        market: KiteMarket,
        session: KiteSession,
        clock: Clock,
        evidence: Evidence,
    ) -> None:
        self._settings, self._stream, self._market, self._session = settings, stream, market, session
        self._clock, self._evidence = clock, evidence
        self._watched: dict[str, None] = {}
        self._tokens: dict[str, tuple[int, Listed]] = {}
        self._seen: dict[str, int] = {}
        self._last: dict[str, Quote] = {}
        self._doubtful = Doubtful(settings, stream, clock, evidence)
        self._master: KiteMaster | None = None
        self._decoder = Decoder({}, evidence)
        self._sink: QuoteSink | None = None
        self._probing: asyncio.Task[None] | None = None
        stream.on_frame = self.take

    @property
    def name(self) -> str:
        return "zerodha"

    # ------------------------------------------------------------ the port

    async def start(self, sink: QuoteSink) -> None:
        self._sink = sink
        self._stream.start(USER)
        self._probing = asyncio.create_task(self._probe())

    async def stop(self) -> None:
        self._sink = None
        probing, self._probing = self._probing, None
        if probing is not None:
            probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await probing
        await self._stream.stop(USER)

    def instruments(self, day: date) -> list[Instrument]:
        """What the day's file lists; nothing before it is loaded."""
        if self._master is None or self._master.day != day:
            return []
        return [row.instrument for row in self._master.rows()]

    def watch(self, names: Sequence[str]) -> None:
        self._watched.update(dict.fromkeys(names))
        self._stream.watch([self._tokens[name][0] for name in names if name in self._tokens])

    def drop(self, names: Sequence[str]) -> None:
        for name in names:
            self._watched.pop(name, None)
            self._seen.pop(name, None)
            self._last.pop(name, None)
            self._decoder.forget(name)
        self._stream.drop([self._tokens[name][0] for name in names if name in self._tokens])

    def depth(self, name: str) -> Depth | None:
        return self._decoder.depth(name)

    def vouched(self, name: str) -> int | None:
        """The socket's heartbeat vouches for what has ticked on it since it was opened; else the last quote does."""
        seen, known = self._seen.get(name), self._tokens.get(name)
        if name not in self._watched or seen is None or known is None:
            return None
        since, silence = self._stream.live_since(known[0]), self._stream.heard_from(known[0])
        if since is None or silence is None or seen < since:
            return seen
        return max(seen, millis(self._clock.now()) - int(silence * 1000))

    def silent_for(self) -> float | None:
        return self._stream.silent_for()

    # ------------------------------------------------------------ what it lives on

    def adopt(self, master: KiteMaster) -> None:
        """Go by another day's file: yesterday's tokens are no longer asked for nor believed."""
        self._master = master
        self._tokens = {row.instrument.name: (int(row.token), row) for row in master.rows()}
        self._decoder = Decoder({int(row.token): row.instrument for row in master.rows()}, self._evidence)
        self._stream.only([self._tokens[name][0] for name in self._watched if name in self._tokens])

    def take(self, frame: bytes) -> None:
        """A binary frame of the stream."""
        now = millis(self._clock.now())
        quotes = self._decoder.decode(frame, now)
        if quotes:
            self._deliver(quotes, now)

    def _deliver(self, quotes: Sequence[Quote], now: int) -> None:
        for quote in quotes:
            self._seen[quote.name] = now
            self._last[quote.name] = quote
        if self._sink is not None:
            self._sink(quotes)

    # ------------------------------------------------------------ what the stream leaves out

    async def _probe(self) -> None:
        """Ask for quotes that the stream does not tell, a call a second at most, less often while nothing answers."""
        pause, dead = self._settings.probe_every, None
        while True:
            await self._clock.sleep(pause)
            login = self._session.key_and_token()
            batch = [] if login is None or login == dead else self._doubtful.next_batch(self._known())
            if not batch:
                pause = self._settings.probe_every
                continue
            try:
                quotes = await self._market.quotes([row for _, row in batch])
            except LoginLost:
                dead = login  # the same token is not tried again
            except BrokerUnreachable:
                pause = min(pause * 2, LONGEST_PROBE_PAUSE)
            else:
                pause = self._settings.probe_every
                self._doubtful.answered(batch, quotes, self._last)
                self._deliver([quote for quote in quotes if self._newer(quote)], millis(self._clock.now()))

    def _newer(self, quote: Quote) -> bool:
        """Whether an answer is not overtaken by what the stream told meanwhile."""
        last = self._last.get(quote.name)
        return last is None or quote.ts >= last.ts

    def _known(self) -> list[tuple[int, Listed, int]]:
        """(token, row, when it last ticked) of everything watched that is listed."""
        return [(*self._tokens[name], self._seen.get(name, 0)) for name in self._watched if name in self._tokens]
