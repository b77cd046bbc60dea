"""The law of a position: what it made and what it holds is the money that went through, to the paisa."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.orders import Product
from optconsole.engine.model.positions import Position, PositionKey

KEY = PositionKey("paper", Product.NRML, "NIFTY 01DEC26 24500 CE")
FLAT = Position(key=KEY, lot=65)
FILLS = st.lists(
    st.tuples(st.integers(-500, 500).filter(bool), st.integers(1, 100_000), st.integers(0, 5_000)), max_size=30
)


def after(fills: list[tuple[int, int, int]]) -> Position:
    position = FLAT
    for qty, price, charges in fills:
        position = position.traded(qty, price, charges)
    return position


@given(FILLS, st.integers(1, 100_000))
def test_realised_and_unrealised_are_cash_and_mark(fills: list[tuple[int, int, int]], mark: int) -> None:
    position = after(fills)
    cash = -sum(qty * price for qty, price, _ in fills)
    unrealised = position.unrealised(mark)
    assert unrealised is not None
    assert position.realised + unrealised == cash + position.qty * mark


@given(FILLS)
def test_every_unit_and_paisa_is_counted(fills: list[tuple[int, int, int]]) -> None:
    position = after(fills)
    assert position.qty == sum(qty for qty, _, _ in fills) == position.bought - position.sold
    assert position.bought_value == sum(qty * price for qty, price, _ in fills if qty > 0)
    assert position.sold_value == -sum(qty * price for qty, price, _ in fills if qty < 0)
    assert position.charges == sum(charges for _, _, charges in fills)


@given(FILLS)
def test_a_flat_position_holds_no_cost(fills: list[tuple[int, int, int]]) -> None:
    position = after(fills)
    closed = position.traded(-position.qty, 100_00) if position.qty else position
    assert (closed.qty, closed.cost, closed.average) == (0, 0, None)
    assert closed.unrealised(None) == 0


@given(FILLS, st.integers(1, 500), st.integers(1, 100_000))
def test_adding_realises_nothing(fills: list[tuple[int, int, int]], more: int, price: int) -> None:
    position = after(fills)
    added = position.traded(more if position.qty >= 0 else -more, price)
    assert added.realised == position.realised


def test_crossing_through_zero_closes_the_old_and_opens_the_new_at_its_price() -> None:
    turned = FLAT.traded(-65, 100_00).traded(130, 90_00)
    assert (turned.qty, turned.average, turned.realised) == (65, 90_00, 65 * 10_00)


def test_a_partial_close_keeps_the_average() -> None:
    position = FLAT.traded(130, 100_00).traded(-65, 120_00)
    assert (position.average, position.realised) == (100_00, 65 * 20_00)


def test_open_quantity_without_a_price_has_no_profit_figure() -> None:
    assert FLAT.traded(65, 100_00).unrealised(None) is None
    assert FLAT.unrealised(None) == 0


def test_a_key_prints_its_parts() -> None:
    assert str(KEY) == "paper/NRML/NIFTY 01DEC26 24500 CE"
