from __future__ import annotations

import asyncio
from datetime import datetime

from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import LinkState, MarketPhase, Vitals
from optconsole.engine.tap import ConflatedTap
from tests.engine.facts import CALL, PUT, START


class StillClock:
    """Time that moves only when someone sleeps on it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START

    def monotonic(self) -> float:
        return self.seconds

    def stepped(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.seconds += max(seconds, 0.0)
        await asyncio.sleep(0)


def vitals() -> Vitals:
    return Vitals(
        now=START,
        world="test",
        phase=MarketPhase.OPEN,
        phase_ends=None,
        feed=LinkState.LIVE,
        feed_age=0.0,
        quotes_per_second=0.0,
        store=LinkState.LIVE,
        commit_p50=None,
        commit_p99=None,
        loop_lag=None,
        inbox=0,
        seq=0,
        consoles=0,
        orders_last_second=0,
        orders_per_second_cap=10,
        brokers=(),
        disk_free=None,
        uptime=0.0,
    )


def price(name: str, ltp: int) -> Quote:
    return Quote(name=name, ts=ltp, ltp=ltp)


async def test_a_beat_carries_each_changed_quote_once_and_only_the_newest() -> None:
    board, clock = QuoteBoard(), StillClock()
    tap = ConflatedTap(board, clock, vitals, hz=10)
    tap.watch([CALL])
    beats = aiter(tap)
    for ltp in range(10_000, 10_500, 5):
        board.update([price(CALL, ltp), price(PUT, ltp)])
    first = await anext(beats)
    assert [(quote.name, quote.ltp) for quote in first.quotes] == [(CALL, 10_495)]
    assert (await anext(beats)).quotes == ()


async def test_beats_come_at_their_rate_and_a_late_reader_gets_no_burst() -> None:
    clock = StillClock()
    beats = aiter(ConflatedTap(QuoteBoard(), clock, vitals, hz=10))
    await anext(beats)
    await anext(beats)
    assert abs(clock.seconds - 0.1) < 1e-9
    clock.seconds += 5.0
    await anext(beats)
    late = clock.seconds
    await anext(beats)
    assert clock.seconds - late > 0.09


async def test_a_newly_watched_contract_is_shown_at_once_though_it_does_not_move() -> None:
    board = QuoteBoard()
    board.update([price(PUT, 9_000)])
    tap = ConflatedTap(board, StillClock(), vitals, hz=10)
    beats = aiter(tap)
    await anext(beats)
    tap.watch([PUT])
    assert [quote.name for quote in (await anext(beats)).quotes] == [PUT]
    await tap.close()
