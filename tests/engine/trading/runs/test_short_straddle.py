"""A straddle sold at 09:20 with stops, from its time to its end."""

from __future__ import annotations

from optconsole.engine.model.runs import LegStage, RunStatus
from tests.engine.trading.runs.stage import Stage, name, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"\nmove_to_cost = "other-right"'


def straddle(head: str = HEAD, ce: str = 'stop = "25%"', pe: str = 'stop = "25%"'):
    return strategy(head, ce=f"sell CE {ce}", pe=f"sell PE {pe}")


def test_nothing_is_sent_before_its_second_and_everything_at_it() -> None:
    stage = Stage()
    stage.start(straddle())
    assert stage.said(RunStatus.SCHEDULED) == ""
    stage.to("09:19:59")
    assert stage.held() == {}
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    assert stage.said(RunStatus.ACTIVE) == "ON_TIME"


def test_a_stopped_leg_moves_the_other_stop_to_cost() -> None:
    stage = Stage()
    stage.start(straddle())
    stage.to("09:20:00")
    entry = stage.run().legs["pe"].entry
    stage.quote(name(24500, "PE"), 9_800)
    stage.price(name(24500, "CE"), 124.80)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    stage.price(name(24500, "CE"), 126)
    assert stage.held() == {"24500 PE": -65}
    put = stage.run().legs["pe"]
    assert put.levels is not None
    assert put.levels.leg.stop == entry
    assert stage.run().legs["ce"].code == "LEG_SL"


def test_a_leg_that_is_past_its_cost_already_is_left_at_once() -> None:
    stage = Stage()
    stage.start(straddle())
    stage.to("09:20:00")
    stage.quote(name(24500, "PE"), 10_300)
    stage.price(name(24500, "CE"), 126)
    assert stage.held() == {}
    assert stage.run().legs["pe"].code == "COST_SL"
    assert stage.said(RunStatus.CLOSED)


def test_all_that_is_left_goes_at_the_exit_time() -> None:
    stage = Stage()
    stage.start(straddle())
    stage.to("09:20:00")
    stage.to("15:14:59")
    assert len(stage.held()) == 2
    stage.to("15:15:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "TIME"
    assert {leg.stage for leg in stage.run().legs.values()} == {LegStage.OUT}
