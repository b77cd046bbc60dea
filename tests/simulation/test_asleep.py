"""Checks that wait for a feature: each would object today, and one that no longer would must be woken for good."""

from __future__ import annotations

import pytest

from tests.simulation.court import ASLEEP
from tests.simulation.shards import days
from tests.simulation.world import Setting


@pytest.mark.parametrize("name", sorted(ASLEEP))
def test_a_check_that_sleeps_would_object_to_the_engine_of_today(name: str) -> None:
    setting = Setting(woken=frozenset({name}))
    found = (breach.invariant for seed in range(40) for breach in days(seed, setting=setting).breaches)
    assert name in found, f"{name} waits for nothing any more: take it out of ASLEEP"
