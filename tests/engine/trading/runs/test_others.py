"""What others do to a run: the market's end, a hand, somebody elsewhere, an expiry, a limit."""

from __future__ import annotations

from datetime import date

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.limits import Level
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.runs import LegStage, RunStatus
from tests.engine.facts import terms
from tests.engine.trading.runs.stage import Stage, name, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"\n'
CE, PE = name(24500, "CE"), name(24500, "PE")
THU = date(2026, 11, 26)


def begun(head: str = "", **legs: str) -> Stage:
    stage = Stage()
    rules = {"ce": 'sell CE stop = "25%"; on_stop = "cost x2"', "pe": 'sell PE stop = "25%"'}
    stage.start(strategy(HEAD + head, **(legs or rules)))
    stage.to("09:20:00")
    return stage


def test_what_could_not_be_left_before_the_close_is_left_the_next_morning() -> None:
    stage = begun()
    stage.dry = {CE}
    stage.to("15:15:00")
    stage.to("15:29:00")
    assert stage.held() == {"24500 CE": -65}
    stage.close_day()
    stage.dry = set()
    stage.next_day(THU)
    stage.settle(60)
    assert stage.held() == {}
    assert stage.run("R1").status is RunStatus.CLOSED
    assert stage.run("R1").code == "TIME"


def test_an_exit_that_a_person_gives_up_comes_again_after_a_minute() -> None:
    stage = begun()
    stage.dry = {CE}
    stage.to("15:15:00")
    wish = next(iter(stage.state.flattening))
    stage.ask(cmd.AbandonFlatten(id="a", actor="key", flatten_id=wish))
    stage.settle(1)
    assert stage.run().legs["ce"].stage is LegStage.OPEN
    stage.dry = set()
    stage.settle(30)
    assert stage.held() == {"24500 CE": -65}
    stage.settle(31)
    assert stage.held() == {}


def test_a_hand_that_buys_a_leg_back_ends_it_for_the_day() -> None:
    stage = begun()
    order = stage.order(terms(Side.BUY, 65, 10_000, contract=CE))
    assert stage.run().legs["ce"].stage is LegStage.OPEN
    stage.fill(order, 65, 10_000, "hand")
    stage.settle(1)
    leg = stage.run().legs["ce"]
    assert (leg.stage, leg.code) == (LegStage.OUT, "MANUAL")
    assert stage.run().watch.counters.barred == {"ce": stage.now.date()}
    assert stage.stops().keys() == {"24500 PE"}


def test_somebody_elsewhere_who_closes_a_leg_is_told_as_such() -> None:
    stage = begun()
    stage.foreign(Side.BUY, 65, CE)
    stage.settle(1)
    assert stage.run().legs["ce"].code == "EXTERNAL"
    assert stage.held() == {"24500 PE": -65}


def test_half_of_a_leg_closed_by_hand_leaves_the_rest_guarded() -> None:
    stage = begun(ce='sell CE lots = 2; stop = "25%"')
    order = stage.order(terms(Side.BUY, 65, 10_000, contract=CE))
    stage.fill(order, 65, 10_000, "hand")
    stage.settle(1)
    assert stage.run().legs["ce"].stage is LegStage.OPEN
    assert stage.stops()["24500 CE"][1] == 65
    stage.price(CE, 126)
    assert stage.held() == {}
    assert stage.run().legs["ce"].code == "LEG_SL"


def test_a_contract_that_expires_ends_its_leg() -> None:
    stage = begun('holding = "positional"\nentry_dte = 4\nexit_dte = 0', ce="sell CE")
    for day in (THU, date(2026, 11, 27), date(2026, 11, 30), date(2026, 12, 1)):
        stage.next_day(day)
    stage.fills = False
    stage.to("15:15:00")
    stage.close_day()
    stage.tell(ev.PositionSettled(account="paper", product=Product.NRML, contract=CE, qty=-65, price=0, charges=0))
    stage.now = stage.now.replace(hour=15, minute=45)
    stage.settle()
    assert stage.held() == {}
    assert stage.run("R1").status is RunStatus.CLOSED


def test_a_halted_wait_goes_on_once_it_is_resumed() -> None:
    stage = begun('level = "above 24600"', ce='sell CE strike = "24500"')
    stage.steer("R1", cmd.RunAction.HALT)
    stage.settle(2)
    stage.price("NIFTY", 24_600)
    assert stage.held() == {}
    stage.price("NIFTY", 24_500)
    stage.steer("R1", cmd.RunAction.RESUME)
    assert stage.run().status is RunStatus.WAITING
    stage.settle(2)
    stage.price("NIFTY", 24_600)
    assert stage.held() == {"24500 CE": -65}


def test_a_wait_whose_reference_is_unknown_is_measured_from_its_first_price() -> None:
    stage = Stage()
    known = stage.quotes.pop(CE)
    stage.start(strategy(HEAD, ce='sell CE strike = "24500"; wait = "-10"'))
    stage.to("09:20:00")
    assert stage.run().legs["ce"].reference is None
    stage.quotes[CE] = known
    stage.settle(1)
    assert stage.run().legs["ce"].reference == 10_000
    stage.price(CE, 90)
    assert stage.held() == {"24500 CE": -65}


def test_two_legs_of_one_run_in_one_contract_are_both_left() -> None:
    stage = begun(one="sell CE", two='buy CE strike = "24500"')
    stage.settle(5)
    assert stage.held() == {}
    assert {leg.stage for leg in stage.run().legs.values()} == {LegStage.OPEN}
    stage.to("15:15:00")
    for _ in range(4):
        stage.settle(2)
    assert stage.said(RunStatus.CLOSED) == "TIME"
    assert stage.held() == {}
    assert stage.working() == []


def test_a_limit_that_closes_a_run_is_its_reason() -> None:
    for level, called, code in (
        (Level.ACCOUNT, "paper", "ACCOUNT_LIMIT"),
        (Level.BASKET, "day", "BASKET_LIMIT"),
    ):
        stage = begun()
        begin = ev.FlattenBegun(
            flatten_id=f"limit:{level.value}:{called}:max-loss:{stage.now.date()}",
            kind="account" if level is Level.ACCOUNT else "strategy",
            name=called,
            percent=100,
            why="limit",
        )
        stage.tell(begin)
        stage.settle(2)
        assert stage.held() == {}
        assert {leg.code for leg in stage.run().legs.values()} == {code}
        assert stage.said(RunStatus.CLOSED) == code
