"""When a run begins: its exact second, late, missed, asked, at once, or not today (features EN-1, SC-1 to SC-8)."""

from __future__ import annotations

from datetime import date

import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.runs import RunStatus
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.vitals import MarketPhase
from tests.engine.trading.runs.stage import Stage, name, strategy

DAY = date(2026, 11, 25)


def short(head: str = "") -> Strategy:
    return strategy(f'entry = "09:20"\nexit = "15:15"\n{head}', ce='sell CE stop = "25%"')


def up_at(clock: str, head: str = "", day: date = DAY) -> Stage:
    """The basket is active from the day's beginning; the engine is down until this time."""
    stage = Stage(day, "09:15:00")
    stage.start(short(head))
    stage.restart()
    stage.to(clock)
    return stage


def test_it_begins_in_its_own_second_and_only_once() -> None:
    stage = Stage()
    stage.start(short())
    stage.to("09:19:59")
    assert stage.said(RunStatus.SCHEDULED) == ""
    stage.to("09:20:00")
    stage.to("09:20:30")
    stage.to("09:21:30")
    assert stage.sent() == [("24500 CE", "SELL", 65)]
    assert stage.run().lag_ms == 0


@pytest.mark.parametrize(
    ("clock", "status", "code"),
    [
        ("09:20:00", RunStatus.ACTIVE, "ON_TIME"),
        ("09:20:01", RunStatus.ACTIVE, "LATE"),
        ("09:20:59", RunStatus.ACTIVE, "LATE"),
        ("09:21:00", RunStatus.SKIPPED, "MISSED"),
    ],
)
def test_an_engine_that_comes_up_late_enters_within_the_half_open_grace(
    clock: str, status: RunStatus, code: str
) -> None:
    stage = up_at(clock, 'misfire = "run-within-grace"')
    assert stage.said(status) == code
    if code == "LATE":
        assert stage.run().lag_ms == int(clock[-2:]) * 1000


def test_what_was_missed_while_the_engine_was_down_is_skipped_where_the_strategy_says_so() -> None:
    stage = up_at("09:20:30")
    assert stage.said(RunStatus.SKIPPED) == "MISSED"
    assert stage.sent() == []


def test_an_entry_missed_by_a_strategy_that_asks_waits_for_a_person() -> None:
    stage = up_at("10:00:00", 'misfire = "ask"')
    assert stage.said(RunStatus.SCHEDULED) == "ASK"
    assert "ENTRY_MISSED" in stage.codes()
    stage.settle(60)
    assert stage.codes().count("ENTRY_MISSED") == 1
    stage.steer("R1", cmd.RunAction.APPROVE)
    assert stage.held() == {"24500 CE": -65}


def test_an_asked_entry_is_let_go_by_hand_or_missed_at_its_end() -> None:
    stage = up_at("10:00:00", 'misfire = "ask"')
    stage.steer("R1", cmd.RunAction.SKIP)
    assert stage.said(RunStatus.SKIPPED) == "SKIPPED_BY_HAND"
    stage = up_at("10:00:00", 'misfire = "ask"\nno_entry_after = "11:00"')
    stage.to("11:00:00")
    assert stage.said(RunStatus.SKIPPED) == "MISSED"


def test_a_run_told_to_begin_now_begins_before_its_time() -> None:
    stage = Stage(at="09:17:00")
    stage.start(short())
    stage.steer("R1", cmd.RunAction.NOW)
    assert stage.held() == {"24500 CE": -65}
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -65}


def test_a_run_skipped_today_does_not_begin() -> None:
    stage = Stage()
    stage.start(short())
    stage.steer("R1", cmd.RunAction.SKIP)
    stage.to("09:20:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.SKIPPED) == "SKIPPED_BY_HAND"


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ('weekdays = ["mon", "tue"]', "WEEKDAY"),
        ("dte = [0, 1]", "DTE"),
        ("except_dates = [2026-11-25]", "EXCEPT_DATE"),
        ("dates = [2026-11-26]", "DATE"),
        ("months = [1]", "MONTH"),
        ("expiry_only = true", "NOT_EXPIRY_DAY"),
        ("last_day_of_month = true", "MONTH_DAY"),
    ],
)
def test_a_day_that_is_not_one_of_the_strategys_is_told_with_its_reason(head: str, code: str) -> None:
    stage = Stage()
    stage.start(short(head))
    run = stage.run()
    assert run.status is RunStatus.SKIPPED
    assert run.code
    assert run.text
    stage.to("09:20:00")
    assert stage.held() == {}


