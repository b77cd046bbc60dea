"""How a run is entered: hedges first, gated on fills, in parts, and what follows a leg that fails (BK-3, BK-4)."""

from __future__ import annotations

import pytest

from optconsole.engine import commands as cmd
from optconsole.engine.model.baskets import Allocation, BasketStatus, Pace
from optconsole.engine.model.orders import OrderStatus, Role, Side
from optconsole.engine.model.runs import LegStage, RunStatus
from optconsole.engine.model.strategies import Strategy
from tests.engine.trading.runs.stage import Stage, name, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"\n'
CE, PE, HEDGE = name(24500, "CE"), name(24500, "PE"), name(24600, "CE")


def spread(head: str = "", lots: int = 1) -> Strategy:
    """A sold call that a bought one further out protects."""
    return strategy(
        HEAD + head,
        ce=f'sell CE lots = {lots}; stop = "25%"',
        hedge=f'buy CE strike = "24600"; lots = {lots}; hedges = ["ce"]',
    )


def pair(head: str = "", ce: int = 1, pe: int = 1) -> Strategy:
    return strategy(HEAD + head, ce=f'sell CE lots = {ce}; stop = "25%"', pe=f'sell PE lots = {pe}; stop = "25%"')


def ready(*strategies: Strategy) -> Stage:
    stage = Stage()
    stage.start(*strategies)
    return stage


def test_the_sold_leg_leaves_only_once_its_hedge_is_filled() -> None:
    stage = ready(spread())
    stage.dry = {HEDGE}
    stage.to("09:20:00")
    assert stage.sent() == [("24600 CE", "BUY", 65)]
    stage.dry = set()
    stage.settle(1)
    assert stage.held() == {"24600 CE": 65, "24500 CE": -65}
    assert [contract for contract, _, _ in stage.sent()] == ["24600 CE", "24500 CE"]


def test_a_hedge_that_is_half_filled_lets_nothing_be_sold() -> None:
    stage = ready(spread(lots=2))
    stage.shallow = {HEDGE: 65}
    stage.to("09:20:00")
    assert stage.held() == {"24600 CE": 65}
    assert stage.sent() == [("24600 CE", "BUY", 130)]


def test_an_order_above_the_freeze_quantity_leaves_in_parts() -> None:
    stage = ready(pair(ce=40))
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -2600, "24500 PE": -65}
    assert stage.sent() == [("24500 CE", "SELL", 1755), ("24500 CE", "SELL", 845), ("24500 PE", "SELL", 65)]
    assert stage.run().legs["ce"].qty == 2600


def test_an_order_that_does_not_fill_is_moved_and_at_last_taken_back_and_sent_again() -> None:
    stage = ready(pair("patience = 10\nretries = 1"))
    stage.dry = {CE}
    stage.to("09:20:00")
    for _ in range(8):
        stage.settle(5)
    sent = [each for each in stage.state.orders.values() if each.terms.contract == CE and each.role is Role.ENTRY]
    assert len(sent) == 2
    assert sent[0].status is OrderStatus.CANCELLED


# what follows a failure


def test_rollback_closes_what_was_filled() -> None:
    stage = ready(pair())
    stage.refuse = {PE: "MARGIN"}
    stage.to("09:20:00")
    for _ in range(6):
        stage.settle(2)
    assert stage.held() == {}
    assert stage.said(RunStatus.FAILED) == "ROLLBACK"
    assert "LEG_FAILED" in stage.codes()


def test_hold_keeps_and_guards_what_was_filled() -> None:
    stage = ready(pair('on_failure = "hold"'))
    stage.refuse = {PE: "MARGIN"}
    stage.to("09:20:00")
    for _ in range(6):
        stage.settle(2)
    assert stage.held() == {"24500 CE": -65}
    assert stage.run().legs["pe"].code == "MARGIN"
    assert stage.said(RunStatus.ACTIVE) == "ON_TIME"
    stage.price(CE, 130)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "LEG_SL"


def test_hold_keeps_a_leg_that_is_partly_filled_with_its_stop() -> None:
    stage = ready(pair('on_failure = "hold"\npatience = 2\nretries = 0', ce=3))
    stage.shallow = {CE: 65}
    stage.to("09:20:00")
    for _ in range(5):
        stage.settle(2)
    leg = stage.run().legs["ce"]
    assert (leg.stage, leg.qty) == (LegStage.OPEN, 65)
    assert stage.stops()["24500 CE"][1] == 65


def test_complete_goes_on_trying() -> None:
    stage = ready(pair('on_failure = "complete"\nretries = 1'))
    stage.refuse = {PE: "BUSY"}
    stage.to("09:20:00")
    for _ in range(6):
        stage.settle(2)
    assert stage.held() == {"24500 CE": -65}
    stage.refuse = {}
    stage.settle(30)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}


