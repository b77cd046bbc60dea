"""Days of trading under faults, the first quarter: nothing is lost, doubled or declared dead that lives."""

from __future__ import annotations

from tests.simulation.shards import days_under_faults


def test_days_under_faults_break_no_invariant_and_meet_every_fault() -> None:
    days_under_faults(0)
