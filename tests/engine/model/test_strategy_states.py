"""What rules remember comes back from the journal's JSON as it went in, times in IST."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.leg_rules import Measure, ReentryMode, Unit
from optconsole.engine.model.leg_state import Arming, Levels, Place, Track
from optconsole.engine.model.orders import Side
from optconsole.engine.model.overall_rules import Again
from optconsole.engine.model.run_state import ArmedCycle, ArmedEntry, Counters, Floor
from optconsole.engine.model.timeline import IST
from optconsole.engine.model.trigger_state import Candle, CombinedWait, CrossSeen, Forming, LegWait, RangeSeen

AT = datetime(2026, 11, 23, 9, 20, 0, 250_000, IST)
TRACK = Track(entry=100_00, sign=-1, tick=5, best=79_00, trailed=80_00, base=130_00, stop=120_00, running=79_00)
CANDLE = Candle(start=AT, open=1, high=4, low=1, close=3, volume=7)
STATES = [
    Levels(leg=TRACK, index=TRACK, lot=65, since=AT, interval=3, missing=("The range is unknown.",)),
    Arming(place=Place.UNDERLYING, target=True, quote=(1, None, 3), since=AT),
    Floor(peak=1, level=-5, code=ExitCode.LOCK, rung=2),
    Counters(after_stop={"a": 1}).bar("b", date(2026, 11, 23)).counted("c", target=True),
    ArmedEntry(
        leg="a",
        legs=("a",),
        mode=ReentryMode.COST,
        target=False,
        side=Side.SELL,
        cost=98_00,
        due=AT,
        ends=AT,
        wait=Measure(600, Unit.PERCENT),
        far=1,
        away=True,
    ),
    ArmedCycle(how=Again.MOMENTUM, target=True, due=AT, move=-500, reference=-200_00),
    LegWait(contract="c", move=Measure(1), reference=1, level=2),
    CombinedWait(start=-1, level=2, since=AT),
    RangeSeen(high=2, low=1, first=AT, last=AT),
    CrossSeen(ready=True),
    Forming(candle=CANDLE, before=1, traded=8, told=True),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_a_state_comes_back_as_it_was(state: Any) -> None:
    again = msgspec.json.decode(msgspec.json.encode(state), type=type(state))
    assert again == state
    for field in ("since", "due", "ends", "first", "last"):
        if getattr(state, field, None) is not None:
            assert getattr(again, field).time() == AT.time(), "a time of day is compared with IST"


def test_counters_are_never_changed_in_place() -> None:
    before = Counters()
    assert before.counted("a", target=False).used("a", target=False) == 1
    assert before == Counters()
    assert before.counted("a", target=False).counted("b", target=True).together == 2
