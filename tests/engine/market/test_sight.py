"""A contract's price is as old as the contract's own last sign of life, not as the feed's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.market.sight import GAP, QuoteSight
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import millis
from tests.engine.virtual import play
from tests.simulation.kernel import SimClock

DEAD, BUSY = "NIFTY 01DEC26 24500 CE", "NIFTY 01DEC26 24500 PE"


class Feed:
    """Two contracts, of which each ticks when the test says so; ages as the engine asks for them."""

    def __init__(self, clock: SimClock, vouched: Callable[[str], int | None] = lambda _name: None) -> None:
        self.clock, self.board = clock, QuoteBoard()
        self.sight = QuoteSight(clock, self.board, vouched)
        self.last = 0.0

    def tick(self, name: str) -> None:
        self.last = self.clock.monotonic()
        self.board.update([Quote(name=name, ts=millis(self.clock.now()), ltp=10_000)], self.last)

    def age(self, name: str = DEAD) -> float | None:
        return self.sight.age(name, self.clock.monotonic() - self.last)

    async def wait(self, seconds: int, held: bool = False, trading: bool = True) -> None:
        """Time passes while the other contract ticks every second."""
        for _ in range(seconds):
            await self.clock.sleep(1.0)
            self.sight.look(trading, held)
            if not held:
                self.tick(BUSY)


def test_one_silent_contract_grows_old_while_the_feed_lives() -> None:
    async def scene(clock: SimClock) -> tuple[float | None, ...]:
        feed = Feed(clock)
        feed.tick(DEAD)
        await feed.wait(12)
        return feed.age(), feed.age(BUSY), feed.age("NIFTY 01DEC26 24600 CE")

    assert play(scene) == (12.0, 0.0, None)


@pytest.mark.parametrize(("behind", "age"), [(0, 0.0), (3, 3.0), (60, 12.0)])
def test_a_source_that_vouches_for_a_quiet_contract_keeps_it_as_young_as_its_word(behind: int, age: float) -> None:
    async def scene(clock: SimClock) -> float | None:
        feed = Feed(clock, lambda _name: millis(clock.now()) - 1_000 * behind)
        feed.tick(DEAD)
        await feed.wait(12)
        return feed.age()

    assert play(scene) == age


def test_no_word_makes_a_contract_younger_than_a_source_that_is_silent_altogether() -> None:
    async def scene(clock: SimClock) -> float | None:
        feed = Feed(clock, lambda _name: millis(clock.now()))
        feed.tick(DEAD)
        await feed.wait(3)
        await clock.sleep(20.0)
        return feed.age()

    assert play(scene) == 20.0


def test_time_that_is_held_is_no_silence() -> None:
    async def scene(clock: SimClock) -> tuple[float | None, float]:
        feed = Feed(clock)
        feed.tick(DEAD)
        await feed.wait(60, held=True)
        await feed.wait(2)
        return feed.age(), feed.sight.watched_for()

    assert play(scene) == (2.0, 2.0)


def test_a_closed_market_and_a_machine_that_slept_begin_the_watch_anew() -> None:
    async def scene(clock: SimClock) -> tuple[float, ...]:
        feed = Feed(clock)
        await feed.wait(5)
        first = feed.sight.watched_for()
        await feed.wait(5, trading=False)
        closed = feed.sight.watched_for()
        await feed.wait(7)
        opened = feed.sight.watched_for()
        await clock.sleep(GAP + 1)
        feed.sight.look(True, False)
        return first, closed, opened, feed.sight.watched_for()

    assert play(scene) == (5.0, 0.0, 7.0, 0.0)


def test_an_insane_quote_makes_no_contract_younger() -> None:
    async def scene(clock: SimClock) -> float | None:
        feed = Feed(clock)
        feed.tick(DEAD)
        await feed.wait(4)
        feed.board.update([Quote(name=DEAD, ts=1, ltp=-5)], clock.monotonic())
        return feed.age()

    assert play(scene) == 4.0
