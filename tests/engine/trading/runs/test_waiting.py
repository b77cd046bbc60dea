"""What an entry waits for after its time (features EN-2 to EN-11)."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.bars import DayBar
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.runs import LegStage, RunStatus
from optconsole.engine.trading.runs import steering
from tests.engine.trading.runs.stage import Stage, name, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"\n'
CE, PE = name(24500, "CE"), name(24500, "PE")


def begun(head: str = "", **legs: str) -> Stage:
    stage = Stage()
    stage.start(strategy(HEAD + head, **(legs or {"ce": "sell CE", "pe": "sell PE"})))
    stage.to("09:20:00")
    return stage


def prices(stage: Stage, contract: str, *rupees: float, gap: float = 2) -> None:
    for price in rupees:
        stage.settle(gap)
        stage.price(contract, price)


# one leg


@pytest.mark.parametrize(
    ("wait", "before", "at"),
    [("+15", 114.95, 115), ("-15", 85.05, 85), ("+10%", 109.95, 110), ("-6%", 94.05, 94)],
)
def test_a_leg_waits_for_its_premium_on_the_contract_of_its_entry_time(wait: str, before: float, at: float) -> None:
    stage = begun(ce=f'sell CE wait = "{wait}"; stop = "20"')
    stage.quote("NIFTY", 2_460_000, spread=0)
    prices(stage, CE, before)
    assert stage.held() == {}
    prices(stage, CE, at)
    assert stage.held() == {"24500 CE": -65}, "the contract was chosen at the entry time, not at the trigger"


def test_a_leg_waits_for_the_underlying() -> None:
    stage = begun(ce='sell CE wait = "+1% underlying"')
    prices(stage, "NIFTY", 24_744.95)
    assert stage.held() == {}
    prices(stage, "NIFTY", 24_745)
    assert stage.held() == {"24500 CE": -65}


def test_the_first_leg_ends_the_waits_of_the_others() -> None:
    stage = begun(ce='sell CE wait = "-10 first only"', pe='sell PE wait = "-10 first only"')
    prices(stage, PE, 89)
    assert stage.held() == {"24500 PE": -65}
    assert stage.run().legs["ce"].code == "FIRST_ONLY"
    prices(stage, CE, 80)
    assert stage.held() == {"24500 PE": -65}


def test_only_one_enters_where_both_trigger_on_one_look() -> None:
    stage = begun(ce='sell CE wait = "-10 first only"', pe='sell PE wait = "-10 first only"')
    stage.settle(2)
    stage.quote(PE, 8_900)
    stage.price(CE, 89)
    assert stage.held() == {"24500 CE": -65}


def test_a_wait_that_never_ends_enters_nothing() -> None:
    stage = begun('no_entry_after = "11:00"', ce='sell CE wait = "-10"')
    stage.to("11:00:00")
    assert stage.said(RunStatus.SKIPPED) == "NOT_TRIGGERED"
    prices(stage, CE, 80)
    assert stage.held() == {}


def test_a_halted_or_paused_run_enters_nothing_until_it_may_again() -> None:
    stage = begun(ce='sell CE wait = "-10"')
    stage.ask(cmd.SetBasketStatus(id="p", actor="key", name="day", status=BasketStatus.PAUSED))
    prices(stage, CE, 85)
    assert stage.held() == {}
    stage.ask(cmd.SetBasketStatus(id="q", actor="key", name="day", status=BasketStatus.ACTIVE))
    stage.settle(1)
    assert stage.held() == {"24500 CE": -65}


# all legs


def test_overall_momentum_enters_all_on_the_contracts_of_the_start() -> None:
    stage = begun('momentum = "+20"')
    assert stage.held() == {}
    assert stage.run().legs["ce"].contract == CE
    prices(stage, CE, 90)
    assert stage.held() == {}
    prices(stage, PE, 90)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}


def test_a_percent_of_momentum_is_of_the_size_of_the_premium() -> None:
    stage = begun('momentum = "-5%"')
    prices(stage, CE, 109.95)
    assert stage.held() == {}
    prices(stage, CE, 110)
    assert len(stage.held()) == 2


@pytest.mark.parametrize(
    ("level", "spots"), [("above 24600", (24_599.95, 24_600)), ("below 24400", (24_400.05, 24_400))]
)
def test_a_level_is_crossed_on_a_tick(level: str, spots: tuple[float, float]) -> None:
    stage = begun(f'level = "{level}"', ce='sell CE strike = "24500"')
    prices(stage, "NIFTY", spots[0])
    assert stage.held() == {}
    prices(stage, "NIFTY", spots[1])
    assert stage.held() == {"24500 CE": -65}


def test_a_level_that_is_beyond_from_the_start_is_not_crossed() -> None:
    stage = begun('level = "above 24400"', ce='sell CE strike = "24500"')
    prices(stage, "NIFTY", 24_450, 24_500)
    assert stage.held() == {}
    prices(stage, "NIFTY", 24_390, 24_410)
    assert stage.held() == {"24500 CE": -65}


def test_a_level_on_candles_is_crossed_by_a_close() -> None:
    stage = begun('level = "above 24600 on 5m"', ce='sell CE strike = "24500"')
    stage.to("09:22:00")
    stage.price("NIFTY", 24_650)
    stage.to("09:24:59")
    stage.price("NIFTY", 24_550)
    stage.to("09:25:00")
    assert stage.held() == {}
    stage.to("09:26:00")
    stage.price("NIFTY", 24_610)
    stage.to("09:30:00")
    assert stage.held() == {"24500 CE": -65}


def test_the_straddle_below_a_level_or_moved_since_the_first_look() -> None:
    stage = begun('straddle = "below 190"')
    stage.quote(PE, 9_500)
    prices(stage, CE, 95.05)
    assert stage.held() == {}
    prices(stage, CE, 94.90)
    assert len(stage.held()) == 2
    stage = begun('straddle = "-10%"')
    stage.quote(PE, 9_000)
    prices(stage, CE, 90.05)
    assert stage.held() == {}
    prices(stage, CE, 89.95)
    assert len(stage.held()) == 2


def test_a_signal_lets_the_runs_on_that_wait_for_it() -> None:
    stage = begun('signal = "go"')
    assert stage.said(RunStatus.WAITING) == "ON_TIME"
    with pytest.raises(Refusal):
        stage.order_run(lambda scene: steering.send_signal(scene, cmd.SendSignal(id="a", actor="hook", name="stop")))
    stage.order_run(lambda scene: steering.send_signal(scene, cmd.SendSignal(id="b", actor="hook", name="go")))
    assert len(stage.held()) == 2


def test_a_person_approves_in_time_or_it_is_let_go() -> None:
    stage = begun("approve_within = 60")
    assert "APPROVE" in stage.codes()
    stage.settle(30)
    stage.steer("R1", cmd.RunAction.APPROVE)
    assert len(stage.held()) == 2
    stage = begun("approve_within = 60")
    stage.settle(59)
    assert stage.run().status is RunStatus.WAITING
    stage.settle(1)
    assert stage.said(RunStatus.SKIPPED) == "NOT_APPROVED"


def test_approval_is_asked_for_last() -> None:
    stage = begun('approve_within = 60\nlevel = "above 24600"')
    stage.settle(120)
    assert "APPROVE" not in stage.codes()
    prices(stage, "NIFTY", 24_600)
    assert "APPROVE" in stage.codes()
    stage.steer("R1", cmd.RunAction.APPROVE)
    assert len(stage.held()) == 2


def test_all_triggers_have_to_come_true_in_whatever_order() -> None:
    stage = begun('signal = "go"\nlevel = "above 24600"')
    prices(stage, "NIFTY", 24_600, 24_500)
    assert stage.run().watch.fired == ("level",)
    assert stage.held() == {}
    stage.order_run(lambda scene: steering.send_signal(scene, cmd.SendSignal(id="b", actor="hook", name="go")))
    assert len(stage.held()) == 2


def test_an_indicator_looks_at_closed_candles_only() -> None:
    stage = Stage(at="09:15:00")
    stage.start(strategy(HEAD + 'indicators = ["rsi(2) above 60 on 1m"]', ce='sell CE strike = "24500"'))
    for minute in range(15, 20):
        stage.to(f"09:{minute}:30")
        stage.price("NIFTY", 24_500 - minute)
    stage.to("09:20:00")
    stage.to("09:20:30")
    stage.price("NIFTY", 24_700)
    assert stage.held() == {}, "the candle has not closed"
    stage.to("09:21:00")
    assert stage.held() == {"24500 CE": -65}


# ranges

RANGE = 'range = "09:20-09:30"\n'


def ranged(head: str = RANGE, **legs: str) -> Stage:
    return begun(head, **(legs or {"ce": 'sell CE breakout = "low"', "pe": 'sell PE breakout = "high"'}))


def test_the_last_second_belongs_to_the_range_and_the_first_after_may_break_it() -> None:
    stage = ranged()
    stage.to("09:25:00")
    stage.price("NIFTY", 24_550)
    stage.to("09:29:59")
    stage.price("NIFTY", 24_560)
    assert stage.run().watch.ranges[""].high == 2_456_000
    stage.to("09:30:00")
    stage.price("NIFTY", 24_560)
    assert stage.held() == {}
    stage.settle(1)
    stage.price("NIFTY", 24_560.05)
    assert list(stage.held()) == ["24550 PE"], "the strike is chosen when the range breaks"
    stage.settle(5)
    stage.price("NIFTY", 24_499)
    assert len(stage.held()) == 2


def test_the_range_of_the_leg_itself_is_of_the_contract_chosen_at_the_start() -> None:
    stage = ranged(ce='sell CE breakout = "high of option"')
    assert stage.run().legs["ce"].contract == CE
    stage.to("09:25:00")
    stage.price(CE, 112.40)
    stage.to("09:31:00")
    stage.price(CE, 112.40)
    assert stage.held() == {}
    stage.settle(1)
    stage.price(CE, 112.45)
    assert stage.held() == {"24500 CE": -65}


def test_a_range_goes_on_after_a_restart_and_its_gap_is_told() -> None:
    stage = ranged()
    stage.to("09:22:00")
    stage.price("NIFTY", 24_600)
    stage.restart()
    stage.to("09:28:00")
    assert stage.run().watch.ranges[""].high == 2_460_000
    assert "RANGE_LATE" in stage.codes()
    stage.settle(5)
    assert stage.codes().count("RANGE_LATE") == 1


def test_a_range_seen_whole_is_not_told() -> None:
    stage = ranged()
    stage.to("09:35:00")
    assert "RANGE_LATE" not in stage.codes()


def test_a_range_without_a_price_is_told_and_enters_nothing() -> None:
    stage = Stage()
    stage.start(strategy(HEAD + RANGE, ce='sell CE breakout = "low"'))
    kept = stage.quotes.pop("NIFTY")
    stage.to("09:20:00")
    stage.to("09:31:00")
    stage.quotes["NIFTY"] = kept
    stage.settle(1)
    stage.price("NIFTY", 24_000)
    assert stage.held() == {}
    assert "RANGE_LATE" in stage.codes()


def test_a_range_over_two_days() -> None:
    stage = Stage()
    days = 'holding = "positional"\nentry_dte = 4\nexit_dte = 2\nrange = "4@09:20-3@10:00"\n'
    stage.start(strategy(HEAD + days, ce='sell CE breakout = "high"'))
    stage.to("09:20:00")
    stage.to("11:00:00")
    stage.price("NIFTY", 24_600)
    stage.next_day(date(2026, 11, 26))
    assert stage.run().status is RunStatus.WAITING
    stage.to("09:59:00")
    stage.price("NIFTY", 24_620)
    stage.to("10:00:00")
    assert stage.held() == {}
    stage.price("NIFTY", 24_621)
    assert list(stage.held()) == ["24600 CE"]


# filters and what is needed


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ('vix = "11..18"', "FILTER_VIX"),
        ("blackout = [2026-11-25]", "FILTER_BLACKOUT"),
        ('moved = "1%.."', "FILTER_MOVE"),
        ("max_spread = 0.1", "FILTER_SPREAD"),
        ("min_free_margin = 100000", "FILTER_MARGIN"),
    ],
)
def test_a_filter_that_fails_lets_the_run_go_with_its_values(filters: str, code: str) -> None:
    stage = begun(filters)
    assert stage.held() == {}
    assert stage.said(RunStatus.SKIPPED) == code


def test_filters_that_pass_let_it_in() -> None:
    stage = Stage()
    stage.quote("INDIAVIX", 1_500)
    stage.start(strategy(HEAD + 'vix = "11..18"\nonly_if_flat = true\nmax_spread = 1', ce="sell CE", pe="sell PE"))
    stage.to("09:20:00")
    assert len(stage.held()) == 2


def test_a_wide_leg_is_seen_by_the_spread_filter() -> None:
    stage = Stage()
    stage.quote(PE, 10_000, spread=200)
    stage.start(strategy(HEAD + "max_spread = 1", ce="sell CE", pe="sell PE"))
    stage.to("09:20:00")
    assert stage.said(RunStatus.SKIPPED) == "FILTER_SPREAD"
    assert "4.0" in stage.run().text


def test_only_if_flat_looks_at_the_account() -> None:
    stage = Stage()
    stage.hold(65, CE)
    stage.start(strategy(HEAD + "only_if_flat = true", ce="sell CE"))
    stage.to("09:20:00")
    assert stage.said(RunStatus.SKIPPED) == "FILTER_FLAT"


def test_a_strike_that_no_premium_meets_is_told_with_its_reason() -> None:
    stage = begun(ce='sell CE strike = "premium >= 5000"')
    assert stage.run().status is RunStatus.SKIPPED
    assert stage.run().text


def test_what_was_chosen_is_kept_with_its_candidates() -> None:
    stage = begun(ce='sell CE strike = "premium 60"')
    chosen = next(
        fact.event
        for fact in stage.facts
        if isinstance(fact.event, ev.LegMoved) and fact.event.what == "chosen" and fact.event.leg.id == "ce"
    )
    assert len(chosen.why["choice"]["looked"]) > 1
    assert chosen.why["instrument"]["name"] == stage.run().legs["ce"].contract


def test_days_bars_make_yesterdays_levels() -> None:
    stage = Stage(at="09:15:00")
    stage.start(strategy(HEAD, ce='sell CE strike = "24500"; stop = "previous-day-high of underlying"'))
    stage.price("NIFTY", 24_700)
    stage.to("09:16:00")
    stage.market(2_450_000)
    stage.to("09:20:00")
    assert stage.said(RunStatus.SKIPPED) == "NO_DAY_RANGE"
    stage.next_day(date(2026, 11, 26), "09:19:00")
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -65}
    levels = stage.run("R2").legs["ce"].levels
    assert levels is not None
    assert levels.index is not None
    assert levels.index.stop == 2_470_000
    assert isinstance(stage.state.bars_before["NIFTY"][-1], DayBar)
    assert stage.run("R2").legs["ce"].stage is LegStage.OPEN
    assert msgspec.json.encode(stage.run("R2").watch)