def test_the_days_of_a_strategy_are_entered() -> None:
    stage = Stage()
    stage.start(short('weekdays = ["wed"]\ndte = [4]\nnon_expiry_only = true'))
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -65}


def test_a_positional_run_lives_from_one_day_before_expiry_to_another() -> None:
    stage = Stage()
    stage.start(short('holding = "positional"\nentry_dte = 4\nexit_dte = 2'))
    assert stage.run().exit_at.date() == date(2026, 11, 27)
    stage.to("09:20:00")
    stage.next_day(date(2026, 11, 26), "09:20:00")
    assert stage.said(RunStatus.SKIPPED, "R2")
    stage.to("15:15:00")
    assert stage.held() == {"24500 CE": -65}
    stage.next_day(date(2026, 11, 27), "15:14:59")
    assert stage.held() == {"24500 CE": -65}
    stage.to("15:15:00")
    assert stage.held() == {}


def test_each_strategy_and_account_has_one_run_a_day() -> None:
    stage = Stage()
    stage.start(short())
    stage.to("09:20:00")
    stage.ask(cmd.SetBasketStatus(id="p", actor="key", name="day", status=BasketStatus.STOPPED))
    stage.ask(cmd.SetBasketStatus(id="q", actor="key", name="day", status=BasketStatus.ACTIVE))
    stage.settle(1)
    assert list(stage.state.runs) == ["R1"]
    stage.to("15:15:00")
    assert stage.said(RunStatus.CLOSED)
    stage.next_day(date(2026, 11, 26))
    assert list(stage.state.runs) == ["R2"]


def test_a_run_planned_from_an_older_text_is_planned_anew_before_it_begins() -> None:
    stage = Stage()
    stage.start(short())
    stage.start(strategy('entry = "09:22"\nexit = "15:15"', ce='sell CE stop = "25%"'))
    stage.to("09:20:00")
    assert stage.held() == {}
    stage.to("09:22:00")
    assert stage.held() == {"24500 CE": -65}


def test_nothing_begins_while_the_basket_is_paused_or_the_kill_switch_is_on() -> None:
    stage = Stage()
    stage.start(short())
    stage.ask(cmd.SetBasketStatus(id="p", actor="key", name="day", status=BasketStatus.PAUSED))
    stage.to("09:20:00")
    assert stage.said(RunStatus.SKIPPED) == "PAUSED"
    stage = Stage()
    stage.start(short())
    stage.tell(ev.KillEngaged(why="test"))
    stage.to("09:20:00")
    assert stage.said(RunStatus.SKIPPED) == "KILLED"


def test_a_time_in_a_halt_of_the_market_is_late_after_it() -> None:
    stage = Stage()
    stage.start(short())
    stage.phase = MarketPhase.HALTED if hasattr(MarketPhase, "HALTED") else MarketPhase.CLOSED
    stage.to("09:20:00")
    assert stage.held() == {}
    stage.phase = MarketPhase.OPEN
    stage.to("09:20:30")
    assert stage.said(RunStatus.ACTIVE) == "LATE"


def test_the_exit_time_comes_where_the_market_was_halted_at_it() -> None:
    stage = Stage()
    stage.start(short())
    stage.to("09:20:00")
    stage.phase = MarketPhase.CLOSED
    stage.to("15:15:00")
    assert stage.held() == {"24500 CE": -65}
    stage.phase = MarketPhase.OPEN
    stage.to("15:20:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "TIME"


def test_an_expiry_that_comes_before_the_exit_closes_the_leg_by_its_expiry() -> None:
    stage = Stage(date(2026, 12, 1), "09:19:00")
    stage.start(short('exit = "15:35"'.replace("exit", "no_entry_after")))
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -65}
    stage.to("15:15:00")
    assert stage.held() == {}
    assert name(24500, "CE") == stage.run().legs["ce"].contract