def test_complete_tries_ever_more_rarely_and_is_told_once() -> None:
    stage = ready(pair('on_failure = "complete"\nretries = 1'))
    stage.refuse = {PE: "BUSY"}
    stage.to("09:20:00")
    for _ in range(300):
        stage.settle(1)
    assert 5 <= len([each for each in stage.sent() if each[0] == "24500 PE"]) <= 12
    assert stage.codes().count("LEG_FAILED") == 1


def test_a_re_entry_that_fails_leaves_the_other_legs_alone() -> None:
    stage = ready(strategy(HEAD, ce='sell CE stop = "20"; on_stop = "execute x1 after 5s"', pe="sell PE"))
    stage.to("09:20:00")
    stage.settle(2)
    stage.price(CE, 121)
    stage.refuse = {CE: "MARGIN"}
    for _ in range(10):
        stage.settle(2)
    assert stage.held() == {"24500 PE": -65}
    assert "LEG_FAILED" in stage.codes()


def test_a_hand_that_goes_flat_in_the_middle_of_an_entry_ends_it() -> None:
    stage = ready(spread(lots=2))
    stage.shallow = {HEDGE: 65}
    stage.to("09:20:00")
    stage.shallow = {}
    stage.dry = {HEDGE}
    stage.ask(cmd.Flatten(id="f", actor="key", scope=cmd.Scope(), percent=100))
    stage.settle(1)
    stage.dry = set()
    for _ in range(5):
        stage.settle(2)
    assert stage.held() == {}
    assert {leg.code for leg in stage.run().legs.values()} == {"MANUAL"}
    assert stage.run().status.over


def test_ratio_cuts_the_others_to_what_the_short_leg_has() -> None:
    stage = ready(pair('on_failure = "ratio"\npatience = 2\nretries = 0', ce=4, pe=2))
    stage.shallow = {PE: 65}
    stage.to("09:20:00")
    stage.settle(2)
    stage.dry, stage.shallow = set(), {}
    for _ in range(5):
        stage.settle(2)
    assert stage.held() == {"24500 CE": -130, "24500 PE": -65}
    assert stage.said(RunStatus.ACTIVE) == "ON_TIME"
    assert {leg.id: leg.lots for leg in stage.run().legs.values()} == {"ce": 2, "pe": 1}
    assert stage.stops() == {
        "24500 CE": (stage.stops()["24500 CE"][0], 130),
        "24500 PE": (stage.stops()["24500 PE"][0], 65),
    }
    stage.to("15:15:00")
    assert stage.held() == {}


def test_ratio_sells_no_more_than_the_hedge_that_is_short() -> None:
    stage = ready(spread('on_failure = "ratio"\npatience = 2\nretries = 0', lots=3))
    stage.shallow = {HEDGE: 130}
    stage.to("09:20:00")
    for _ in range(5):
        stage.settle(2)
    assert stage.held() == {"24600 CE": 130, "24500 CE": -130}
    assert stage.sent() == [("24600 CE", "BUY", 195), ("24500 CE", "SELL", 130)]


def test_ratio_closes_all_where_no_whole_lots_are_left() -> None:
    stage = ready(pair('on_failure = "ratio"\nretries = 0', ce=2, pe=1))
    stage.refuse = {PE: "MARGIN"}
    stage.to("09:20:00")
    for _ in range(5):
        stage.settle(2)
    assert stage.held() == {}
    assert stage.said(RunStatus.FAILED) == "ROLLBACK"


# what stands in the way


def test_a_risk_limit_denies_the_leg_and_the_run_says_so() -> None:
    stage = ready(pair())
    stage.limits = type(stage.limits)(max_lots=1)
    stage.start(pair(ce=2))
    stage.to("09:20:00")
    stage.settle(5)
    assert stage.held() == {}
    assert stage.said(RunStatus.FAILED) in ("MAX_LOTS", "ROLLBACK")


