"""Shoonya's quotes: one line a watched contract, streamed where the socket confirms it and asked for where not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from optconsole.brokers.shoonya import bodies, frames
from optconsole.brokers.shoonya.frames import Frame, Scrip
from optconsole.brokers.shoonya.lines import Line
from optconsole.brokers.shoonya.quotes import Questions
from optconsole.brokers.shoonya.settings import ShoonyaSettings
from optconsole.brokers.shoonya.stream import Stream
from optconsole.brokers.transport.gateway import Evidence, Master
from optconsole.engine.clock import Clock
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.quotes import Depth
from optconsole.engine.model.timeline import millis
from optconsole.engine.observe.log import incident
from optconsole.engine.ports import BrokerUnreachable, QuoteSink

TICK: Final = 0.5
"""Seconds between two looks at what is subscribed."""
TRIES: Final = 2
DEPTH_KEPT: Final = 60.0
"""Seconds after the last look at a contract's depth for which it stays subscribed."""
Key = tuple[str, str]


class ShoonyaFeed:
    """Implements the live feed over the shared stream.

    A subscription that is not confirmed is asked once more; then the socket is taken to be full, the contract is
    polled within the rate, and changes place with one that is not held if it is `hold`-ed itself.
    """

    def __init__(
        self,
        name: str,
        settings: ShoonyaSettings,
        stream: Stream,
        questions: Questions,
        clock: Clock,
        evidence: Evidence,
    ) -> None:
        self._name = name
        self._settings = settings
        self._stream = stream
        self._questions = questions
        self._clock = clock
        self._evidence = evidence
        self._master: Master | None = None
        self._sink: QuoteSink = lambda _quotes: None
        self._wanted: dict[str, None] = {}
        self._held: frozenset[str] = frozenset()
        self._lines: dict[Key, Line] = {}
        self._gone: list[Key] = []
        self._task: asyncio.Task[None] | None = None
        self._poll: asyncio.Task[None] | None = None
        self._next_poll = self._probed = 0.0
        self._news = asyncio.Event()
        self._began = self._flowed = clock.monotonic()
        stream.on_market(self._take)
        stream.on_live(self._on_live)
        stream.on_lost(self._forget_stream)

    # ------------------------------------------------------------ the port

    @property
    def name(self) -> str:
        return self._name

    async def start(self, sink: QuoteSink) -> None:
        self._sink = sink
        self._began = self._clock.monotonic()
        await self._stream.open("quotes")
        if self._task is None:
            self._task = asyncio.create_task(self._tend())

    async def stop(self) -> None:
        tasks = [task for task in (self._task, self._poll) if task is not None]
        self._task = self._poll = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._forget_stream()
        await self._stream.shut("quotes")

    def instruments(self, day: date) -> list[Instrument]:
        if self._master is None or self._master.day != day:
            return []
        return [row.instrument for row in self._master.rows()]

    def watch(self, names: Sequence[str]) -> None:
        self._wanted.update(dict.fromkeys(names))
        self._match()

    def drop(self, names: Sequence[str]) -> None:
        for name in names:
            self._wanted.pop(name, None)
        self._match()

    def hold(self, names: Sequence[str]) -> None:
        """Those of the watched that something open depends on: they are streamed first, and polled when silent."""
        self._held = frozenset(names)
        for line in self._lines.values():
            line.held = line.listed.instrument.name in self._held
        self._news.set()

    def depth(self, name: str) -> Depth | None:
        """The present book. The first look asks the stream for it; a contract nobody looks at is let go of again."""
        line = self._line(name)
        if line is None:
            return None
        if line.book_wanted is None:
            self._news.set()
        line.book_wanted = self._clock.monotonic()
        return line.depth(self._now())

    def vouched(self, name: str) -> int | None:
        line = self._line(name)
        return None if line is None else line.vouched

    def silent_for(self) -> float | None:
        return self._stream.silent_for()

    def adopt(self, master: Master) -> None:
        """Take today's contracts; yesterday's tokens mean nothing any more."""
        self._gone += self._lines
        self._lines = {}
        self._master = master
        self._match()

    # ------------------------------------------------------------ what is known of contracts

    def unstreamed(self) -> list[str]:
        """Watched contracts that the stream did not confirm; they are polled."""
        return [line.listed.instrument.name for line in self._lines.values() if line.dropped]

    def _line(self, name: str) -> Line | None:
        listed = self._master.of(name) if self._master else None
        return None if listed is None else self._lines.get((listed.segment, listed.token))

    def _match(self) -> None:
        """Make the lines those that are wanted."""
        if self._master is None:
            return
        rows = (self._master.of(name) for name in self._wanted)
        wanted = {(row.segment, row.token): row for row in rows if row is not None}
        for key in [key for key in self._lines if key not in wanted]:
            self._gone.append(key)
            del self._lines[key]
            self._ask_again()
        for key, row in wanted.items():
            if key not in self._lines:
                line = self._lines[key] = Line(row)
                line.held = row.instrument.name in self._held
        for line in self._lines.values():
            line.index = self._line(line.listed.instrument.underlying) if line.listed.instrument.tradable else None
        self._news.set()

    def _ask_again(self) -> None:
        """There is room on the stream: what it had no place for may try again."""
        for line in self._lines.values():
            if line.dropped:
                line.dropped, line.asked, line.tries = False, None, 0

    def _on_live(self) -> None:
        self._flowed = self._clock.monotonic()
        self._news.set()

    def _forget_stream(self) -> None:
        self._gone.clear()
        for line in self._lines.values():
            line.forget_stream()

    def _now(self) -> int:
        return millis(self._clock.now())

    # ------------------------------------------------------------ what comes in

    def _take(self, frame: Frame) -> None:
        line = self._lines.get((frame.e, frame.tk))
        if line is None:
            if not frame.e or not frame.tk:
                self._evidence("BAD_TICK", "A tick says of no contract that it is its own.", str(frame)[:500])
            return  # one that was let go of a moment ago still speaks
        if frame.t in ("tk", "dk"):
            self._seed(line, frame)
            return
        self._flowed = self._clock.monotonic()
        scrip = line.touch if frame.t == "tf" else line.book
        if scrip is not None and self._overlaid(line, scrip, frame):
            self._tell(line, scrip)

    def _seed(self, line: Line, frame: Frame) -> None:
        """An acknowledgement begins a stream anew, if it is this contract's and not a token's of another day."""
        listed = line.listed
        foreign = listed.instrument.tradable and frame.ts not in ("", listed.symbol)
        if foreign:
            name = listed.instrument.name
            self._evidence("WRONG_INSTRUMENT", f"The stream takes {name} for another contract.", frame.ts)
            line.dropped = True
        scrip = None if foreign else Scrip()
        if scrip is not None and not self._overlaid(line, scrip, frame):
            scrip = None
        if frame.t == "tk":
            line.touch = scrip
        else:
            line.book = scrip
        if scrip is not None:
            line.dropped = False
            self._tell(line, scrip)

    def _tell(self, line: Line, scrip: Scrip) -> None:
        now = self._now()
        line.heard, line.vouched = self._clock.monotonic(), now
        if scrip is not line.book:
            self._sink((line.quote(scrip, now),))

    def _overlaid(self, line: Line, scrip: Scrip, frame: Frame) -> bool:
        """Whether the frame was taken over; what is wrong with it is kept as evidence."""
        taken, fault = line.overlay(scrip, frame)
        if fault:
            self._evidence("BAD_TICK", f"{line.listed.instrument.name}: {fault}.", str(frame)[:500])
        return taken

    # ------------------------------------------------------------ what goes out

    async def _tend(self) -> None:
        """Keep the subscriptions what is wanted, for ever; a look that fails is reported and the next one comes."""
        while True:
            try:
                if self._stream.live:
                    await self._tidy()
                    await self._subscribe()
                    await self._depths()
                    self._look_for_acks()
                self._poll_one()
            except Exception as error:
                self._evidence("FEED_FAULT", f"Keeping the quotes failed, reported as {incident('feed', error)}.", "")
            self._news.clear()
            pause = asyncio.ensure_future(self._clock.sleep(TICK))
            news = asyncio.ensure_future(self._news.wait())
            try:
                await asyncio.wait((pause, news), return_when=asyncio.FIRST_COMPLETED)
            finally:
                pause.cancel()
                news.cancel()

    async def _tidy(self) -> None:
        """Unsubscribe what is wanted no more."""
        gone = [key for key in self._gone if key not in self._lines or self._lines[key].dropped]
        self._gone.clear()
        await self._send_all("u", gone)

    async def _subscribe(self) -> None:
        """Ask for what is not asked for yet, the held first."""
        fresh = [key for key, line in self._lines.items() if line.asked is None and not line.dropped]
        fresh.sort(key=lambda key: not self._lines[key].held)
        now = self._clock.monotonic()
        for key in fresh:
            self._lines[key].asked = now
            self._lines[key].tries += 1
        await self._send_all("t", fresh)

    async def _depths(self) -> None:
        """Subscribe the depth of what is looked at, and let go of the rest."""
        now = self._clock.monotonic()
        new: list[Key] = []
        old: list[Key] = []
        for key, line in self._lines.items():
            if line.book_wanted is None:
                continue
            asked = line.book_asked
            if now - line.book_wanted > DEPTH_KEPT:
                line.book = line.book_wanted = line.book_asked = None
                if asked is not None:
                    old.append(key)
            elif asked is None or (line.book is None and now - asked > DEPTH_KEPT):
                line.book_asked = now
                new.append(key)
        await self._send_all("ud", old)
        await self._send_all("d", new)

    async def _send_all(self, kind: str, keys: Sequence[Key]) -> None:
        size = self._settings.batch
        for start in range(0, len(keys), size):
            if start:
                await self._clock.sleep(self._settings.batch_gap)
            await self._stream.send(kind, k=bodies.scrips(keys[start : start + size]))

    def _look_for_acks(self) -> None:
        """Ask again for what was not confirmed; then take the stream to be full, or, if nothing was, to be mute."""
        now, patience = self._clock.monotonic(), self._settings.ack_patience
        late = [
            (key, line)
            for key, line in self._lines.items()
            if line.touch is None and not line.dropped and line.asked is not None and now - line.asked > patience
        ]
        if not late:
            return
        if all(line.touch is None for line in self._lines.values()) and any(line.tries >= TRIES for _, line in late):
            self._evidence("MUTE_STREAM", f"None of {len(late)} subscriptions was confirmed.", "")
            self._stream.reconnect("it takes subscriptions and says nothing")
            return
        missing = [line for _, line in late if line.tries >= TRIES]
        for _, line in late:
            if line.tries < TRIES:
                line.asked = None
                self._news.set()
        if missing:
            self._shed(missing)

    def _shed(self, missing: Sequence[Line]) -> None:
        """Tell what is not streamed, and make room for what is held."""
        names = ", ".join(line.listed.instrument.name for line in missing)
        streamed = sum(line.touch is not None for line in self._lines.values())
        self._evidence(
            "NOT_STREAMED", f"Shoonya confirmed {streamed} contracts and not {len(missing)}, which are polled.", names
        )
        spare = [key for key, line in self._lines.items() if line.touch is not None and not line.held]
        for line in missing:
            line.dropped = True
            if line.held and spare:
                key = spare.pop()
                self._lines[key].forget_stream()
                self._lines[key].dropped = True
                self._gone.append(key)
                line.dropped, line.asked, line.tries = False, None, 0
                self._news.set()

    # ------------------------------------------------------------ asking

    def _poll_one(self) -> None:
        """Ask for the quote that has waited longest among those that nobody streams, within the rate."""
        now = self._clock.monotonic()
        if now < self._next_poll or (self._poll is not None and not self._poll.done()):
            return
        line = min(self._to_poll(now), key=lambda each: (not each.held, each.silent_since(self._began)), default=None)
        if line is not None:
            self._next_poll = now + 60.0 / self._settings.quotes_a_minute
            line.polled = self._probed = now
            self._poll = asyncio.create_task(self._ask(line))

    def _to_poll(self, now: float) -> Iterable[Line]:
        """Contracts without a stream, held ones that are silent, and any one of a stream that is silent altogether."""
        silence = self._settings.silence
        for line in self._lines.values():
            if line.dropped or (line.held and now - line.silent_since(self._began) > silence):
                yield line
        if self._silent(now) and now - self._probed > silence:
            yield from list(self._lines.values())[:1]

    def _silent(self, now: float) -> bool:
        """Whether the stream has told no change of anything for too long: a quiet market, or a mute stream."""
        return self._stream.live and now - self._flowed > self._settings.silence

    async def _ask(self, line: Line) -> None:
        try:
            row = await self._questions.quote(line.listed)
        except BrokerUnreachable:
            return  # the age of the quote says so
        scrip = line.touch or Scrip()
        before = scrip.traded()
        if not self._overlaid(line, scrip, frames.of_reply(row)):
            return
        self._tell(line, scrip)
        if scrip is line.touch and scrip.traded() != before and self._silent(self._clock.monotonic()):
            # yesterday's token is let in and subscribed, and then told nothing
            self._evidence("MUTE_STREAM", "The stream says nothing of a market that moves.", "")
            self._stream.reconnect("the market moves and it says nothing")
