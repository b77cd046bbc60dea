"""The simulation itself: quiet days, replays, other schedules, shrinking and its command line."""

from __future__ import annotations

import json
import re

import pytest

from tests.simulation.__main__ import main
from tests.simulation.kernel import recorded_tapes
from tests.simulation.mutants import MUTANTS
from tests.simulation.shards import BY_HAND, days
from tests.simulation.shrink import dropped, failing, shrunk
from tests.simulation.verbs import VERBS
from tests.simulation.world import Setting, days_of, simulate, tape_text, tapes_of

NO_FAULTS = Setting(without=frozenset(VERBS))


def test_days_without_faults_raise_no_alarm_of_a_fault() -> None:
    for seed in range(10):
        result = days(seed, setting=NO_FAULTS)
        assert not result.breaches, f"seed {seed}: {result.breaches[0]}"
        assert not result.faults


def test_the_same_seed_is_the_same_day_and_so_are_its_written_tapes() -> None:
    for seed in range(8):
        first = days(seed)
        assert days(seed).digest == first.digest
        if seed % 4 == 0:
            written = tapes_of(tape_text(first.tapes))
            assert simulate(recorded_tapes(written), days_of(seed)).digest == first.digest
    assert days(1).digest != days(4).digest


def test_taking_one_fault_away_shifts_no_other() -> None:
    """Each fault has a tape of its own: what the others draw first is what they drew before."""
    first = days(3)
    gone = next(iter(first.faults))
    rest = days(3, setting=Setting(without=frozenset({gone})))
    shared = [name for name in first.tapes.keys() & rest.tapes.keys() if not name.startswith(gone)]
    assert len(shared) > 20
    for name in shared:
        least = min(len(first.tapes[name]), len(rest.tapes[name]))
        assert first.tapes[name][:least] == rest.tapes[name][:least]


def test_another_order_of_ready_callbacks_breaks_nothing() -> None:
    for seed in range(10):
        result = days(seed, shuffle=0.3)
        assert not result.breaches, f"seed {seed}: {result.breaches[0]}"


def test_a_failure_shrinks_to_one_intent_and_one_fault() -> None:
    mutation = MUTANTS["M2"].mutation
    seed = next(seed for seed in range(50) if days(seed, mutation=mutation, setting=BY_HAND).breaches)
    result = days(seed, mutation=mutation, setting=BY_HAND)
    first = result.breaches[0]
    settings = {"days": first.day + 1, "mutation": mutation, "setting": BY_HAND}
    fails = failing(simulate, first.invariant, **settings)
    small = shrunk(dropped(result.tapes, fails), fails, budget=250)
    result = simulate(recorded_tapes(small), first.day + 1, mutation, BY_HAND)
    assert result.breaches[0].invariant == first.invariant
    assert result.intents <= 2
    assert result.faults.total() <= 2


def test_the_command_line_reports_and_fails_on_a_breach(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--days", "6", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["days"] == 6
    assert report["seeds"] == [0, 2]
    assert report["breaches"] == []
    assert report["pairs_met"] == len(report["pairs"]) > 0
    assert main(["run", "--days", "5", "--mutant", "M3"]) == 1
    table = capsys.readouterr().out
    assert "restarts" in table
    assert re.search(r"^BREACH seed \d: I-1 ", table, re.MULTILINE)
    assert main(["replay", "-"]) == 0
