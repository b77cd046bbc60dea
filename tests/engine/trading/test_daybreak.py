"""A limit of the day counts today's profit: what was lost yesterday is yesterday's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine.model.limits import Level, Limit, LimitAction, LimitKind
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.positions import Base, Basis, Position, PositionKey
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.limits import measure
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.risk import RiskWatch
from tests.engine.facts import CALL, DAY, PUT, terms
from tests.engine.trading.bench import MASTER, Bench

LOT = 65
NEXT = DAY + timedelta(days=1)


class Days(Bench):
    """A bench whose limits are watched and whose days end."""

    def __init__(self, *limits: Limit) -> None:
        super().__init__()
        self.watch, self.tick = RiskWatch(), 0.0
        for limit in limits:
            self.tell(ev.LimitSet(limit=limit))

    @property
    def situation(self) -> Situation:
        return replace(super().situation, tick=self.tick)

    def look(self) -> list[ev.AnyEvent]:
        self.tick += 1.0
        told: list[ev.AnyEvent] = []
        while (step := self.watch.advance(self.state, MASTER, self.situation, "ABC")) is not None:
            self.tell(*step.facts, actor=step.actor)
            told += step.facts
        return told

    def short(self, lots: int, price: int, source: str = "") -> None:
        wanted = msgspec.structs.replace(terms(Side.SELL, lots * LOT), source=source)
        self.fill(self.order(wanted), lots * LOT, price, f"t{self.state.order_count}")

    def close_day(self, price: int | None) -> None:
        """The day ends at a price; None when the engine does not see it."""
        if price is not None:
            self.quote(CALL, price)
            self.phase = MarketPhase.CLOSED
            self.tell(ev.SessionClosed(day=DAY))
            self.look()
        self.tell(ev.SessionOpened(day=NEXT))
        self.quotes.clear()
        self.phase = MarketPhase.OPEN

    def opens(self, price: int, previous: int | None = None) -> None:
        self.quotes[CALL] = Quote(name=CALL, ts=self.state.seq, ltp=price, prev_close=previous)

    def used(self, key: str) -> int | None:
        usage = measure(self.state, self.state.limits[key], self.situation.price, lambda _account: None)
        return None if usage is None else usage.used


def loss(value: int, level: Level = Level.GLOBAL, name: str = "", **more: object) -> Limit:
    return Limit(level=level, kind=LimitKind.MAX_LOSS, value=value, name=name, **more)  # type: ignore[arg-type]


def test_a_loss_carried_from_yesterday_is_not_counted_again_today() -> None:
    days = Days(loss(2 * LOT * 1_000, action=LimitAction.EXIT_SCOPE))
    days.short(2, 10_000)
    days.close_day(10_900)
    days.opens(10_950, previous=10_920)
    told = days.look()
    assert [fact.prices for fact in told if isinstance(fact, ev.ContractsMarked)] == [{CALL: 10_920}]
    assert days.used("global/max-loss") == 2 * LOT * 30
    assert not days.state.flattening, "yesterday's loss closes nothing today"
    days.opens(11_920, previous=10_920)
    days.look()
    assert days.state.flattening, "a thousand lost today does"


def test_a_profit_carried_from_yesterday_hides_no_loss_of_today() -> None:
    days = Days(loss(2 * LOT * 1_000))
    days.short(2, 10_000)
    days.close_day(5_000)
    days.opens(6_000)
    days.look()
    assert days.used("global/max-loss") == 2 * LOT * 1_000
    assert days.state.limit_days["global/max-loss"].broken


def test_the_last_price_of_yesterday_stands_in_until_the_exchange_names_its_close() -> None:
    days = Days(loss(1_00_000))
    days.short(2, 10_000)
    days.close_day(10_500)
    assert days.state.bases == {CALL: Base(10_500, Basis.CLOSE)}
    days.opens(10_600)
    days.look()
    assert days.used("global/max-loss") == 2 * LOT * 100
    days.opens(10_600, previous=10_550)
    days.look()
    assert days.used("global/max-loss") == 2 * LOT * 50
    days.opens(10_600, previous=9_000)
    assert not days.look(), "a day has one beginning"


def test_a_close_that_nobody_saw_makes_the_first_price_the_beginning() -> None:
    days = Days(loss(1_00_000))
    days.short(2, 10_000)
    days.close_day(None)
    assert days.used("global/max-loss") is None, "unknown is not nought"
    days.opens(10_800)
    days.look()
    assert days.state.bases == {CALL: Base(10_800, Basis.FIRST)}
    days.opens(10_900)
    assert days.used("global/max-loss") == 2 * LOT * 100


@pytest.mark.parametrize("age", [None, 60.0])
def test_an_old_quote_does_not_say_where_the_day_began(age: float | None) -> None:
    days = Days(loss(1_00_000))
    days.short(2, 10_000)
    days.close_day(None)
    days.opens(10_800, previous=10_700)
    days.age = age
    days.look()
    assert not days.state.bases


def test_what_is_closed_today_counts_from_yesterdays_close_too() -> None:
    days = Days(loss(1_00_000))
    days.short(2, 10_000)
    days.close_day(10_500)
    days.opens(10_500, previous=10_500)
    days.look()
    days.fill(days.order(terms(Side.BUY, LOT, 10_600)), LOT, 10_600, "b1")
    days.opens(10_700, previous=10_500)
    assert days.used("global/max-loss") == LOT * 100 + LOT * 200
    days.fill(days.order(terms(Side.BUY, LOT, 10_700)), LOT, 10_700, "b2")
    days.quotes.clear()
    assert days.used("global/max-loss") == LOT * 300


def test_a_strategys_day_begins_at_the_same_close() -> None:
    days = Days(loss(1_00_000, Level.STRATEGY, "am/x"))
    days.short(2, 10_000, "am/x")
    days.short(1, 10_000)
    days.close_day(11_000)
    days.opens(11_100, previous=11_000)
    days.look()
    assert days.used("strategy:am/x/max-loss") == 2 * LOT * 100


def test_a_third_day_forgets_the_close_of_the_first() -> None:
    days = Days(loss(1_00_000))
    days.short(2, 10_000)
    days.close_day(10_500)
    days.tell(ev.SessionOpened(day=NEXT + timedelta(days=1)))
    assert not days.state.bases


def test_a_contract_without_a_price_at_the_close_has_none_tomorrow() -> None:
    days = Days()
    days.short(1, 10_000)
    days.hold(-LOT, PUT)
    del days.quotes[PUT]
    days.close_day(10_100)
    assert set(days.state.bases) == {CALL}


@given(
    st.lists(st.tuples(st.integers(-3, 3).filter(bool), st.integers(100, 20_000)), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(-3, 3).filter(bool), st.integers(100, 20_000)), max_size=5),
    st.integers(100, 20_000),
    st.integers(100, 20_000),
)
def test_the_profits_of_two_days_add_up_to_that_of_both(
    first: list[tuple[int, int]], second: list[tuple[int, int]], close: int, mark: int
) -> None:
    held = Position(key=PositionKey("paper", Product.NRML, CALL), lot=LOT)
    for lots, price in first:
        held = held.traded(lots * LOT, price, 7)
    one = held.day_profit(close, None)
    today = held.carried()
    for lots, price in second:
        held, today = held.traded(lots * LOT, price, 7), today.traded(lots * LOT, price, 7)
    two = today.day_profit(mark, close)
    both = held.day_profit(mark, None)
    assert one is not None
    assert two is not None
    assert one + two == both
