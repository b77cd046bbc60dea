"""Epoch milliseconds and IST, there and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.timeline import IST, from_millis, millis


@given(st.integers(0, 4_102_444_800_000))
def test_a_stamp_reads_back(stamp: int) -> None:
    moment = from_millis(stamp)
    assert millis(moment) == stamp
    assert moment.utcoffset() == timedelta(hours=5, minutes=30)


def test_the_zone_of_the_moment_does_not_matter() -> None:
    moment = datetime(2026, 11, 23, 9, 15, tzinfo=IST)
    assert millis(moment) == millis(moment.astimezone(UTC)) == 1_795_405_500_000
