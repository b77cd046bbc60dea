"""Every open leg has its stop at the exchange, which follows the leg's own stop and is known when it is filled."""

from __future__ import annotations

from datetime import date

import pytest

from optconsole.engine import commands as cmd
from optconsole.engine.model.orders import Role
from optconsole.engine.model.protection import Protection, StopMode
from optconsole.engine.model.runs import LegStage, RunStatus
from tests.engine.trading.runs.stage import Stage, name, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"\n'
CE, PE = name(24500, "CE"), name(24500, "PE")


def sold(rules: str = 'stop = "25"', head: str = "") -> Stage:
    """One call sold at 99.90."""
    stage = Stage()
    stage.start(strategy(HEAD + head, ce=f"sell CE {rules}"))
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -65}
    return stage


def guard(stage: Stage) -> Protection:
    return next(each for each in stage.state.protections.values() if each.source.endswith("/ce"))


def test_a_plain_stop_is_watched_here_and_stands_wider_at_the_exchange() -> None:
    stage = sold()
    assert guard(stage).mode is StopMode.BOTH
    assert guard(stage).stop == 12_490
    assert stage.stops() == {"24500 CE": (13_740, 65)}


@pytest.mark.parametrize(
    "watch", ['watch = "minute-close"', 'watch = "mid"', 'watch = "ltp twice"', 'spike = "5% 1500ms"']
)
def test_a_stop_that_waits_for_more_than_a_print_has_only_the_wide_one_outside(watch: str) -> None:
    stage = sold(f'stop = "25"; {watch}')
    assert guard(stage).mode is StopMode.BROKER
    assert (guard(stage).stop, guard(stage).wide) == (13_740, 13_740)
    assert stage.stops() == {"24500 CE": (13_740, 65)}


def test_without_stops_at_the_broker_the_engine_watches_alone() -> None:
    stage = sold(head="broker_stop = false")
    assert guard(stage).mode is StopMode.LOCAL
    assert stage.stops() == {}
    stage = sold('stop = "25"; watch = "minute-close"', "broker_stop = false")
    assert stage.state.protections == {}


def test_a_leg_without_a_stop_of_its_own_price_has_none() -> None:
    assert sold('target = "50%"').stops() == {}
    assert sold('stop = "1% underlying"').stops() == {}


def test_the_stop_at_the_exchange_becomes_the_exit_of_the_leg_and_nothing_else_is_sent() -> None:
    stage = sold()
    stage.settle(5)
    stage.price(CE, 125.10)
    assert stage.held() == {}
    assert stage.stops() == {}
    assert [order.role for order in stage.state.orders.values()] == [Role.ENTRY, Role.STOP]
    assert stage.run().legs["ce"].code == "LEG_SL"
    assert stage.state.protections == {}
    assert stage.working() == []


def test_a_stop_filled_at_the_exchange_while_the_engine_was_away_is_the_legs_stop() -> None:
    stage = sold('stop = "25"; watch = "minute-close"; on_stop = "cost x1"')
    stage.price(CE, 138)
    assert stage.held() == {}
    leg = stage.run().legs["ce"]
    assert (leg.stage, leg.code) == (LegStage.OUT, "LEG_SL")
    stage.settle(5)
    stage.price(CE, 99)
    assert stage.held() == {"24500 CE": -65}, "a stop is followed by its re-entry wherever it was carried out"


def test_the_other_stop_moves_to_cost_when_a_stop_is_filled_at_the_exchange() -> None:
    stage = Stage()
    legs = {"ce": 'sell CE stop = "25"; watch = "minute-close"', "pe": 'sell PE stop = "25"'}
    stage.start(strategy(HEAD + 'move_to_cost = "other-right"', **legs))
    stage.to("09:20:00")
    stage.quote(PE, 8_000)
    stage.settle(5)
    stage.price(CE, 138)
    assert stage.held() == {"24500 PE": -65}
    assert stage.stops()["24500 PE"][0] == 9_990 + 1_250
    put = next(each for each in stage.state.protections.values() if each.source.endswith("/pe"))
    assert put.stop == 9_990


def test_a_trail_moves_the_stop_at_the_exchange_and_not_for_every_tick() -> None:
    stage = sold('stop = "30"; trail = "1/1"')
    moved = []
    for price in (99.5, 99, 98.5, 98, 97.5, 97, 96.5, 96, 95.5, 95, 94.5, 94):
        stage.settle(2)
        stage.price(CE, price)
        moved.append(guard(stage).stop)
    assert moved == sorted(moved, key=lambda stop: -(stop or 0))
    assert 2 <= len(set(moved)) <= 6
    levels = stage.run().legs["ce"].levels
    assert levels is not None
    assert levels.leg.stop is not None
    assert abs((guard(stage).stop or 0) - levels.leg.stop) < 130


def test_the_guard_has_the_size_of_its_leg_where_two_runs_hold_one_contract() -> None:
    stage = Stage()
    one = strategy(HEAD, ce='sell CE stop = "25"')
    stage.start(
        one,
        strategy(HEAD + 'note = "other"', ce='sell CE lots = 2; stop = "40"').__class__(
            **{**{field: getattr(one, field) for field in one.__struct_fields__}, "name": "other"}
        ),
    )
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -130}
    sizes = sorted(order.remaining for order in stage.working() if order.role is Role.STOP)
    assert sizes == [65, 65]


def test_a_stop_that_is_edited_moves_outside_too() -> None:
    stage = sold()
    run = stage.run()
    changed = strategy(HEAD, ce='sell CE stop = "40"')
    stage.edit("R1", changed)
    assert guard(stage).stop == 9_990 + 4_000
    assert stage.stops()["24500 CE"][0] == 9_990 + 6_000
    assert run.legs["ce"].levels != stage.run().legs["ce"].levels


def test_overnight_the_stop_stands_again_from_the_time_on_from_which_it_is_watched() -> None:
    stage = Stage(at="09:19:00")
    stage.start(strategy('entry = "09:20"\nexit = "11:00"\nholding = "overnight"', ce='sell CE stop = "25"'))
    stage.to("09:20:00")
    assert stage.stops()
    stage.close_day()
    stage.next_day(date(2026, 11, 26), "09:15:00")
    assert stage.stops() == {}
    assert stage.state.protections == {}
    stage.to("09:16:00")
    assert stage.stops() == {"24500 CE": (13_740, 65)}
    stage.to("11:00:00")
    assert stage.held() == {}
    assert stage.working() == []


def test_a_leg_closed_by_hand_leaves_no_stop_behind() -> None:
    stage = sold()
    stage.ask(cmd.Flatten(id="f", actor="key", scope=cmd.Scope(), percent=100))
    stage.settle(2)
    assert stage.held() == {}
    assert stage.working() == []
    assert stage.run().legs["ce"].code == "MANUAL"
    assert stage.said(RunStatus.CLOSED) == "MANUAL"
