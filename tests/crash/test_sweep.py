"""``kill -9`` of a real engine wherever it writes, commits, sends or hears; all points by ``python -m tests.crash``."""

from __future__ import annotations

import signal

import pytest

from tests.crash.nursery import Nursery
from tests.crash.sweep import sweep

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_no_point_of_a_day_at_which_a_kill_loses_or_doubles_an_order(cradle: Nursery) -> None:
    """S02, H03, O18, O20, G5: every 61st point; an embedded exchange and a remote broker take turns."""
    report = await sweep(cradle, every=61, first=11)
    assert report.breaches == []
    assert report.struck == report.runs > 10
    assert report.points > 500


async def test_a_kill_in_the_recovery_from_a_kill_is_recovered_from_too(cradle: Nursery) -> None:
    """H03: the second life dies within its first sixty points."""
    report = await sweep(cradle, every=151, first=60, twice=True, proofs=(True,))
    assert report.breaches == []
    assert report.restarts >= 2 * report.runs


async def test_a_stop_asked_for_at_any_point_is_an_orderly_one(cradle: Nursery) -> None:
    """H14: SIGTERM; what is in flight is finished, the journal says that the engine stopped, the exit status is 0."""
    report = await sweep(cradle, every=151, first=30, number=signal.SIGTERM, proofs=(False,))
    assert report.breaches == []


@pytest.mark.parametrize(
    ("mutant", "invariant"),
    [("M1", "I-3"), ("M3", "I-1"), ("M15", "I-13")],
    ids=["posts again after doubt", "stores after sending", "forgets the kill over a restart"],
)
async def test_the_judge_objects_to_an_engine_made_wrong(mutant: str, invariant: str, cradle: Nursery) -> None:
    report = await sweep(cradle, every=10_000, first=9_999, proofs=(True,), mutant=mutant)
    assert any(f"{invariant}:" in breach for breach in report.breaches)
