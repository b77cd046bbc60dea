"""What was left stays left: no leg's re-entry outlives its run, and an exit that cannot be is not asked for at once."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.leg_rules import Reentry, ReentryMode
from optconsole.engine.model.overall_rules import Level, Overall
from optconsole.engine.model.runs import RunStatus
from tests.engine.trading.runs.stage import Stage, name, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"'

NOTHING = Overall()


def waiting_to_come_back(overall: Overall = NOTHING) -> Stage:
    """A straddle whose call was stopped and waits for its price to come back to cost."""
    stage = Stage()
    written = strategy(HEAD, ce='sell CE stop = "20%"', pe='sell PE stop = "80%"')
    call = msgspec.structs.replace(written.legs[0], on_stop=Reentry(mode=ReentryMode.COST))
    stage.start(msgspec.structs.replace(written, legs=(call, written.legs[1]), overall=overall))
    stage.to("09:20:00")
    stage.price(name(24500, "CE"), 130)
    assert stage.held() == {"24500 PE": -65}
    assert stage.run().watch.armed
    return stage


def test_a_legs_reentry_ends_with_the_time_of_its_run() -> None:
    stage = waiting_to_come_back()
    stage.market(2_450_000)
    stage.quote(name(24500, "CE"), 13_000)
    stage.to("15:15:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "TIME"
    assert stage.trades == 4


def test_a_legs_reentry_ends_with_the_overall_stop() -> None:
    stage = waiting_to_come_back(Overall(stop=Level(3_000_00)))
    stage.price(name(24500, "PE"), 140)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "OVR_SL"
    assert stage.trades == 4