def test_a_passing_obstacle_is_waited_for_within_the_grace_and_not_for_ever() -> None:
    stage = ready(pair())
    stage.quotes.pop(PE)
    stage.to("09:20:00")
    stage.to("09:21:00")
    assert stage.held() == {"24500 CE": -65}
    assert stage.run().status is RunStatus.ENTERING
    stage.to("09:23:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.FAILED) == "ROLLBACK"


def test_an_entry_that_the_kill_switch_meets_is_broken_off() -> None:
    stage = ready(spread())
    stage.shallow = {HEDGE: 0}
    stage.to("09:20:00")
    stage.ask(cmd.EngageKill(id="k", actor="key", why="test"))
    stage.settle(1)
    assert stage.held() == {}
    assert stage.said(RunStatus.SKIPPED) == "KILL"
    assert stage.working() == []


def test_a_kill_closes_what_is_open_and_the_run_ends_by_it() -> None:
    stage = ready(pair())
    stage.to("09:20:00")
    stage.ask(cmd.EngageKill(id="k", actor="key", why="test"))
    stage.settle(1)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "KILL"


def test_a_halt_in_the_middle_takes_back_what_works_and_keeps_what_is_filled() -> None:
    stage = ready(spread(lots=2))
    stage.shallow = {HEDGE: 65}
    stage.to("09:20:00")
    stage.steer("R1", cmd.RunAction.HALT)
    stage.settle(2)
    assert stage.held() == {"24600 CE": 65}
    assert stage.said(RunStatus.HALTED) == "HALTED"
    assert stage.working() == []
    stage.shallow = {}
    stage.to("15:15:00")
    assert stage.held() == {}
    assert stage.run().status is RunStatus.CLOSED


def test_a_halted_run_keeps_its_stops_and_its_exit_time_and_enters_nothing_again() -> None:
    again = strategy(HEAD, ce='sell CE stop = "25%"; on_stop = "cost x2"', pe='sell PE stop = "25%"')
    stage = ready(again)
    stage.to("09:20:00")
    stage.steer("R1", cmd.RunAction.HALT)
    stage.price(CE, 130)
    assert stage.held() == {"24500 PE": -65}
    stage.settle(5)
    stage.price(CE, 90)
    assert stage.held() == {"24500 PE": -65}
    stage.steer("R1", cmd.RunAction.RESUME)
    stage.settle(5)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    stage.steer("R1", cmd.RunAction.HALT)
    stage.to("15:15:00")
    assert stage.held() == {}


def test_a_halted_run_that_its_overall_stop_ends_begins_no_new_cycle() -> None:
    stage = ready(pair('stop = "1000"\non_stop = "run x2"'))
    stage.to("09:20:00")
    stage.steer("R1", cmd.RunAction.HALT)
    stage.quote(PE, 11_000)
    stage.price(CE, 120)
    stage.settle(5)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "OVR_SL"


def test_a_stopped_basket_gives_up_what_is_not_entered_and_guards_what_is() -> None:
    stage = ready(
        strategy(HEAD, ce='sell CE stop = "25%"; on_stop = "cost x2"', pe='sell PE wait = "-5%"; stop = "25%"')
    )
    stage.to("09:20:00")
    stage.ask(cmd.SetBasketStatus(id="p", actor="key", name="day", status=BasketStatus.STOPPED))
    stage.settle(1)
    assert stage.run().legs["pe"].code == "STOPPED"
    stage.price(PE, 80)
    assert stage.held() == {"24500 CE": -65}
    stage.price(CE, 130)
    assert stage.held() == {}
    stage.settle(5)
    stage.price(CE, 90)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "LEG_SL"


def test_a_paused_basket_sends_the_rest_of_a_begun_entry_and_takes_no_re_entry() -> None:
    stage = ready(spread())
    stage.dry = {HEDGE}
    stage.to("09:20:00")
    stage.ask(cmd.SetBasketStatus(id="p", actor="key", name="day", status=BasketStatus.PAUSED))
    stage.dry = set()
    stage.settle(1)
    assert stage.held() == {"24600 CE": 65, "24500 CE": -65}


# accounts


def test_a_leg_of_another_account_is_sent_there() -> None:
    stage = Stage()
    stage.open_account("second")
    stage.start(strategy(HEAD, ce='sell CE stop = "25%"', pe='sell PE stop = "25%"; account = "second"'))
    stage.to("09:20:00")
    assert {(each.key.account, each.key.contract): each.qty for each in stage.state.positions.values()} == {
        ("paper", CE): -65,
        ("second", PE): -65,
    }
    stage.to("15:15:00")
    assert stage.held() == {}


def test_accounts_by_priority_enter_one_after_another() -> None:
    stage = Stage()
    stage.open_account("second")
    stage.pace = Pace.PRIORITY
    stage.dry = {CE}
    stage.start(pair(), accounts=(Allocation(account="second", priority=1), Allocation(account="paper", priority=2)))
    stage.to("09:20:00")
    assert {each.terms.account for each in stage.state.orders.values()} == {"second"}
    stage.dry = set()
    stage.settle(1)
    assert {each.key.account for each in stage.state.positions.values() if each.qty} == {"second", "paper"}


def test_staggered_accounts_are_so_many_milliseconds_apart() -> None:
    stage = Stage()
    stage.open_account("second")
    stage.pace = Pace.STAGGERED
    stage.start(pair(), accounts=(Allocation(account="paper", priority=1), Allocation(account="second", priority=2)))
    stage.to("09:20:00")
    assert {each.key.account for each in stage.state.positions.values()} == {"paper"}
    stage.settle(0.5)
    assert {each.key.account for each in stage.state.positions.values()} == {"paper", "second"}


@pytest.mark.parametrize("multiplier", [100, 200])
def test_each_account_has_its_own_lots(multiplier: int) -> None:
    stage = Stage()
    stage.start(pair(), accounts=(Allocation(account="paper", multiplier=multiplier),))
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -65 * multiplier // 100, "24500 PE": -65 * multiplier // 100}
    assert all(order.terms.side is Side.SELL for order in stage.state.orders.values() if order.role is Role.ENTRY)
