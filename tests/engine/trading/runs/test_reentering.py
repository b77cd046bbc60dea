"""What follows the exit of a leg (features 1.7): every mode, its counters, and when nothing follows."""

from __future__ import annotations

import pytest

from optconsole.engine import commands as cmd
from optconsole.engine.model.orders import OrderStatus, Role
from optconsole.engine.model.runs import LegStage, RunStatus
from tests.engine.trading.runs.stage import Stage, name, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"\n'
CE, PE = name(24500, "CE"), name(24500, "PE")
KEEP = 'sell PE stop = "90%"'
"""A put that stays, so that the run does."""


def begun(rules: str, head: str = "", **legs: str) -> Stage:
    stage = Stage()
    stage.start(strategy(HEAD + head, ce=f"sell CE {rules}", **(legs or {"pe": KEEP})))
    stage.to("09:20:00")
    return stage


def prices(stage: Stage, contract: str, *rupees: float, gap: float = 2) -> None:
    for price in rupees:
        stage.settle(gap)
        stage.price(contract, price)


def calls(stage: Stage) -> dict[str, int]:
    return {contract: qty for contract, qty in stage.held().items() if contract.endswith("CE")}


def test_execute_chooses_the_strike_anew_at_once() -> None:
    stage = begun('stop = "20"; on_stop = "execute x1"')
    stage.settle(5)
    stage.market(2_460_000)
    stage.settle()
    assert calls(stage) == {"24600 CE": -65}
    assert stage.run().legs["ce"].entries == 2
    levels = stage.run().legs["ce"].levels
    assert levels is not None
    assert levels.leg.entry == 9_990, "the new stop is measured from the new fill"


def test_execute_may_wait_so_many_seconds() -> None:
    stage = begun('stop = "20"; on_stop = "execute x1 after 30s"')
    prices(stage, CE, 121)
    stage.settle(29)
    assert calls(stage) == {}
    stage.settle(1)
    assert calls(stage) == {"24500 CE": -65}


def test_cost_enters_the_same_contract_where_it_was_entered_and_counts() -> None:
    stage = begun('stop = "20"; on_stop = "cost x1"')
    prices(stage, CE, 121, 100)
    assert calls(stage) == {}
    prices(stage, CE, 99.90)
    assert calls(stage) == {"24500 CE": -65}
    prices(stage, CE, 121, 90)
    assert calls(stage) == {}


def test_close_looks_at_the_end_of_the_minute() -> None:
    stage = begun('stop = "20"; on_stop = "close x1"')
    prices(stage, CE, 121)
    prices(stage, CE, 95, gap=20)
    assert calls(stage) == {}
    stage.to("09:21:00")
    assert calls(stage) == {"24500 CE": -65}


def test_momentum_waits_for_its_move_on_the_new_contract() -> None:
    stage = begun('stop = "20"; on_stop = "momentum -10% x1"')
    prices(stage, CE, 121)
    assert calls(stage) == {}
    prices(stage, CE, 110)
    assert calls(stage) == {}
    prices(stage, CE, 108)
    assert calls(stage) == {"24500 CE": -65}


def test_reverse_turns_the_side() -> None:
    stage = begun('stop = "20"; on_stop = "execute x1 reverse"')
    prices(stage, CE, 121)
    assert calls(stage) == {"24500 CE": 65}
    levels = stage.run().legs["ce"].levels
    assert levels is not None
    assert levels.leg.stop == 12_110 - 2_000
    prices(stage, CE, 101)
    assert calls(stage) == {}


def test_a_lazy_leg_is_entered_once_its_parent_is_stopped() -> None:
    stage = begun(
        'stop = "20"; on_stop = "lazy next"',
        pe=KEEP,
        next='sell CE strike = "24600"; lazy = true; wait = "-10%"; stop = "10"',
    )
    assert stage.run().legs["next"].stage is LegStage.IDLE
    prices(stage, CE, 121)
    assert calls(stage) == {}
    assert stage.run().legs["next"].stage is LegStage.WAITING
    prices(stage, name(24600, "CE"), 50)
    assert calls(stage) == {"24600 CE": -65}


def test_stops_and_targets_count_for_themselves() -> None:
    stage = begun('stop = "20"; target = "20"; on_stop = "execute x1"; on_target = "execute x1"')
    prices(stage, CE, 121)
    assert stage.run().watch.counters.used("ce", target=False) == 1
    prices(stage, CE, 100)
    assert stage.run().watch.counters.used("ce", target=True) == 1
    assert calls(stage) == {"24500 CE": -65}
    prices(stage, CE, 78)
    assert calls(stage) == {}


def test_a_shared_count_is_of_all_legs() -> None:
    stage = begun(
        'stop = "20"; on_stop = "execute x3"',
        "reentry_shared_max = 1",
        pe='sell PE stop = "20"; on_stop = "execute x3"',
    )
    prices(stage, CE, 121)
    assert calls(stage) == {"24500 CE": -65}
    prices(stage, PE, 121)
    assert stage.held() == {"24500 CE": -65}


