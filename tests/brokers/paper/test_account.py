from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.paper.account import Claim, Holding, filled_requirement, requirement, traded
from optconsole.brokers.paper.rules import Exposure
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.brokers.paper.settlement import cash_price, exercised
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Product, Side
from tests.brokers.paper.stage import CALL, FUTURE, HEDGE, LISTED, LOT, PUT

BY_NAME = {instrument.name: instrument for instrument in LISTED}
fills = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 9).map(lambda lots: lots * LOT), st.integers(1, 10**6)), max_size=20
)


def after(instrument: Instrument, rows: list[tuple[Side, int, int]]) -> tuple[Holding, int]:
    held, cash = (0, 0), 0
    for side, qty, price in rows:
        held, moved = traded(held, instrument, side, qty, price)
        cash += moved
    return held, cash


@given(fills)
def test_an_options_cash_is_the_premium_of_every_fill(rows: list[tuple[Side, int, int]]) -> None:
    held, cash = after(CALL, rows)
    assert held[0] == sum(side.sign * qty for side, qty, _price in rows)
    assert cash == -sum(side.sign * qty * price for side, qty, price in rows)


@given(fills, st.integers(1, 10**6))
def test_a_futures_cash_once_flat_is_the_same_profit(rows: list[tuple[Side, int, int]], price: int) -> None:
    held, _cash = after(FUTURE, rows)
    if held[0]:
        rows = [*rows, (Side.SELL if held[0] > 0 else Side.BUY, abs(held[0]), price)]
    flat, cash = after(FUTURE, rows)
    assert flat == (0, 0)
    assert cash == -sum(side.sign * qty * price for side, qty, price in rows)


def test_opening_a_future_moves_no_cash() -> None:
    assert traded((0, 0), FUTURE, Side.BUY, LOT, 25_000_00) == ((LOT, LOT * 25_000_00), 0)


def notional(exposures: list[Exposure]) -> int:
    """A margin that is easy to reckon: a rupee for each short unit not covered by a long one, and for each future."""
    options = sum(row.qty for row in exposures if row.instrument.strike is not None)
    futures = sum(abs(row.qty) for row in exposures if row.instrument.strike is None)
    return max(0, -options) + futures


def need(held: dict[tuple[str, Product], Holding], *claims: Claim) -> int:
    return requirement(held, claims, BY_NAME.__getitem__, lambda _name: None, lambda rows: notional(list(rows)))


def claim(instrument: Instrument, side: Side, qty: int = LOT, price: int = 3) -> Claim:
    return Claim(instrument, Product.NRML, side, qty, price)


LONG = {(HEDGE.name, Product.NRML): (LOT, LOT * 10)}
SHORT = {(CALL.name, Product.NRML): (-LOT, -LOT * 10)}


class TestRequirement:
    def test_nothing_needs_nothing(self) -> None:
        assert need({}) == 0

    def test_working_sells_need_their_margin_and_working_buys_their_premium(self) -> None:
        assert need({}, claim(CALL, Side.SELL)) == LOT
        assert need({}, claim(CALL, Side.BUY)) == 3 * LOT

    def test_an_unfilled_hedge_is_no_hedge_yet(self) -> None:
        assert need(SHORT) == LOT
        assert need(SHORT, claim(HEDGE, Side.BUY)) == LOT + 3 * LOT
        assert need({**SHORT, **LONG}) == 0

    def test_buying_back_asks_for_nothing_more(self) -> None:
        assert need(SHORT, claim(CALL, Side.BUY)) == need(SHORT)

    def test_two_orders_cannot_close_the_same_short(self) -> None:
        twice = [claim(CALL, Side.BUY), claim(CALL, Side.BUY)]
        assert need(SHORT, *twice) == LOT + 3 * LOT

    def test_selling_the_hedge_asks_for_what_the_short_then_needs(self) -> None:
        assert need({**SHORT, **LONG}, claim(HEDGE, Side.SELL)) == LOT

    def test_an_order_through_flat_needs_margin_for_what_it_opens(self) -> None:
        assert need(LONG, claim(HEDGE, Side.SELL, 3 * LOT)) == 2 * LOT

    def test_futures_need_margin_either_way(self) -> None:
        assert need({}, claim(FUTURE, Side.BUY)) == LOT
        assert need({}, claim(FUTURE, Side.SELL)) == LOT

    def test_an_open_loss_of_a_future_is_owed_and_an_open_gain_is_no_money_yet(self) -> None:
        held = {(FUTURE.name, Product.NRML): (LOT, LOT * 100)}
        needs = [
            requirement(held, [], BY_NAME.__getitem__, lambda _name, price=price: price, lambda _rows: 7)
            for price in (90, 100, 110)
        ]
        assert needs == [7 + LOT * 10, 7, 7]

    def test_filled_together_a_hedge_counts(self) -> None:
        claims = [claim(CALL, Side.SELL), claim(HEDGE, Side.BUY)]
        margin = filled_requirement(
            {}, claims, BY_NAME.__getitem__, lambda _name: None, lambda rows: notional(list(rows))
        )
        assert margin == 3 * LOT, "the premium of the hedge, and no margin"


class TestSettlement:
    def test_the_cash_value_is_intrinsic_and_never_negative(self) -> None:
        assert cash_price(CALL, 25_100_05) == 100_05
        assert cash_price(CALL, 24_900_00) == 0
        assert cash_price(PUT, 24_900_00) == 100_00
        assert cash_price(PUT, 25_000_00) == 0
        assert cash_price(FUTURE, 24_900_00) == 24_900_00

    def test_only_longs_of_options_are_exercised(self) -> None:
        assert exercised(CALL, LOT, 100) == LOT * 100
        assert exercised(CALL, -LOT, 100) == 0
        assert exercised(FUTURE, LOT, 100) == 0


@pytest.mark.parametrize(("name", "value"), [("fill_share_percent", 0), ("assumed_lots", 0), ("ack_latency_ms", -1)])
def test_a_setting_out_of_range_names_the_range(name: str, value: int) -> None:
    with pytest.raises(Refusal, match=f"{name} is {value}; give") as refused:
        PaperSettings(**{name: value})
    assert refused.value.code == "BAD_PAPER_SETTING"
