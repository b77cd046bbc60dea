"""The engine made wrong on purpose, the odd half: the judge sees each of it."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.shards import mutant_is_caught


@pytest.mark.parametrize("name", list(MUTANTS)[1::2])
def test_a_mutant_is_caught(name: str) -> None:
    mutant_is_caught(name)
