"""Quotes over up to three sockets of a thousand contracts, and over REST, within bounds, for what no socket carries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from optconsole.brokers.angelone import bodies, frames
from optconsole.brokers.angelone.instruments import AngelMaster
from optconsole.brokers.angelone.lines import Line
from optconsole.brokers.angelone.quotes import Band, fault, quote_of, quote_row
from optconsole.brokers.angelone.rows import BadRow
from optconsole.brokers.angelone.settings import AngelSettings
from optconsole.brokers.angelone.tally import Tally
from optconsole.brokers.angelone.wire import Wire
from optconsole.brokers.angelone.words import SEGMENTS
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.clock import Clock, Rng
from optconsole.engine.model.instruments import Instrument, Kind
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.timeline import millis
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.ports import BrokerUnreachable, QuoteSink

QUOTE_PATH: Final = "/rest/secure/angelbroking/market/v1/quote/"
PROBE_EVERY: Final = 1.0
MUTE_EVERY: Final = 10.0
"""Seconds between two looks by REST at what a socket carries that answers and says nothing."""
NEWER: Final = 3_000
"""Milliseconds by which REST must be ahead of the stream before the stream counts as stuck."""
PROBE_REST: Final = 5.0
"""Seconds until the next probe after one that failed."""
FIRST_WORD: Final = 10.0
"""Seconds after which a contract that was asked for and never quoted is asked for by REST."""
NEXT_WORD: Final = 60.0
"""Seconds until one that REST did not quote either is asked for again."""
EARLIEST, LATEST = 10**12, 4 * 10**12
"""Epoch milliseconds between which a stamp is a time at all."""


@dataclass(slots=True)
class Watched:
    """A contract that is watched. ``heard`` is the monotonic second at which the source last said anything of it."""

    listed: Listed
    key: bytes
    line: Line | None
    since: float
    heard: float | None = None
    probed: float | None = None
    packet: bytes | Depth | None = None
    band: Band | None = None
    last: Quote | None = None


class AngelFeed:
    """A `LiveFeed`. What is watched survives every connection; ``adopt`` gives it the day's contracts."""

    def __init__(
        self,
        settings: AngelSettings,
        wire: Wire,
        clock: Clock,
        rng: Rng,
        tally: Tally,
        roots: Path | None = None,
    ) -> None:
        self._settings = settings
        self._wire = wire
        self._clock = clock
        self._rng = rng
        self._tally = tally
        self._roots = roots
        self._master: AngelMaster | None = None
        self._sink: QuoteSink | None = None
        self._wishes: dict[str, None] = {}
        self._watched: dict[str, Watched] = {}
        self._by_key: dict[bytes, Watched] = {}
        self._unseated: dict[str, Watched] = {}
        self._lines: list[Line] = []
        self._prober: asyncio.Task[None] | None = None
        self._turn = 0
        self._mute_asked = -MUTE_EVERY
        self.probes = 0
        """Calls by REST for want of a socket."""
        self.strays = 0
        """Packets of contracts that are not watched, as come for a moment after one is dropped."""

    # ------------------------------------------------------------ the port

    @property
    def name(self) -> str:
        return "angelone"

    async def start(self, sink: QuoteSink) -> None:
        self._sink = sink
        if self._prober is None:
            self._prober = asyncio.create_task(self._probe())
        for line in self._lines or [self._open_line()]:
            line.socket.start()

    async def stop(self) -> None:
        prober, self._prober = self._prober, None
        if prober is not None:
            prober.cancel()
            await asyncio.gather(prober, return_exceptions=True)
        self._sink = None
        for line in self._lines:
            await line.stop()

    def instruments(self, day: date) -> list[Instrument]:
        """What the file of ``day`` lists; nothing before it is loaded."""
        master = self._master
        return [row.instrument for row in master.rows()] if master is not None and master.day == day else []

    def watch(self, names: Sequence[str]) -> None:
        for name in names:
            self._wishes[name] = None
            if name not in self._watched:
                self._watch(name)

    def drop(self, names: Sequence[str]) -> None:
        for name in names:
            self._wishes.pop(name, None)
            self._forget(name)
        self._seat()

    def depth(self, name: str) -> Depth | None:
        watched = self._watched.get(name)
        if watched is None or watched.packet is None:
            return None
        packet = watched.packet
        return packet if isinstance(packet, Depth) else frames.depth(name, packet)

    def vouched(self, name: str) -> int | None:
        """The stream tells changes: what it told since it was opened stands for as long as it tells others."""
        watched = self._watched.get(name)
        if watched is None or watched.heard is None:
            return None
        at, line = watched.heard, watched.line
        if line is not None and line.live and at >= line.open_since:
            at = max(at, line.packet_at)
        return millis(self._clock.now()) - round((self._clock.monotonic() - at) * 1000)

    def silent_for(self) -> float | None:
        """Of the socket that has been silent longest; None while one that carries contracts is not open."""
        carrying = [line for line in self._lines if line.names()] or self._lines[:1]
        silences = [line.socket.silent_for() if line.live else None for line in carrying]
        known = [each for each in silences if each is not None]
        return max(known) if known and len(known) == len(silences) else None

    # ------------------------------------------------------------ what the gateway asks

    def adopt(self, master: AngelMaster) -> None:
        """Take the day's contracts: tokens of another day are forgotten, what is still listed is asked for anew."""
        self._master = master
        for name in list(self._watched):
            self._forget(name)
        self.watch(list(self._wishes))

    @property
    def state(self) -> LinkState:
        """STALE while any contract is without its socket."""
        if self._sink is None:
            return LinkState.CLOSED
        if all(line.live for line in self._lines):
            return LinkState.LIVE
        return LinkState.DEAD if any(line.socket.state == "refused" for line in self._lines) else LinkState.STALE

    @property
    def why(self) -> str:
        """Why the stream is not whole; empty while it is."""
        return next((line.why for line in self._lines if not line.live and line.why), "")

    # ------------------------------------------------------------ who comes over which socket

    def _watch(self, name: str) -> None:
        listed = self._master.of(name) if self._master is not None else None
        if listed is None:
            if self._master is not None:
                self._tally.note("NOT_LISTED", f"{name} is not in today's instrument file and gets no quotes.", name)
            return
        key = frames.key_of(SEGMENTS[listed.segment], listed.token)
        watched = Watched(listed, key, None, self._clock.monotonic())
        self._watched[name] = self._by_key[key] = self._unseated[name] = watched
        self._seat()
        if watched.line is None:
            cap = self._settings.sockets * self._settings.tokens_a_socket
            self._tally.note(
                "SUBSCRIPTION_CAP",
                f"{name} is beyond the {cap} contracts that the sockets carry; REST asks for it.",
                name,
            )

    def _forget(self, name: str) -> None:
        watched = self._watched.pop(name, None)
        if watched is None:
            return
        del self._by_key[watched.key]
        self._unseated.pop(name, None)
        if watched.line is not None:
            watched.line.drop(name)

    def _seat(self) -> None:
        """Give contracts without a socket a place, where there is one."""
        for name, watched in list(self._unseated.items()):
            line = self._with_room()
            if line is None:
                return
            del self._unseated[name]
            watched.line, watched.since = line, self._clock.monotonic()
            line.want(watched.listed)

    def _with_room(self) -> Line | None:
        for line in self._lines:
            if line.room > 0:
                return line
        return self._open_line() if len(self._lines) < self._settings.sockets else None

    def _open_line(self) -> Line:
        line = Line(
            len(self._lines), self._settings, self._wire, self._clock, self._rng, self._tally, self._take, self._roots
        )
        self._lines.append(line)
        if self._sink is not None:
            line.socket.start()
        return line

    # ------------------------------------------------------------ what comes

    def _take(self, packet: bytes) -> None:
        """A packet becomes a quote in one call: nothing is queued."""
        tick = frames.decode(packet)
        if tick is None or not EARLIEST < tick.at < LATEST:
            what = f"mode {packet[0]}, {len(packet)} bytes" if packet else "nothing in it"
            self._tally.note("BAD_FRAME", f"A packet of the quote stream has no documented form ({what}).", packet[:64])
            return
        watched = self._by_key.get(tick.key) or self._by_key.get(frames.cleaned(tick.key))
        if watched is None:
            self.strays += 1
            return
        if watched.line is not None:
            watched.line.packet_at = self._clock.monotonic()
        instrument = watched.listed.instrument
        if tick.mode == frames.DEPTH:
            return  # nobody asks for it: it says no price
        band = (tick.lower, tick.upper) if tick.upper > 0 else watched.band
        booked = tick.mode == frames.SNAP and instrument.kind is not Kind.INDEX
        if self._offer(watched, quote_of(instrument.name, tick, booked), band, packet):
            watched.packet = packet

    def _offer(self, watched: Watched, quote: Quote, band: Band | None, sample: bytes) -> bool:
        """Pass a quote on if it can be true (MD-6); whether it was."""
        instrument = watched.listed.instrument
        index = self._watched.get(instrument.underlying)
        wrong = fault(quote, watched.listed, band, index.last.ltp if index and index.last else None)
        if wrong is not None:
            self._tally.note(*wrong, sample[:64])
            return False
        watched.band = band
        watched.last = quote
        watched.heard = self._clock.monotonic()
        if self._sink is not None:
            self._sink((quote,))
        return True

    # ------------------------------------------------------------ what no socket carries

    async def _probe(self) -> None:
        """Ask by REST, at most once a second and for fifty contracts, while the stream does not carry them."""
        while True:
            await self._clock.sleep(PROBE_EVERY)
            due = self._unserved() or self._doubted()
            if not due:
                continue
            start = self._turn % len(due)
            chosen = (due[start:] + due[:start])[: self._settings.quotes_a_call]
            self._turn = start + len(chosen)
            try:
                await self.ask(chosen)
            except BrokerUnreachable:  # the vitals show it; what is unquoted ages and is judged by its age
                await self._clock.sleep(PROBE_REST)

    def _unserved(self) -> list[Watched]:
        now = self._clock.monotonic()
        return [each for each in self._watched.values() if _unserved(each, now)]

    def _doubted(self) -> list[Watched]:
        """What comes over sockets that answer and say nothing: a quiet market, or a stream that is stuck."""
        now = self._clock.monotonic()
        if now - self._mute_asked < MUTE_EVERY:
            return []
        found = [each for each in self._watched.values() if each.line is not None and each.line.mute]
        if found:
            self._mute_asked = now
        return found

    async def ask(self, chosen: Sequence[Watched]) -> None:
        """One quote call for up to fifty contracts. Raises BrokerUnreachable, LoginLost."""
        tokens: dict[str, list[str]] = {}
        for each in chosen:
            tokens.setdefault(each.listed.segment, []).append(each.listed.token)
        self.probes += 1
        data = await self._wire.post(QUOTE_PATH, "quote", bodies.quote("FULL", tokens))
        rows = data.get("fetched") if isinstance(data, dict) else None
        if not isinstance(rows, list):
            raise BrokerUnreachable("Angel One answered a quote without its rows.")
        for each in chosen:
            each.probed = self._clock.monotonic()
        by_token = {(each.listed.segment, each.listed.token): each for each in chosen}
        for row in rows:
            asked = (str(row.get("exchange")), str(row.get("symbolToken"))) if isinstance(row, dict) else ("", "")
            found = by_token.get(asked)
            if found is None:
                text = "A quote came for a contract that was not asked for."
                self._tally.note("WRONG_INSTRUMENT", text, str(row)[:200])
            else:
                self._take_row(row, found)

    def _take_row(self, row: dict[str, object], watched: Watched) -> None:
        try:
            quote, depth, band = quote_row(row, watched.listed)
        except BadRow as bad:
            self._tally.note("BAD_ROW", f"A quote of {watched.listed.instrument.name}: {bad}.", str(row)[:200])
            return
        if watched.line is not None and watched.line.live and watched.last is not None:
            before = watched.last
            if quote.ts - before.ts < NEWER or (quote.ltp, quote.volume) == (before.ltp, before.volume):
                watched.heard = self._clock.monotonic()
                return  # the stream knows as much
            watched.line.socket.reconnect("the stream is behind what REST knows")
        if self._offer(watched, quote, band or watched.band, str(row)[:64].encode()):
            watched.packet = depth


def _unserved(watched: Watched, now: float) -> bool:
    """Whether no socket carries a contract, or the one that should has not said a word of it."""
    if watched.line is None or not watched.line.live:
        return True
    if watched.heard is not None or now - watched.since < FIRST_WORD:
        return False
    return watched.probed is None or now - watched.probed > NEXT_WORD
