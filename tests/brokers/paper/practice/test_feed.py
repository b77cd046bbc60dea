"""The feed in its own time: a clock whose sleep only turns the hands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec
import pytest

from optconsole.brokers.paper.practice.feed import PracticeFeed
from optconsole.engine.clock import MarketClock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import listing
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST, from_millis
from optconsole.engine.ports import Feed, Playback


class TurnedClock(MarketClock):
    """A market clock on a machine whose time passes only in sleep."""

    def __init__(self, start: datetime) -> None:
        self.machine = 0.0
        super().__init__(start, speed=1.0, monotonic=lambda: self.machine)

    async def sleep(self, seconds: float) -> None:
        self.machine += seconds
        await asyncio.sleep(0)


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=IST)


class Market:
    """A practice feed with everything it told and asked written down."""

    def __init__(self, calendar: Calendar, start: datetime, *, rate: float = 400.0, speed: float = 1.0) -> None:
        self.clock = TurnedClock(start)
        self.batches: list[Sequence[Quote]] = []
        self.told: list[tuple[str, date, datetime]] = []
        self.settled = 0
        self.feed = PracticeFeed(
            seed=7,
            clock=self.clock,
            calendar=calendar,
            listing=listing,
            on_open=self._opened,
            on_close=self._closed,
            settled=self._settled,
            rate=rate,
            speed=speed,
        )

    async def _opened(self, day: date) -> None:
        self.told.append(("open", day, self.clock.now()))

    async def _closed(self, day: date) -> None:
        self.told.append(("close", day, self.clock.now()))

    async def _settled(self) -> None:
        self.settled += 1

    @property
    def quotes(self) -> list[Quote]:
        return [quote for batch in self.batches for quote in batch]

    async def play(self, until: datetime) -> None:
        await self.feed.start(self.batches.append)
        await self.feed.run_to(until)
        await self.feed.stop()


def test_the_feed_is_a_feed_and_a_playback(calendar: Calendar) -> None:
    feed = Market(calendar, at(25, 11)).feed
    as_feed: Feed = feed
    as_playback: Playback = feed
    assert as_feed.name == "practice"
    assert as_playback.speed == 1.0


async def test_at_the_start_every_listed_contract_gets_a_quote_in_small_batches(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11))
    await market.play(at(25, 11, 0, 1))
    listed = [item.name for item in market.feed.instruments(date(2026, 11, 25))]
    assert len(listed) > 3000
    assert [quote.name for quote in market.quotes[: len(listed)]] == listed
    assert max(len(batch) for batch in market.batches) <= 400
    assert {from_millis(quote.ts) for quote in market.quotes[: len(listed)]} == {at(25, 11)}


@pytest.mark.parametrize("rate", [50.0, 400.0, 5_000.0])
async def test_the_feed_sends_the_asked_number_of_quotes_a_second(calendar: Calendar, rate: float) -> None:
    market = Market(calendar, at(25, 11), rate=rate)
    await market.play(at(25, 11, 0, 20))
    snapshot = len(market.feed.instruments(date(2026, 11, 25)))
    sent = len(market.quotes) - snapshot
    indices = 20 * 4 * 4
    assert sent == pytest.approx(20 * rate + indices, rel=0.08)


async def test_the_rate_is_of_real_time_at_any_speed(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11), rate=1_000.0, speed=60.0)
    await market.play(at(25, 11, 20))
    snapshot = len(market.feed.instruments(date(2026, 11, 25)))
    assert market.clock.machine == pytest.approx(20.0, abs=0.2)
    assert len(market.quotes) - snapshot == pytest.approx(20 * 1_000, rel=0.15)


async def test_what_is_sent_is_what_the_day_says_of_that_instant(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11))
    await market.play(at(25, 11, 0, 5))
    day = market.feed.day
    assert day is not None
    for quote in market.quotes[::97]:
        instrument = day.sheet.instruments[day.sheet.place[quote.name]]
        assert day.quote(instrument, from_millis(quote.ts)) == quote


async def test_no_quote_is_older_than_one_sent_before_nor_ahead_of_the_clock(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11))
    ahead = []
    market.batches = Noting(lambda batch: ahead.append(from_millis(batch[0].ts) > market.clock.now()))
    await market.play(at(25, 11, 0, 10))
    stamps = [batch[0].ts for batch in market.batches]
    assert stamps == sorted(stamps)
    assert not any(ahead)


class Noting(list[Sequence[Quote]]):
    """A list that calls back on every append."""

    def __init__(self, note: object) -> None:
        super().__init__()
        self._note = note

    def append(self, batch: Sequence[Quote]) -> None:
        self._note(batch)  # type: ignore[operator]
        super().append(batch)


async def test_at_full_speed_every_second_is_played_and_each_batch_is_settled(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11), rate=20.0, speed=0.0)
    await market.play(at(25, 11, 5))
    played = sorted({quote.ts for quote in market.quotes})
    assert market.settled == 300
    assert len(played) == 301
    assert market.clock.machine == 0.0
    assert market.clock.now() == at(25, 11, 5)


async def test_two_runs_at_full_speed_are_the_same_to_the_byte(calendar: Calendar) -> None:
    runs = []
    for _ in range(2):
        market = Market(calendar, at(25, 11), rate=50.0, speed=0.0)
        await market.play(at(25, 11, 2))
        runs.append(msgspec.msgpack.encode(market.batches))
    assert runs[0] == runs[1]


async def test_watched_contracts_tick_every_second(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11), rate=1.0)
    far = market.feed.instruments(date(2026, 11, 25))[-1].name
    market.feed.watch([far, "NIFTY 01DEC05 1 CE"])
    await market.play(at(25, 11, 0, 10))
    snapshot = len(market.feed.instruments(date(2026, 11, 25)))
    stamps = [quote.ts for quote in market.quotes[snapshot:] if quote.name == far]
    assert 9 <= len(stamps) <= 12


async def test_the_night_the_weekend_and_the_holiday_are_jumped_over(calendar: Calendar) -> None:
    market = Market(calendar, at(20, 15, 39, 50), rate=50.0)
    await market.play(at(23, 9, 15, 5))
    monday = Market(calendar, at(23, 15, 39, 55), rate=50.0)
    await monday.play(at(25, 9, 15, 5))
    assert market.told == [
        ("close", date(2026, 11, 20), at(20, 15, 40)),
        ("open", date(2026, 11, 23), at(23, 9, 15)),
    ]
    assert monday.told == [
        ("close", date(2026, 11, 23), at(23, 15, 40)),
        ("open", date(2026, 11, 25), at(25, 9, 15)),  # the 24th is a holiday
    ]


async def test_contracts_that_expired_are_not_listed_on_the_next_day(calendar: Calendar) -> None:
    market = Market(calendar, at(23, 15, 39, 58), rate=50.0)
    await market.play(at(25, 9, 15, 1))
    monday, wednesday = (market.feed.instruments(date(2026, 11, day)) for day in (23, 25))
    assert any(item.expiry == date(2026, 11, 23) for item in monday)
    assert not any(item.expiry == date(2026, 11, 23) for item in wednesday)
    opened = [quote for quote in market.quotes if from_millis(quote.ts) == at(25, 9, 15)]
    assert {quote.name for quote in opened} >= {item.name for item in wednesday}


async def test_the_last_quotes_of_a_session_are_of_its_close(calendar: Calendar) -> None:
    market = Market(calendar, at(20, 15, 39, 55), rate=200.0)
    await market.play(at(20, 15, 40))
    assert from_millis(market.batches[-1][0].ts) == at(20, 15, 40)
    assert market.told == []  # held at the close: the day is not over before time runs on


async def test_a_start_outside_the_session_moves_to_the_next_open(calendar: Calendar) -> None:
    saturday, morning = Market(calendar, at(21, 12)), Market(calendar, at(25, 3))
    await saturday.play(at(23, 9, 15, 1))
    await morning.play(at(25, 9, 15, 1))
    assert saturday.told == [("open", date(2026, 11, 23), at(23, 9, 15))]
    assert from_millis(saturday.quotes[0].ts) == at(23, 9, 15)
    assert morning.told == []
    assert from_millis(morning.quotes[0].ts) == at(25, 9, 15)


async def test_a_restart_after_the_close_ends_that_day_again_before_the_next(calendar: Calendar) -> None:
    market = Market(calendar, at(20, 15, 40))
    await market.play(at(23, 9, 15, 1))
    assert [(what, day) for what, day, _ in market.told] == [
        ("close", date(2026, 11, 20)),
        ("open", date(2026, 11, 23)),
    ]


async def test_pausing_holds_the_time_and_resuming_runs_on_at_the_new_speed(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11))
    await market.feed.start(market.batches.append)
    await market.feed.run_to(at(25, 11, 0, 2))
    assert market.feed.paused
    sent = len(market.batches)
    market.clock.machine += 60.0
    for _ in range(20):
        await asyncio.sleep(0)
    assert market.clock.now() == at(25, 11, 0, 2)
    assert len(market.batches) == sent
    market.feed.resume(10.0)
    before = market.clock.machine
    await market.feed.run_to(at(25, 11, 1, 2))
    assert market.feed.speed == 10.0
    assert market.clock.machine - before == pytest.approx(6.0, abs=0.2)
    await market.feed.stop()


async def test_running_to_a_moment_stops_exactly_there(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11), speed=37.0)
    goal = at(25, 11, 4, 56)
    await market.play(goal)
    assert market.clock.now() == goal
    assert from_millis(market.batches[-1][0].ts) == goal


async def test_running_to_the_past_holds_at_once(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11))
    await market.feed.start(market.batches.append)
    await market.feed.run_to(at(25, 10))
    assert market.feed.paused
    assert market.clock.now() == at(25, 11)
    await market.feed.stop()


async def test_running_to_the_middle_of_the_night_holds_at_the_next_open(calendar: Calendar) -> None:
    market = Market(calendar, at(23, 15, 39, 50))
    await market.play(at(24, 3))
    assert market.clock.now() == at(25, 9, 15)


async def test_stopping_lets_go_of_whoever_waits_for_a_moment(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11))
    await market.feed.start(market.batches.append)
    waiting = asyncio.create_task(market.feed.run_to(at(25, 15)))
    await asyncio.sleep(0)
    await market.feed.stop()
    await waiting
    stopped = market.clock.now()
    market.clock.machine += 5.0
    assert market.clock.now() == stopped


async def test_a_failing_sink_reaches_whoever_waits_and_whoever_stops(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11))

    def broken(_: Sequence[Quote]) -> None:
        raise RuntimeError("no room for quotes")

    await market.feed.start(broken)
    with pytest.raises(RuntimeError, match="no room"):
        await market.feed.run_to(at(25, 12))
    with pytest.raises(RuntimeError, match="no room"):
        await market.feed.stop()


async def test_the_depth_is_of_this_instant_and_none_for_what_has_no_book(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11))
    assert market.feed.depth("NIFTY") is None
    await market.feed.start(market.batches.append)
    await market.feed.run_to(at(25, 11, 0, 1))
    option = next(i for i in market.feed.instruments(date(2026, 11, 25)) if i.kind is Kind.FUTURE)
    depth = market.feed.depth(option.name)
    assert depth is not None
    assert from_millis(depth.ts) == at(25, 11, 0, 1)
    assert len(depth.bids) == len(depth.asks) == 5
    assert market.feed.depth("NIFTY") is None
    assert market.feed.depth("NIFTY 01DEC05 1 CE") is None
    await market.feed.stop()


async def test_a_second_start_is_refused(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11))
    await market.feed.start(market.batches.append)
    with pytest.raises(Refusal, match="ALREADY_PLAYING"):
        await market.feed.start(market.batches.append)
    await market.feed.stop()
    await market.feed.stop()


async def test_running_before_the_start_is_refused(calendar: Calendar) -> None:
    market = Market(calendar, at(25, 11))
    with pytest.raises(Refusal, match="NOT_PLAYING"):
        await market.feed.run_to(at(25, 12))


@pytest.mark.parametrize("rate", [0.0, -1.0, 1e9, float("nan")])
def test_an_impossible_rate_is_refused(calendar: Calendar, rate: float) -> None:
    with pytest.raises(Refusal, match="BAD_RATE"):
        Market(calendar, at(25, 11), rate=rate)


@pytest.mark.parametrize("speed", [-1.0, 1e9, float("nan")])
def test_an_impossible_speed_is_refused(calendar: Calendar, speed: float) -> None:
    with pytest.raises(Refusal, match="BAD_SPEED"):
        Market(calendar, at(25, 11), speed=speed)


async def test_a_resumed_market_shows_the_same_quotes_as_one_that_never_stopped(calendar: Calendar) -> None:
    through, broken_off = (Market(calendar, at(25, 11), rate=100.0, speed=0.0) for _ in range(2))
    await through.play(at(25, 11, 3))
    await broken_off.play(at(25, 11, 1))
    resumed = Market(calendar, broken_off.clock.now() + timedelta(0), rate=100.0, speed=0.0)
    await resumed.play(at(25, 11, 3))
    known = {(quote.name, quote.ts): quote for quote in through.quotes}
    common = [quote for quote in resumed.quotes if (quote.name, quote.ts) in known]
    assert len(common) > 10_000
    assert all(known[quote.name, quote.ts] == quote for quote in common)
