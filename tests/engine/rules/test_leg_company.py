"""What the exit of one leg does to the others."""

from __future__ import annotations

from datetime import time
from typing import Any

import msgspec
import pytest

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import CostShift, Leg, Schedule, SquareOff, Strategy
from optconsole.engine.rules.leg_company import to_close, to_shift
from tests.engine.rules.leg_cases import a_leg, points

BUY, SELL = Side.BUY, Side.SELL


def straddle(rule: CostShift = CostShift.NONE, **words: Any) -> Strategy:
    legs = (
        a_leg(SELL, Right.CALL, points(20), id="ce"),
        a_leg(SELL, Right.PUT, points(20), id="pe"),
        a_leg(BUY, Right.CALL, id="wing"),
        Leg(id="fut", side=BUY),
    )
    schedule = Schedule(entry_at=time(9, 20), exit_at=time(15, 15))
    return Strategy(name="s", underlying="NIFTY", legs=legs, schedule=schedule, move_to_cost=rule, **words)


@pytest.mark.parametrize(
    ("rule", "shifted"),
    [
        (CostShift.NONE, ()),
        (CostShift.OTHER_RIGHT, ("pe",)),
        (CostShift.ALL, ("pe", "wing", "fut")),
        (CostShift.WITH_STOP, ("pe",)),
    ],
)
def test_lx7_who_goes_to_cost(rule: CostShift, shifted: tuple[str, ...]) -> None:
    strategy = straddle(rule)
    everything = ("ce", "pe", "wing", "fut")
    assert to_shift(strategy, strategy.legs[0], ExitCode.LEG_SL, everything) == shifted


def test_lx7_only_legs_open_at_that_moment_go_to_cost() -> None:
    strategy = straddle(CostShift.ALL)
    assert to_shift(strategy, strategy.legs[0], ExitCode.LEG_TSL, {"wing"}) == ("wing",)


@pytest.mark.parametrize("code", [ExitCode.LEG_TGT, ExitCode.TIME, ExitCode.MANUAL, ExitCode.OVR_SL])
def test_lx7_only_a_leg_closed_by_its_own_stop_moves_the_others(code: ExitCode) -> None:
    strategy = straddle(CostShift.ALL)
    assert to_shift(strategy, strategy.legs[0], code, {"pe", "wing"}) == ()


ALL = ("ce", "pe", "wing", "fut")


def hedged(*protects: str, with_hedge: bool = True) -> Strategy:
    """The straddle, its call leaving together with the wing, which protects these legs."""
    strategy = straddle()
    call, put, wing, future = strategy.legs
    call = msgspec.structs.replace(call, with_hedge=with_hedge)
    wing = msgspec.structs.replace(wing, hedges=protects)
    return msgspec.structs.replace(strategy, legs=(call, put, wing, future))


def test_lx8_partial_leaves_the_others_alone() -> None:
    strategy = straddle()
    assert to_close(strategy, strategy.legs[0], ExitCode.LEG_SL, ALL) == ()


@pytest.mark.parametrize("code", [ExitCode.LEG_SL, ExitCode.LEG_TSL, ExitCode.COST_SL, ExitCode.LEG_TGT])
def test_lx8_complete_closes_every_open_leg_hedges_last(code: ExitCode) -> None:
    strategy = msgspec.structs.replace(hedged("ce", "pe"), square_off=SquareOff.COMPLETE)
    assert to_close(strategy, strategy.legs[0], code, {"pe", "wing", "fut"}) == ("pe", "fut", "wing")
    assert to_close(strategy, strategy.legs[0], code, {"wing"}) == ("wing",)


@pytest.mark.parametrize("code", [ExitCode.TIME, ExitCode.MANUAL, ExitCode.KILL])
def test_lx8_only_a_stop_or_a_target_closes_the_others(code: ExitCode) -> None:
    strategy = straddle(square_off=SquareOff.COMPLETE)
    assert to_close(strategy, strategy.legs[0], code, ALL) == ()


def test_lx8_a_hedge_leaves_with_the_leg_it_protects() -> None:
    strategy = hedged("ce")
    assert to_close(strategy, strategy.legs[0], ExitCode.LEG_SL, ("pe", "wing")) == ("wing",)


def test_lx8_a_hedge_of_two_stays_for_the_one_still_open() -> None:
    strategy = hedged("ce", "pe")
    assert to_close(strategy, strategy.legs[0], ExitCode.LEG_SL, ("pe", "wing")) == ()
    assert to_close(strategy, strategy.legs[0], ExitCode.LEG_SL, ("wing",)) == ("wing",)


def test_lx8_a_hedge_stays_where_the_leg_does_not_ask_for_it() -> None:
    strategy = hedged("ce", with_hedge=False)
    assert to_close(strategy, strategy.legs[0], ExitCode.LEG_SL, ("pe", "wing")) == ()
