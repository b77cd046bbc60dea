"""What ends one leg of a run (features LX-1 to LX-12), seen from its order to its reason."""

from __future__ import annotations

import pytest

from optconsole.engine.model.runs import LegStage, RunStatus
from tests.engine.trading.runs.stage import Stage, name, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"\n'
CE, PE = name(24500, "CE"), name(24500, "PE")


def begun(head: str = "", **legs: str) -> Stage:
    """The calls and puts sold here are sold at 99.90, those bought at 100.10."""
    stage = Stage()
    stage.start(strategy(HEAD + head, **legs))
    stage.to("09:20:00")
    assert stage.held()
    return stage


def prices(stage: Stage, contract: str, *rupees: float, gap: float = 2) -> None:
    for price in rupees:
        stage.settle(gap)
        stage.price(contract, price)


@pytest.mark.parametrize(
    ("leg", "safe", "out", "code"),
    [
        ('sell CE stop = "20"', 119.85, 119.90, "LEG_SL"),
        ('sell CE stop = "25%"', 124.80, 124.85, "LEG_SL"),
        ('buy CE stop = "20"', 80.15, 80.10, "LEG_SL"),
        ('buy CE stop = "25%"', 75.15, 75.10, "LEG_SL"),
        ('sell CE stop = "1300 a lot"', 119.85, 119.90, "LEG_SL"),
        ('sell CE target = "30"', 69.95, 69.90, "LEG_TGT"),
        ('buy CE target = "200%"', 300.25, 300.30, "LEG_TGT"),
    ],
)
def test_a_stop_or_target_goes_at_its_level_and_not_a_tick_before(leg: str, safe: float, out: float, code: str) -> None:
    stage = begun(ce=leg)
    prices(stage, CE, safe)
    assert stage.held()
    prices(stage, CE, out)
    assert stage.held() == {}
    assert stage.run().legs["ce"].code == code
    assert stage.said(RunStatus.CLOSED) == code


@pytest.mark.parametrize(("right", "against"), [("CE", 24_600), ("PE", 24_400)])
def test_a_stop_on_the_underlying_counts_from_where_it_stood_at_the_fill(right: str, against: int) -> None:
    stage = begun(leg=f'sell {right} stop = "100 underlying"')
    stage.price("NIFTY", 24_500 + (against - 24_500) * 0.99)
    assert stage.held()
    stage.price("NIFTY", against)
    assert stage.held() == {}


def test_levels_on_an_underlying_that_was_unknown_are_set_with_its_first_price() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce='sell CE strike = "24500"; stop = "100 underlying"'))
    stage.dry = {CE}
    stage.to("09:20:00")
    spot = stage.quotes.pop("NIFTY")
    stage.dry = set()
    stage.settle(1)
    assert stage.held() == {"24500 CE": -65}
    stage.settle(5)
    levels = stage.run().legs["ce"].levels
    assert levels is not None
    assert levels.missing
    assert "GUARD_BLIND" in stage.codes()
    stage.quotes["NIFTY"] = spot
    stage.settle(1)
    levels = stage.run().legs["ce"].levels
    assert levels is not None
    assert not levels.missing
    assert levels.index is not None
    assert levels.index.stop == 2_460_000
    assert stage.run().legs["ce"].blind == ""
    stage.price("NIFTY", 24_600)
    assert stage.held() == {}


