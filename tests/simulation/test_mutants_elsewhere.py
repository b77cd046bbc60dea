"""Mutants that no simulated day can show die in the tests that claim them; those run without them in their suites."""

from __future__ import annotations

import pytest

from tests.simulation.elsewhere import ELSEWHERE, KILLED, verdict
from tests.simulation.mutants import MUTANTS


@pytest.mark.parametrize("name", list(ELSEWHERE))
def test_a_mutant_dies_in_the_test_that_claims_it(name: str) -> None:
    code, words = verdict(ELSEWHERE[name].test, name)
    assert code == KILLED, words
    assert "1 failed" in words


def test_no_mutant_is_claimed_twice() -> None:
    assert not MUTANTS.keys() & ELSEWHERE.keys()
