from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest

from optconsole.engine.clock import seeded
from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.health import AccountHealth
from optconsole.engine.ports import (
    Accepted,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    BrokerUnreachable,
    Doubtful,
    LoginLost,
    NotSent,
    Rejected,
)
from optconsole.engine.watching import READ_DEADLINE, Book, BookWatch
from tests.engine.facts import PAPER
from tests.engine.virtual import play
from tests.simulation.kernel import SimClock


class Books:
    """A broker that can be read, or fails as it is told; it knows when it was asked."""

    name, account = "paper", PAPER

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.asked: list[float] = []
        self.fault: BaseException | None = None
        self.silent = False
        self.slow_funds = 0.0

    async def orders(self) -> list[BrokerOrder]:
        self.asked.append(self.clock.monotonic())
        if self.silent:
            await asyncio.get_running_loop().create_future()
        if self.fault is not None:
            raise self.fault
        return []

    async def trades(self) -> list[BrokerTrade]:
        return []

    async def positions(self) -> list[BrokerPosition]:
        return []

    async def funds(self) -> Funds:
        await self.clock.sleep(self.slow_funds)
        return Funds(account=PAPER.id, cash=1_00_000_00, margin_used=0)


class Watched:
    """A watch that runs, with all it said."""

    def __init__(self, clock: SimClock, pace: float) -> None:
        self.pace = pace
        self.books = Books(clock)
        self.read: list[Book] = []
        self.failures: list[str] = []
        self.rests: list[tuple[float, bool]] = []
        """When it said that nothing more comes of a reading, and whether it was busy still."""
        self.watch = BookWatch(
            self.books,  # type: ignore[arg-type]
            clock,
            seeded(1),
            lambda: self.pace,
            self.read.append,
            lambda _account, why: self.failures.append(why),
            lambda: self.rests.append((clock.monotonic(), self.watch.busy)),
        )


def run(scene: Callable[[SimClock, Watched], Awaitable[None]], pace: float = 2.0) -> Watched:
    async def whole(clock: SimClock) -> Watched:
        watched = Watched(clock, pace)
        task = asyncio.get_running_loop().create_task(watched.watch.run())
        await scene(clock, watched)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return watched

    return play(whole)


def test_a_book_is_read_at_its_pace_and_sooner_when_wanted() -> None:
    async def scene(clock: SimClock, watched: Watched) -> None:
        await clock.sleep(6.5)
        watched.watch.want()
        await clock.sleep(1.0)

    assert run(scene).books.asked == [2.0, 4.0, 6.0, 7.0]


def test_a_book_that_is_needed_before_something_is_closed_is_read_without_a_rest() -> None:
    async def scene(clock: SimClock, watched: Watched) -> None:
        await clock.sleep(4.25)
        watched.watch.hurry()
        await clock.sleep(0.5)

    assert run(scene).books.asked == [2.0, 4.0, 4.25]


@pytest.mark.parametrize("fault", [None, BrokerUnreachable("gone"), LoginLost("expired"), ValueError("odd")])
def test_those_who_wait_for_a_reading_are_told_when_it_has_ended_whatever_came_of_it(fault: Exception | None) -> None:
    """The funds come after the book: who looked only when the book came would wait for ever."""

    async def scene(clock: SimClock, watched: Watched) -> None:
        watched.books.fault, watched.books.slow_funds = fault, 0.5
        await clock.sleep(12.0)

    rests = run(scene, pace=2.0).rests
    assert rests
    assert not any(busy for _at, busy in rests)