def test_yesterdays_high_stops_a_leg_and_unseen_lets_the_run_go() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce='sell CE stop = "previous-day-high"'))
    stage.to("09:20:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.SKIPPED) == "NO_DAY_RANGE"


def test_a_step_trail_of_the_golden_example() -> None:
    stage = begun(ce='sell CE stop = "30"; trail = "10/5"')
    prices(stage, CE, 78.90)
    levels = stage.run().legs["ce"].levels
    assert levels is not None
    assert levels.leg.stop == 12_990 - 1_000
    prices(stage, CE, 95)
    prices(stage, CE, 68.90)
    levels = stage.run().legs["ce"].levels
    assert levels is not None
    assert levels.leg.stop == 12_990 - 1_500
    prices(stage, CE, 114.90)
    assert stage.held() == {}
    assert stage.run().legs["ce"].code == "LEG_TSL"


def test_a_peak_trail_follows_from_its_activation_on() -> None:
    stage = begun(ce='sell CE stop = "30"; trail = "peak 10 after 20"')
    prices(stage, CE, 85, 96)
    assert stage.held()
    prices(stage, CE, 78, 88.10)
    assert stage.held() == {}
    assert stage.run().legs["ce"].code == "LEG_TSL"


def test_break_even_puts_the_stop_at_the_entry_once() -> None:
    stage = begun(ce='sell CE stop = "30"; breakeven = "15"')
    prices(stage, CE, 84, 99)
    assert stage.held()
    prices(stage, CE, 99.90)
    assert stage.held() == {}
    assert stage.run().legs["ce"].code == "BE_SL"


def test_a_lock_keeps_a_gain() -> None:
    stage = begun(ce='sell CE stop = "30"; locks = ["20: 10"]')
    prices(stage, CE, 79, 89)
    assert stage.held()
    prices(stage, CE, 90)
    assert stage.held() == {}


def test_to_cost_of_the_golden_example() -> None:
    stage = Stage()
    stage.quote(CE, 9_810)
    stage.quote(PE, 10_210)
    stage.start(strategy(HEAD + 'move_to_cost = "other-right"', ce='sell CE stop = "20"', pe='sell PE stop = "20"'))
    stage.to("09:20:00")
    prices(stage, CE, 118)
    put = stage.run().legs["pe"].levels
    assert put is None, "the put was at 102.10, past its cost of 102.00, and goes now"
    assert stage.run().legs["pe"].code == "COST_SL"


def test_a_leg_entered_later_keeps_its_own_stop() -> None:
    stage = begun('move_to_cost = "other-right"', ce='sell CE stop = "20"', pe='sell PE wait = "-5%"; stop = "20"')
    prices(stage, CE, 121)
    prices(stage, PE, 94)
    put = stage.run().legs["pe"].levels
    assert put is not None
    assert put.leg.stop == 9_390 + 2_000


def test_a_complete_square_off_takes_all_legs_and_the_waits() -> None:
    stage = begun(
        'square_off = "complete"',
        ce='sell CE stop = "20"',
        pe='sell PE stop = "20"',
        more='sell PE strike = "24400"; wait = "-20%"',
    )
    prices(stage, CE, 121)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "LEG_SL"
    assert {leg.stage for leg in stage.run().legs.values()} == {LegStage.OUT}


def test_a_leg_takes_its_hedge_along_where_it_is_written() -> None:
    stage = begun(
        ce='sell CE stop = "20"; with_hedge = true',
        wing='buy CE strike = "24600"; hedges = ["ce"]',
        pe='sell PE stop = "20"',
    )
    prices(stage, CE, 121)
    assert stage.held() == {"24500 PE": -65}


def test_a_leg_has_an_exit_time_of_its_own() -> None:
    stage = begun(ce='sell CE exit = "10:00"', pe='sell PE stop = "25%"')
    stage.to("09:59:59")
    assert len(stage.held()) == 2
    stage.to("10:00:00")
    assert stage.held() == {"24500 PE": -65}
    assert stage.run().legs["ce"].code == "TIME"


def test_a_stop_on_minute_closes_waits_for_the_end_of_the_minute() -> None:
    stage = begun(ce='sell CE stop = "20"; watch = "minute-close"')
    prices(stage, CE, 121, 100, gap=20)
    stage.to("09:21:00")
    assert stage.held()
    prices(stage, CE, 121, gap=20)
    stage.to("09:22:00")
    assert stage.held() == {}
    assert stage.run().legs["ce"].code == "LEG_SL"


def test_an_overnight_leg_on_minute_closes_is_not_blind_in_a_days_first_minute() -> None:
    from datetime import date

    stage = Stage(at="09:19:00")
    stage.start(
        strategy(
            'entry = "09:20"\nexit = "11:00"\nholding = "overnight"\nwatch_from = "09:15"',
            ce='sell CE stop = "20"; watch = "minute-close"',
        )
    )
    stage.to("09:20:00")
    stage.next_day(date(2026, 11, 26), "09:15:00")
    stage.settle(30)
    assert "GUARD_BLIND" not in stage.codes()


def test_two_quotes_are_asked_where_the_leg_says_twice() -> None:
    stage = begun(ce='sell CE stop = "20"; watch = "ltp twice"')
    prices(stage, CE, 121)
    assert stage.held()
    prices(stage, CE, 100)
    assert stage.held()
    prices(stage, CE, 121, 121.5)
    assert stage.held() == {}


def test_a_print_that_the_book_denies_closes_nothing_before_its_time() -> None:
    stage = begun(ce='sell CE stop = "20"; spike = "5% 1500ms"')
    stage.settle(2)
    stage.printed(CE, 12_500, bid=9_990, ask=10_010)
    stage.settle()
    assert stage.held()
    stage.settle(1)
    assert stage.held()
    stage.settle(0.5)
    assert stage.held() == {}, "a print that holds for 1.5 s counts"


def test_a_denied_print_that_is_taken_back_closes_nothing() -> None:
    stage = begun(ce='sell CE stop = "20"; spike = "5% 1500ms"')
    stage.settle(2)
    stage.printed(CE, 12_500, bid=9_990, ask=10_010)
    stage.settle(1)
    stage.price(CE, 100)
    stage.settle(5)
    assert stage.held()
    assert stage.run().legs["ce"].arming is None


def test_without_a_guard_the_last_trade_counts_only_as_far_as_the_book_allows() -> None:
    stage = begun(ce='sell CE stop = "20"')
    stage.settle(2)
    stage.printed(CE, 12_500, bid=9_990, ask=10_010)
    stage.settle(5)
    assert stage.held(), "an old or wild print outside today's book is not the price"


@pytest.mark.parametrize("rules", ['stop = "20"', 'stop = "20"; spike = "5% 1500ms"'])
def test_on_an_empty_book_the_last_trade_is_the_price(rules: str) -> None:
    stage = begun(ce=f"sell CE {rules}")
    stage.settle(2)
    stage.printed(CE, 12_500, bid=None, ask=None)
    stage.settle()
    assert stage.run().legs["ce"].stage is LegStage.LEAVING


def test_a_silent_contract_is_told_once_and_never_taken_for_safe() -> None:
    stage = begun(ce='sell CE stop = "20"')
    stage.age = 60.0
    stage.settle(30)
    stage.settle(30)
    told = [notice for notice in stage.state.notices if notice.code == "GUARD_BLIND" and "leg ce" in notice.text]
    assert len(told) == 1
    stage.age = 0.0
    stage.price(CE, 121)
    assert stage.held() == {}


def test_the_stop_comes_before_the_target_on_one_tick_and_the_run_before_the_leg() -> None:
    stage = begun('stop = "1000"', ce='sell CE stop = "20"', pe='sell PE stop = "20"')
    stage.quote(PE, 11_000)
    prices(stage, CE, 121)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "OVR_SL"


def test_edited_rules_are_measured_from_the_entry_and_refused_where_they_would_fire() -> None:
    from optconsole.engine.model.errors import Refusal

    stage = begun(ce='sell CE stop = "20"')
    prices(stage, CE, 110)
    with pytest.raises(Refusal) as refused:
        stage.edit("R1", strategy(HEAD, ce='sell CE stop = "5"'))
    assert refused.value.code == "WOULD_FIRE"
    stage.edit("R1", strategy(HEAD, ce='sell CE stop = "5"'), fire=True)
    assert stage.held() == {}


def test_a_range_stop_survives_an_edit() -> None:
    head = 'entry = "09:20"\nexit = "15:15"\nrange = "09:20-09:30"\n'
    stage = Stage()
    stage.start(strategy(head, ce='sell CE breakout = "low"; stop = "range"'))
    stage.to("09:20:00")
    for clock, spot in (("09:22:00", 24_550), ("09:25:00", 24_450), ("09:30:00", 24_500)):
        stage.to(clock)
        stage.price("NIFTY", spot)
    stage.price("NIFTY", 24_440)
    levels = stage.run().legs["ce"].levels
    assert levels is not None
    assert levels.index is not None
    assert levels.index.stop == 2_455_000
    stage.edit("R1", strategy(head, ce='sell CE breakout = "low"; stop = "range"; target = "50"'))
    after = stage.run().legs["ce"].levels
    assert after is not None
    assert after.index is not None
    assert after.index.stop == 2_455_000
