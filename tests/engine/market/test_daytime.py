from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.daytime import phase_within
from optconsole.engine.model.timeline import IST
from optconsole.engine.model.vitals import MarketPhase

CALENDAR = Calendar.load()
NOON = datetime.combine(date(2026, 11, 16), time(12), IST)
EARLY, LATE = NOON.replace(hour=8), NOON.replace(hour=17)


def test_times_that_agree_hold_nothing_back() -> None:
    for now in (EARLY, NOON, LATE):
        assert phase_within(CALENDAR, now, now) == (*CALENDAR.phase(now), None)
        assert phase_within(CALENDAR, now - timedelta(seconds=0.9), now)[2] is None
    assert phase_within(CALENDAR, NOON, NOON.replace(hour=13)) == (*CALENDAR.phase(NOON), None)


@pytest.mark.parametrize(("earliest", "latest"), [(EARLY, NOON), (NOON, LATE)])
def test_the_market_is_open_for_guards_and_shut_for_entries_where_the_times_differ(
    earliest: datetime, latest: datetime
) -> None:
    phase, ends, doubt = phase_within(CALENDAR, earliest, latest)
    assert (phase, ends) == CALENDAR.phase(NOON)
    assert phase is MarketPhase.OPEN
    assert doubt is not None
    assert doubt.code == "CLOCK_OFF"
    assert f"{earliest:%H:%M:%S}" in doubt.text
