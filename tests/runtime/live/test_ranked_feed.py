from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date

from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.ports import QuoteSink
from optconsole.runtime.ranked_feed import BACK, DEAD, MOST, RankedFeed
from tests.runtime.live.hands import HandClock

NEEDED = {"HELD"}


class Source:
    """A broker's feed that says what it is told to say."""

    name = "source"

    def __init__(self) -> None:
        self.sink: QuoteSink | None = None
        self.watched: list[str] = []
        self.held: list[str] = []

    async def start(self, sink: QuoteSink) -> None:
        self.sink = sink

    async def stop(self) -> None:
        self.sink = None

    def instruments(self, day: date) -> list[Instrument]:
        return []

    def watch(self, names: Sequence[str]) -> None:
        self.watched += names

    def drop(self, names: Sequence[str]) -> None:
        self.watched = [name for name in self.watched if name not in names]

    def hold(self, names: Sequence[str]) -> None:
        self.held = list(names)

    def depth(self, name: str) -> Depth | None:
        return Depth(name=name, ts=0)

    def vouched(self, name: str) -> int | None:
        return 1

    def silent_for(self) -> float | None:
        return None

    def say(self, ltp: int) -> None:
        assert self.sink is not None
        self.sink([Quote(name="NIFTY", ts=1, ltp=ltp)])


async def opened() -> tuple[RankedFeed, Source, Source, HandClock, list[int | None], list[str]]:
    first, second, clock = Source(), Source(), HandClock()
    told: list[str] = []
    heard: list[int | None] = []
    sources = [("kite", first), ("angel", second)]
    feed = RankedFeed(sources, clock, lambda _day: [], lambda code, _text: told.append(code), lambda: NEEDED)
    await feed.start(lambda quotes: heard.extend(quote.ltp for quote in quotes))
    return feed, first, second, clock, heard, told


async def test_only_the_best_source_that_speaks_is_heard() -> None:
    feed, first, second, clock, heard, told = await opened()
    for price in range(3):
        clock.pass_by(1.0)
        first.say(price)
        second.say(100 + price)
    assert heard == [0, 1, 2]
    assert feed.name == "kite"
    assert told == []


async def test_the_next_source_speaks_when_the_best_has_fallen_silent() -> None:
    feed, first, second, clock, heard, told = await opened()
    first.say(1)
    clock.pass_by(DEAD + 0.1)
    second.say(2)
    assert heard == [1, 2]
    assert (feed.name, told) == ("angel", ["FEED_FAILED_OVER"])


async def test_the_best_source_is_believed_again_only_after_it_spoke_without_a_break() -> None:
    feed, first, second, clock, heard, told = await opened()
    clock.pass_by(DEAD + 0.1)
    second.say(1)
    first.say(2)
    clock.pass_by(BACK / 2)
    second.say(3)
    first.say(4)  # after a pause longer than DEAD: it begins anew
    for _ in range(int(BACK) + 1):
        clock.pass_by(1.0)
        second.say(5)
        first.say(6)
    assert heard[:2] == [1, 3]
    assert heard[-1] == 6
    assert (feed.name, told) == ("kite", ["FEED_FAILED_OVER", "FEED_BACK"])


async def test_every_source_watches_so_that_none_begins_from_nothing() -> None:
    feed, first, second, *_ = await opened()
    feed.watch(["NIFTY", "BANKNIFTY"])
    assert first.watched == second.watched == ["NIFTY", "BANKNIFTY"]


async def test_of_too_many_those_asked_for_longest_ago_are_let_go_but_never_what_is_held() -> None:
    feed, first, *_ = await opened()
    feed.watch(["HELD", "OLD", "OLDER THAN IT LOOKS"])
    feed.watch([f"C{number}" for number in range(MOST - 2)])
    assert "OLD" not in first.watched
    feed.watch(["OLDER THAN IT LOOKS", "NEW"])
    assert {"HELD", "OLDER THAN IT LOOKS", "NEW"} <= set(first.watched)
    assert "C0" not in first.watched
    assert len(set(first.watched)) == MOST


async def test_a_feed_that_cannot_stream_everything_is_told_what_is_held() -> None:
    feed, first, second, clock, *_ = await opened()
    await asyncio.sleep(0)
    clock.pass_by(1.1)
    for _turn in range(3):
        await asyncio.sleep(0)
    assert first.held == second.held == ["HELD"]
    await feed.stop()