def test_an_order_that_begins_to_work_while_the_reader_rests_quickens_its_pace_at_once() -> None:
    """W04: half a minute's rest, begun while nothing worked, is not slept out."""
    pace = [30.0]

    async def scene(clock: SimClock) -> list[float]:
        watched = Watched(clock, 0.0)
        watched.watch._pace = lambda: pace[0]
        task = asyncio.get_running_loop().create_task(watched.watch.run())
        await clock.sleep(5.5)
        pace[0] = 2.0
        await clock.sleep(4.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return watched.books.asked

    first, *_ = play(scene)
    assert first <= 6.5


def test_many_who_want_the_book_share_readings_a_second_apart() -> None:
    async def scene(clock: SimClock, watched: Watched) -> None:
        for _ in range(40):
            watched.watch.want()
            await clock.sleep(0.1)

    asked = run(scene, pace=30.0).books.asked
    assert all(later - earlier > 0.999 for earlier, later in pairwise(asked))
    assert 4 <= len(asked) <= 5


def test_a_broker_that_fails_is_asked_again_a_few_times_with_pauses_and_then_told_of() -> None:
    async def scene(clock: SimClock, watched: Watched) -> None:
        watched.books.fault = BrokerUnreachable("no route")
        watched.watch.want()
        await clock.sleep(8.0)

    watched = run(scene, pace=100.0)
    assert len(watched.books.asked) == 3
    assert watched.failures == ["no route"]
    assert watched.read == []


@pytest.mark.parametrize("fault", [asyncio.CancelledError(), ValueError("not json"), KeyError("data"), OSError("gone")])
def test_whatever_a_reading_raises_the_next_one_comes(fault: BaseException) -> None:
    """B12, H06: nothing that an adapter raises ends the reader."""

    async def scene(clock: SimClock, watched: Watched) -> None:
        watched.books.fault = fault
        await clock.sleep(20.0)
        watched.books.fault = None
        await clock.sleep(20.0)

    watched = run(scene)
    assert watched.failures
    assert watched.read


def test_ten_minutes_of_failure_do_not_become_a_storm() -> None:
    async def scene(clock: SimClock, watched: Watched) -> None:
        watched.books.fault = BrokerUnreachable("429")
        await clock.sleep(600.0)

    assert len(run(scene).books.asked) <= 600 / 2 * 3


def test_a_lost_login_is_not_tried_again_with_the_same_token() -> None:
    async def scene(clock: SimClock, watched: Watched) -> None:
        watched.books.fault = LoginLost("token expired")
        watched.watch.want()
        await clock.sleep(5.0)
        assert watched.watch.health().lost == "token expired"
        watched.books.fault = None
        watched.watch.want()
        await clock.sleep(2.0)

    watched = run(scene, pace=100.0)
    assert len(watched.books.asked) == 2
    assert watched.watch.health().lost == ""


def test_a_silent_broker_does_not_hold_the_reader_for_ever() -> None:
    async def scene(clock: SimClock, watched: Watched) -> None:
        watched.books.silent = True
        watched.watch.want()
        await clock.sleep(4 * READ_DEADLINE)

    watched = run(scene, pace=1000.0)
    assert len(watched.books.asked) == 3
    assert watched.failures == ["no answer within 8 s"]


def health_after(*outcomes: Any, later: float = 0.0) -> AccountHealth:
    async def scene(clock: SimClock) -> AccountHealth:
        watched = Watched(clock, 2.0)
        for outcome in outcomes:
            watched.watch.answered(outcome)
        await clock.sleep(later)
        return watched.watch.health()

    return play(scene)


def test_three_failed_requests_in_a_row_open_the_breaker_and_any_word_closes_it() -> None:
    failed = (NotSent("no route"), Doubtful("no answer"))
    assert health_after(*failed).refusing_for == 0
    assert health_after(*failed, NotSent("no route")).refusing_for == 5.0
    assert health_after(*failed, NotSent("no route"), NotSent("no route")).refusing_for == 10.0
    assert health_after(*failed, NotSent("no route"), Accepted("B1")).refusing_for == 0
    assert health_after(*failed, Rejected("MARGIN", "short of money"), NotSent("x")).refusing_for == 0


def test_what_our_own_queue_holds_back_neither_opens_nor_closes_the_breaker() -> None:
    held = NotSent("6 s passed before it could leave", held=True)
    assert health_after(*[held] * 10).failures == 0
    failed = (NotSent("no route"), Doubtful("no answer"))
    assert health_after(*failed, held).refusing_for == 0
    assert health_after(*failed, held, NotSent("no route")).refusing_for == 5.0


def test_an_open_breaker_lets_entries_through_again_after_its_time() -> None:
    assert health_after(*[NotSent("no route")] * 3, later=5.0).refusing_for == 0
    assert health_after(*[NotSent("no route")] * 30).refusing_for == 60.0


def test_a_request_refused_for_want_of_a_login_loses_it() -> None:
    assert health_after(Rejected("LOGIN_LOST", "expired at 03:00")).lost == "expired at 03:00"


@pytest.mark.parametrize("age", [0.0, 12.0])
def test_the_age_of_the_book_counts_from_its_last_whole_reading(age: float) -> None:
    async def scene(clock: SimClock, watched: Watched) -> None:
        watched.watch.want()
        await clock.sleep(1.0)
        watched.books.fault = BrokerUnreachable("gone")
        await clock.sleep(age)

    watched = run(scene, pace=1000.0)
    assert len(watched.read) == 1
    assert watched.watch.health().book_age == 1.0 + age


def test_a_pace_that_quickens_is_kept_at_once() -> None:
    async def scene(clock: SimClock, watched: Watched) -> None:
        await clock.sleep(3.0)
        watched.pace = 2.0
        await clock.sleep(1.5)

    assert len(run(scene, pace=30.0).books.asked) == 1


def test_a_reading_that_is_tried_in_vain_counts_as_blindness_before_it_gives_up() -> None:
    blind: list[float] = []

    async def scene(clock: SimClock, watched: Watched) -> None:
        watched.books.silent = True
        watched.watch.want()
        await clock.sleep(11.0)
        blind.append(watched.watch.blind_for())
        assert not watched.failures
        watched.books.silent = False
        await clock.sleep(30.0)
        blind.append(watched.watch.blind_for())

    run(scene)
    assert blind == [11.0, 0.0]
