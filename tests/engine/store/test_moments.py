"""Stored moments have one form, whatever the moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.timeline import IST
from optconsole.engine.store.moments import stamp

ZONES = st.sampled_from([IST, UTC, timezone(timedelta(hours=-3, minutes=-30)), timezone(timedelta(0), "GMT")])


@given(st.datetimes(timezones=ZONES), st.booleans())
def test_a_stamp_is_the_iso_form_with_six_digits_of_a_second(moment: datetime, whole: bool) -> None:
    moment = moment.replace(microsecond=0) if whole else moment
    assert stamp(moment) == moment.isoformat(timespec="microseconds")
