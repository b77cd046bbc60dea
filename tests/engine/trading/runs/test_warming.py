"""A minute before its time a run is prepared; a strategy that does not fit the day's contracts is told, not run."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.runs import RunStatus
from optconsole.engine.trading.decision import WatchQuotes
from tests.engine.trading.runs.stage import EXPIRIES, Stage, contracts, strategy

HEAD = 'entry = "09:25"\nexit = "15:15"'


def watched(stage: Stage) -> list[str]:
    return [name for effect in stage.effects if isinstance(effect, WatchQuotes) for name in effect.names]


def test_contracts_are_watched_a_minute_before_the_entry_and_only_once() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce="sell CE stop = '25%'"))
    stage.to("09:23:59")
    assert watched(stage) == []
    stage.to("09:24:00")
    first = watched(stage)
    assert {"NIFTY", "INDIAVIX", f"NIFTY {EXPIRIES[0]:%d}DEC26 24500 CE"} <= set(first)
    assert all(f"{EXPIRIES[1]:%d}DEC26" not in name for name in first)
    stage.to("09:24:30")
    assert watched(stage) == first


def test_what_would_keep_a_run_from_entering_is_told_before_its_time() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce="sell CE"))
    stage.age = 60.0
    stage.to("09:24:00")
    assert "NOT_PREPARED" in stage.codes()
    assert "NIFTY has no fresh price" in stage.state.notices[-1].text


def test_a_strategy_that_the_new_contracts_break_is_skipped_with_an_alarm() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce="sell CE strike = '24450'"))
    stage.said(RunStatus.SCHEDULED)
    stage.master = InstrumentMaster(each for each in contracts() if each.strike != 2_445_000)
    stage.next_day(EXPIRIES[0].replace(month=11, day=26))
    run = next(run for run in stage.state.runs.values() if run.trade_date.day == 26)
    assert (run.status, run.code) == (RunStatus.SKIPPED, "STRATEGY_FAULTY")
    assert "STRATEGY_FAULTY" in stage.codes()


def test_a_leg_that_would_go_to_an_account_of_another_kind_is_never_sent() -> None:
    stage = Stage()
    stage.tell(ev.AccountOpened(account=Account(id="real", broker="zerodha", mode=Mode.LIVE, capital=1)))
    stage.start(strategy(HEAD, ce="sell CE", pe="sell PE account = 'real'"))
    stage.to("09:25:00")
    assert stage.said(RunStatus.SKIPPED) == "MODE_MISMATCH"
    assert stage.state.orders == {}
