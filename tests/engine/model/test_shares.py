"""The parts of a position add up to it, in units and to the paisa."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.model.shares import Parts, begun, moved, split, traded
from tests.engine.facts import CALL, DAY, Story, terms

LOT = 65
KEY = PositionKey("paper", Product.NRML, CALL)


def trade(story: Story, source: str, side: Side, lots: int, price: int, charges: int = 0) -> None:
    wanted = msgspec.structs.replace(terms(side, lots * LOT), source=source)
    story.fill(story.order(wanted), lots * LOT, price, f"t{len(story.state.trades)}", charges)


def parts(story: Story) -> dict[str, int]:
    return {part.source: part.held.qty for part in of(story) if part.held.qty}


def of(story: Story) -> Parts:
    return story.state.books.get(str(KEY), ())


def test_what_a_strategy_trades_is_its_own_even_against_the_hand() -> None:
    story = Story()
    trade(story, "", Side.BUY, 1, 10_000)
    trade(story, "am/a", Side.SELL, 1, 11_000)
    assert parts(story) == {"": LOT, "am/a": -LOT}
    assert story.state.positions[str(KEY)].qty == 0


def test_a_close_by_hand_takes_the_hands_part_first_and_then_the_strategies_by_name() -> None:
    story = Story()
    trade(story, "b", Side.SELL, 2, 10_000)
    trade(story, "a", Side.SELL, 1, 10_000)
    trade(story, "", Side.SELL, 1, 10_000)
    trade(story, "", Side.BUY, 3, 9_000, charges=10)
    assert parts(story) == {"b": -LOT}
    made = {book.source: (book.held.realised, book.held.charges) for book in of(story)}
    assert made == {"": (LOT * 1_000, 3), "a": (LOT * 1_000, 3), "b": (LOT * 1_000, 4)}
    trade(story, "", Side.BUY, 2, 9_000)
    assert parts(story) == {"": LOT}


def test_open_parts_are_carried_into_the_next_day_and_closed_ones_are_not() -> None:
    story = Story()
    trade(story, "a", Side.SELL, 1, 10_000, charges=500)
    trade(story, "b", Side.SELL, 1, 10_000)
    trade(story, "b", Side.BUY, 1, 9_000)
    story.tell(ev.SessionOpened(day=DAY.replace(day=24)))
    hand, own = of(story)
    assert (hand.source, hand.held.qty, hand.held.realised) == ("", 0, 0)
    assert (own.source, own.held.qty, own.held.cost, own.held.charges) == ("a", -LOT, -LOT * 10_000, 0)


def test_what_only_the_hand_trades_needs_no_parts() -> None:
    story = Story()
    trade(story, "", Side.SELL, 1, 10_000)
    assert story.state.books == {}
    trade(story, "a", Side.SELL, 1, 10_000)
    assert parts(story) == {"": -LOT, "a": -LOT}
    trade(story, "a", Side.BUY, 1, 10_000)
    story.tell(ev.SessionOpened(day=DAY.replace(day=24)))
    assert story.state.books == {}


def test_settlement_ends_every_part_at_its_price() -> None:
    story = Story()
    trade(story, "a", Side.SELL, 2, 10_000)
    trade(story, "b", Side.BUY, 1, 10_000)
    story.tell(
        ev.PositionSettled(account="paper", product=Product.NRML, contract=CALL, qty=-LOT, price=4_000, charges=301)
    )
    assert parts(story) == {}
    _hand, a, b = (part.held for part in of(story))
    assert (a.realised, b.realised) == (2 * LOT * 6_000, -LOT * 6_000)
    assert a.charges + b.charges == 301


@given(amount=st.integers(0, 10**9), weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=9))
def test_a_bill_is_split_without_a_paisa_lost(amount: int, weights: list[int]) -> None:
    shared = split(amount, weights)
    assert sum(shared) == amount
    assert all(part >= 0 for part in shared)


@settings(max_examples=60, deadline=None)
@given(
    trades=st.lists(
        st.tuples(
            st.sampled_from(["", "a", "b"]),
            st.sampled_from(list(Side)),
            st.integers(1, 3),
            st.integers(1, 20_000),
            st.integers(0, 999),
        ),
        max_size=14,
    ),
    mark=st.integers(1, 20_000),
)
def test_the_parts_make_up_the_position_in_units_and_in_profit(
    trades: list[tuple[str, Side, int, int, int]], mark: int
) -> None:
    story = Story()
    for source, side, lots, price, charges in trades:
        trade(story, source, side, lots, price, charges)
    books = [part.held for part in of(story)]
    for held in story.state.positions.values() if books else ():
        assert sum(part.qty for part in books) == held.qty
        assert sum(part.charges for part in books) == held.charges
        profit = held.realised + (held.unrealised(mark) or 0)
        assert sum(part.realised + (part.unrealised(mark) or 0) for part in books) == profit


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("", "am/a", "am/b")),
        st.sampled_from(("", "am/a", "am/b")),
        st.sampled_from((Side.BUY, Side.SELL)),
        st.integers(1, 4),
        st.integers(5, 30_000),
        st.integers(0, 3_000),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_units_that_change_hands_leave_the_sum_of_all_parts_to_the_paisa(
    steps: list[tuple[str, str, Side, int, int, int, bool]],
) -> None:
    parts: Parts = begun(Position(key=KEY, lot=LOT))
    whole = parts[0].held
    for source, to, side, lots, price, charges, hands in steps:
        before = sums(parts)
        mine = next((part.held for part in parts if part.source == source), None)
        if hands and mine is not None:
            qty = min(lots * LOT, abs(mine.qty)) * (1 if mine.qty > 0 else -1)
            try:
                parts = moved(parts, source, to, qty)
            except ValueError:
                continue
            assert sums(parts) == before
        else:
            qty = lots * LOT * side.sign
            parts = traded(parts, source, qty, price, charges)
            whole = whole.traded(qty, price, charges)
        units, cost, realised, charged = sums(parts)
        assert (units, realised - cost, charged) == (whole.qty, whole.realised - whole.cost, whole.charges)


def sums(parts: Parts) -> tuple[int, ...]:
    return tuple(sum(getattr(part.held, value) for part in parts) for value in ("qty", "cost", "realised", "charges"))


def test_carried_units_take_their_worth_along_so_that_the_days_profit_of_all_is_the_same() -> None:
    held = Position(key=KEY, lot=LOT).traded(-3 * LOT, 10_000).carried().traded(LOT, 9_000)
    before = held.day_profit(8_000, 9_500)
    parts = moved(begun(held), "", "am/a", -LOT)
    assert before is not None
    assert sum(part.held.day_profit(8_000, 9_500) for part in parts) == before
    assert parts[1].held.day_profit(8_000, 9_500) == LOT * 1_500
