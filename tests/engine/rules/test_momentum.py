"""Entries that wait for a move, of one leg or of the combined premium."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import EntryWait, Measure, Unit
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Leg, Schedule, Strategy
from optconsole.engine.model.triggers import Momentum
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.leg_prices import Look
from optconsole.engine.rules.momentum import (
    begin_combined,
    begin_wait,
    cancelled_by,
    combined_moved,
    combined_premium,
    has_moved,
    move_level,
    seen_price,
    wait_is_over,
)
from optconsole.engine.rules.triggers import Fired
from tests.engine.rules.leg_cases import FILLED, after, of_index, percent, points

CALL = "NIFTY 24NOV26 24500 CE"


def waiting(move: Measure, *, first_only: bool = False) -> Leg:
    return Leg(id="a", side=Side.SELL, right=Right.CALL, wait=EntryWait(move=move, first_only=first_only))


def test_en2_reference_200_plus_15_points_enters_at_215_on_the_contract_locked_at_entry_time() -> None:
    wait = begin_wait(waiting(points(15)), CALL, 200_00, None, 5, 65)
    assert wait is not None
    assert (wait.contract, wait.reference, wait.level) == (CALL, 200_00, 215_00)
    assert wait_is_over(wait, 214_95, None) is None
    for price in (215_00, 230_00):
        answer = wait_is_over(wait, price, None)
        assert isinstance(answer, Fired)
        assert (answer.value, answer.level) == (price, 215_00)


@pytest.mark.parametrize(
    ("move", "level"),
    [
        (points(-15), 185_00),
        (percent(10), 220_00),
        (percent(-10), 180_00),
        (percent(6), 212_00),
        (percent(0.01), 200_05),
        (percent(-0.01), 199_95),
        (of_index(50), 24_550_00),
        (Measure(-100, Unit.UNDERLYING_PERCENT), 24_255_00),
        (Measure(650_00, Unit.RUPEES_A_LOT), 210_00),
    ],
)
def test_en2_moves_of_premium_and_underlying_up_and_down(move: Measure, level: int) -> None:
    wait = begin_wait(waiting(move), CALL, 200_00, 24_500_00, 5, 65)
    assert wait is not None
    assert wait.level == level


def test_en2_of_the_underlying_looks_at_the_underlying() -> None:
    wait = begin_wait(waiting(of_index(-50)), CALL, 200_00, 24_500_00, 5, 65)
    assert wait is not None
    assert wait_is_over(wait, 1, 24_450_05) is None
    assert isinstance(wait_is_over(wait, 1, 24_450_00), Fired)
    assert isinstance(wait_is_over(wait, 1, None), Blind)


def test_en2_does_not_begin_without_its_reference() -> None:
    assert begin_wait(waiting(points(15)), CALL, None, 24_500_00, 5, 65) is None
    assert begin_wait(Leg(id="a", side=Side.SELL), CALL, 200_00, None, 5, 65) is None


def test_en2_trade_only_first_entry_cancels_the_other_waits() -> None:
    assert cancelled_by(waiting(points(1), first_only=True), ("a", "b", "c")) == ("b", "c")
    assert cancelled_by(waiting(points(1)), ("a", "b")) == ()


@given(st.integers(1_00, 1_000_00), st.integers(-9_000, 9_000), st.sampled_from([5, 10, 20]))
def test_a_level_is_never_short_of_the_move(reference: int, share: int, tick: int) -> None:
    move = Measure(share, Unit.PERCENT)
    level = move_level(move, reference, tick, 65)
    if level > tick:
        assert abs(level - reference) * 10_000 >= abs(share) * reference
    assert has_moved(move, level, level)


@given(st.integers(1_00, 1_000_00), st.integers(-9_000, 9_000), st.integers(2, 20))
def test_scaling_prices_scales_a_percent_move(reference: int, share: int, factor: int) -> None:
    move = Measure(share, Unit.PERCENT)
    assert move_level(move, reference * factor, 5 * factor, 65) == factor * move_level(move, reference, 5, 65)


def strangle() -> Strategy:
    legs = (
        Leg(id="ce", side=Side.SELL, right=Right.CALL, lots=3),
        Leg(id="pe", side=Side.SELL, right=Right.PUT),
        Leg(id="wing", side=Side.BUY, right=Right.CALL, lots=9),
        Leg(id="later", side=Side.BUY, right=Right.PUT, lazy=True),
        Leg(id="fut", side=Side.BUY),
    )
    return Strategy(name="s", underlying="NIFTY", legs=legs, schedule=Schedule(entry_at=time(9, 20), exit_at=time(15)))


def test_en3_is_one_lot_a_leg_signed_without_lazy_legs_and_futures() -> None:
    prices = {"ce": 100_00, "pe": 110_00, "wing": 20_00}
    assert combined_premium(strangle(), prices.get) == -190_00


def test_en3_is_unknown_while_a_premium_is() -> None:
    assert combined_premium(strangle(), {"ce": 100_00, "pe": 110_00}.get) is None


@pytest.mark.parametrize(
    ("rule", "start", "level"),
    [
        (Momentum(amount=15_00), 200_00, 215_00),
        (Momentum(amount=-15_00), 200_00, 185_00),
        (Momentum(amount=1_000, percent=True), 200_00, 220_00),
        (Momentum(amount=1_000, percent=True), -200_00, -180_00),
        (Momentum(amount=-1_000, percent=True), -200_00, -220_00),
    ],
)
def test_en3_moves_in_points_and_in_percent_of_its_size(rule: Momentum, start: int, level: int) -> None:
    wait = begin_combined(rule, start, FILLED)
    assert wait.level == level
    short = level - 1 if rule.amount > 0 else level + 1
    assert combined_moved(rule, wait, short) is None
    assert isinstance(combined_moved(rule, wait, level), Fired)
    assert isinstance(combined_moved(rule, wait, None), Blind)


def test_en3_on_close_takes_only_minutes_that_ended_after_the_start() -> None:
    rule = Momentum(amount=1, on_close=True)
    look = Look(ltp=120_00, close=100_00, closed_at=after(60))
    assert seen_price(rule, look, FILLED) == 100_00
    assert seen_price(rule, look, after(60)) is None
    assert seen_price(rule, Look(ltp=120_00), FILLED) is None
    assert seen_price(Momentum(amount=1), look, FILLED) == 120_00
