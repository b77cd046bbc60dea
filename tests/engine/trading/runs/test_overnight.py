"""Runs that live overnight: NIFTY_STBT sells a call and a put at 09:19 and buys them back at 09:18 the next day."""

from __future__ import annotations

from datetime import date

from optconsole.engine.model.runs import LegStage, RunStatus
from optconsole.engine.model.strategies import Strategy
from tests.engine.trading.runs.stage import Stage, name, strategy

WED, THU, FRI, MON, TUE = (
    date(2026, 11, 25),
    date(2026, 11, 26),
    date(2026, 11, 27),
    date(2026, 11, 30),
    date(2026, 12, 1),
)
CE, PE = name(24500, "CE"), name(24500, "PE")
HEAD = """
entry = "09:19:00"
exit = "09:18:00"
holding = "overnight"
non_expiry_only = true
"""
LEG = 'strike = "premium 100"; stop = "20"; on_stop = "cost x2"'


def stbt(wait: str = "") -> Strategy:
    leg = LEG + (f'; wait = "{wait}"' if wait else "")
    return strategy(HEAD, ce=f"sell CE {leg}", pe=f"sell PE {leg}")


def begun(day: date = WED, wait: str = "") -> Stage:
    stage = Stage(day, "09:18:30")
    stage.start(stbt(wait))
    stage.to("09:19:00")
    return stage


def test_it_sells_at_its_second_and_buys_back_at_its_second_of_the_next_trading_day() -> None:
    stage = begun()
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    stage.to("15:29:00")
    stage.next_day(THU)
    stage.to("09:17:59")
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    stage.to("09:18:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "TIME"


def test_yesterdays_exit_comes_one_minute_before_todays_entry_in_the_same_contracts() -> None:
    stage = begun()
    stage.next_day(THU)
    stage.to("09:18:00")
    stage.to("09:19:00")
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    assert stage.said(RunStatus.CLOSED, "R1") == "TIME"
    assert stage.said(RunStatus.ACTIVE, "R2") == "ON_TIME"
    assert stage.run("R2").legs["ce"].contract == stage.run("R1").legs["ce"].contract == CE
    assert stage.run("R2").exit_at.date() == FRI


def test_an_exit_that_does_not_fill_lets_the_new_entry_wait_and_never_mixes_their_parts() -> None:
    stage = begun()
    stage.next_day(THU)
    stage.fills = False
    stage.to("09:18:00")
    stage.to("09:19:00")
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    stage.fills = True
    for _ in range(8):
        stage.settle(5)
    assert stage.said(RunStatus.CLOSED, "R1") == "TIME"
    assert stage.said(RunStatus.ACTIVE, "R2")
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}


def test_a_friday_entry_leaves_on_monday_and_a_monday_entry_is_skipped_before_an_expiry() -> None:
    stage = begun(FRI)
    stage.next_day(MON)
    stage.to("09:18:00")
    assert stage.said(RunStatus.CLOSED) == "TIME"
    stage.to("09:19:00")
    assert stage.said(RunStatus.SKIPPED, "R2") == "EXIT_ON_EXPIRY"
    stage.next_day(TUE)
    assert stage.said(RunStatus.SKIPPED, "R3") == "EXPIRY_DAY"


def test_overnight_stops_are_looked_at_again_from_their_time_on() -> None:
    stage = begun()
    stage.next_day(THU)
    stage.price(CE, 125)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}, "before 09:16 nothing is looked at"
    stage.to("09:16:00")
    assert stage.held() == {"24500 PE": -65}
    assert stage.run().legs["ce"].code == "LEG_SL"


def test_a_stopped_leg_is_sold_again_at_its_cost_twice_and_not_a_third_time() -> None:
    stage = begun()
    entry = stage.run().legs["ce"].entry
    assert entry is not None
    for turn, cost in ((1, 99), (2, 98)):
        stage.settle(60)
        stage.price(CE, 121)
        assert stage.held() == {"24500 PE": -65}
        stage.settle(60)
        stage.price(CE, cost)
        assert stage.held() == {"24500 CE": -65, "24500 PE": -65}, turn
    stage.settle(60)
    stage.price(CE, 121)
    stage.settle(60)
    stage.price(CE, 95)
    assert stage.held() == {"24500 PE": -65}
    assert stage.run().legs["ce"].entries == 3


def test_a_stop_of_the_evening_re_enters_the_next_morning_only_before_the_exit() -> None:
    stage = begun()
    stage.to("15:20:00")
    stage.price(CE, 121)
    assert stage.held() == {"24500 PE": -65}
    stage.next_day(THU, "09:16:30")
    stage.price(CE, 99)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    stage.to("09:18:00")
    assert stage.held() == {}


def test_wait_and_trade_sells_a_leg_only_after_its_premium_has_fallen() -> None:
    stage = begun(wait="-6%")
    assert stage.held() == {}
    assert {leg.stage for leg in stage.run().legs.values()} == {LegStage.WAITING}
    stage.price(CE, 94.05)
    assert stage.held() == {}
    stage.price(CE, 94)
    assert stage.held() == {"24500 CE": -65}
    assert stage.run().legs["ce"].levels is not None
    levels = stage.run().legs["ce"].levels
    assert levels is not None
    assert levels.leg.stop == 9_390 + 2_000, "the stop is measured from the real fill"
    stage.next_day(THU)
    stage.to("09:18:00")
    assert stage.held() == {}
    assert stage.run().legs["pe"].code == "NOT_TRIGGERED"


def test_a_leg_carried_overnight_keeps_its_entry_and_what_it_made() -> None:
    stage = begun()
    stage.to("15:20:00")
    stage.price(CE, 121)
    stage.next_day(THU)
    assert stage.run().earlier[0] < 0
    stage.to("09:18:00")
    made = stage.said(RunStatus.CLOSED)
    assert made == "TIME"
    assert "-" in stage.run().text.split(" gross")[0]


def test_it_goes_on_overnight_on_the_book_alone() -> None:
    stage = begun()
    stage.settle(60)
    stage.price(CE, 121)
    stage.restart()
    stage.next_day(THU)
    stage.restart()
    stage.to("09:17:00")
    stage.price(CE, 99)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    stage.restart()
    stage.to("09:18:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "TIME"
