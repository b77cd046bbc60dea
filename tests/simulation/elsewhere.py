"""Mutants that no simulated day can show, each with the test of another suite that it must turn red.

As a pytest plugin (``-p tests.simulation.elsewhere``) this applies the one named by ``OPTCONSOLE_MUTANT`` to the run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.limits import Level
from optconsole.engine.rules import limits
from optconsole.engine.rules.exposure import Mark
from optconsole.engine.store.database import Database
from optconsole.engine.store.lease import Lease

VARIABLE: Final = "OPTCONSOLE_MUTANT"
ROOT: Final = Path(__file__).resolve().parents[2]
KILLED: Final = 1
"""pytest's exit code when a test failed; others say that it did not come to be judged."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A defect, and the test that must fail of it."""

    what: str
    test: str
    mutation: Callable[[], AbstractContextManager[object]]


@contextmanager
def _m23() -> Iterator[None]:
    original = limits.day_profit

    def day_profit(state: TradingState, level: Level, name: str, mark: Mark) -> tuple[int | None, str]:
        profit, missing = original(state, level, name, mark)
        return (profit or 0), missing

    with patch.object(limits, "day_profit", day_profit):
        yield


@contextmanager
def _m27() -> Iterator[None]:
    write = Database.write

    def unfenced(self: Database, *given: Any, **named: Any) -> Any:
        return write(self, *given, **{**named, "fence": False})

    with ExitStack() as stack:
        for name in ("look", "require", "renew"):
            stack.enter_context(patch.object(Lease, name, lambda *_given: None))
        stack.enter_context(patch.object(Database, "write", unfenced))
        yield


ELSEWHERE: Final[Mapping[str, Elsewhere]] = {
    "M23": Elsewhere(
        "an unknown profit counts as none",
        "tests/engine/rules/test_limits.py::test_an_unknown_price_makes_the_loss_unknown_and_never_nought",
        _m23,
    ),
    "M27": Elsewhere(
        "an engine whose store was taken by a newer one writes on",
        "tests/runtime/test_store_failing.py::test_an_engine_whose_store_was_taken_says_so_and_sends_nothing_more",
        _m27,
    ),
}


def verdict(test: str, mutant: str) -> tuple[int, str]:
    """Run a test with a mutant in the engine: pytest's exit code and words."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.simulation.elsewhere", "-p", "no:cacheprovider", test],
        cwd=ROOT,
        env={**os.environ, VARIABLE: mutant, "PYTEST_ADDOPTS": "-n 0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout


def pytest_configure(config: pytest.Config) -> None:
    """Put the named mutant into this run."""
    name = os.environ.get(VARIABLE, "")
    if name:
        mutation = ELSEWHERE[name].mutation()
        mutation.__enter__()
        config.add_cleanup(lambda: mutation.__exit__(None, None, None))