def test_square_off_all_runs_everything_anew() -> None:
    stage = begun('stop = "20"; on_stop = "execute x1 all"')
    stage.settle(5)
    stage.market(2_470_000)
    stage.settle()
    stage.settle(2)
    assert stage.held() == {"24700 CE": -65, "24700 PE": -65}
    assert stage.run().status is RunStatus.ACTIVE
    stage.settle(5)
    stage.market(2_490_000)
    stage.settle()
    stage.settle(2)
    assert calls(stage) == {}
    assert stage.run().legs["ce"].code == "LEG_SL"


def test_a_leg_squared_off_by_hand_stays_out_for_the_day() -> None:
    stage = begun('stop = "20"; on_stop = "cost x2"')
    stage.steer("R1", cmd.RunAction.EXIT, leg="ce")
    assert calls(stage) == {}
    assert stage.run().legs["ce"].code == "MANUAL"
    prices(stage, CE, 121, 99, 121, 90)
    assert calls(stage) == {}
    assert stage.run().watch.counters.barred == {"ce": stage.now.date()}


def test_nothing_is_entered_again_while_the_exit_is_under_way_or_unknown() -> None:
    stage = begun('stop = "20"; on_stop = "execute x1"', "broker_stop = false")
    stage.settle(5)
    stage.lost = {CE}
    stage.price(CE, 121)
    stage.settle(10)
    assert [order.status for order in stage.state.orders.values() if order.role is Role.EXIT] == [OrderStatus.UNKNOWN]
    entries = [each for each in stage.sent() if each[0] == "24500 CE"]
    assert len(entries) == 1
    assert stage.run().legs["ce"].stage is LegStage.LEAVING


def test_no_re_entry_comes_after_its_time() -> None:
    stage = begun('stop = "20"; on_stop = "cost x2"', 'no_reentry_after = "10:00"')
    prices(stage, CE, 121)
    stage.to("10:00:00")
    prices(stage, CE, 95)
    assert calls(stage) == {}
    assert stage.run().watch.armed == {}


def test_a_run_whose_last_leg_waits_for_its_cost_is_not_over() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce='sell CE stop = "20"; on_stop = "cost x1"'))
    stage.to("09:20:00")
    prices(stage, CE, 121)
    assert stage.held() == {}
    assert stage.run().status is RunStatus.WAITING
    stage.to("15:15:00")
    assert stage.run().status is RunStatus.CLOSED
    assert stage.run().watch.armed == {} or stage.run().status.over


@pytest.mark.parametrize(("how", "expected"), [("run", -65), ("reverse", 65)])
def test_an_overall_stop_is_followed_by_another_cycle_with_a_profit_of_its_own(how: str, expected: int) -> None:
    stage = begun('stop = "90%"', f'stop = "1300"\non_stop = "{how} x1"')
    stage.settle(5)
    stage.quote(PE, 11_000)
    stage.price(CE, 111)
    stage.settle(2)
    assert stage.held() == {"24500 CE": expected, "24500 PE": expected}
    run = stage.run()
    assert run.watch.cycle == 2
    assert run.watch.base[0] < -130_000
    assert run.watch.floor.peak == 0
    stage.settle(5)
    step = 11 if how == "run" else -11
    stage.quote(PE, 11_000 + step * 100)
    stage.price(CE, 111 + step)
    stage.settle(2)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "OVR_SL"


def test_a_cycle_may_wait_for_momentum_and_ends_with_the_run() -> None:
    stage = begun('stop = "90%"', 'stop = "1300"\non_stop = "momentum +5% x1"')
    stage.settle(5)
    stage.quote(PE, 11_000)
    stage.price(CE, 111)
    stage.settle(2)
    assert stage.held() == {}
    assert stage.run().watch.next_cycle is not None
    stage.quote(PE, 10_000)
    stage.price(CE, 100)
    stage.settle(2)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    stage = begun('stop = "90%"', 'stop = "1300"\non_stop = "momentum +5% x1"')
    stage.settle(5)
    stage.quote(PE, 11_000)
    stage.price(CE, 111)
    stage.to("15:15:00")
    assert stage.said(RunStatus.CLOSED) == "OVR_SL"


def test_an_overall_stop_leaves_no_armed_re_entry_behind() -> None:
    stage = begun('stop = "20"; on_stop = "cost x1"', 'stop = "3000"')
    prices(stage, CE, 121)
    assert "ce" in stage.run().watch.armed
    stage.settle(5)
    stage.price(PE, 150)
    stage.settle(5)
    prices(stage, CE, 95)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "OVR_SL"


def test_a_run_that_is_to_begin_again_can_be_let_go_by_hand() -> None:
    stage = begun('stop = "90%"', 'stop = "1300"\non_stop = "run x1 after 60s"')
    stage.settle(5)
    stage.quote(PE, 11_000)
    stage.price(CE, 111)
    stage.settle(5)
    stage.steer("R1", cmd.RunAction.EXIT)
    stage.settle(120)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "OVR_SL"


def test_everything_anew_waits_for_its_delay() -> None:
    stage = begun('stop = "20"; on_stop = "execute x1 after 30s all"')
    prices(stage, CE, 121)
    stage.settle(2)
    assert stage.held() == {}
    stage.settle(20)
    assert stage.held() == {}
    stage.settle(10)
    assert len(stage.held()) == 2
