"""Days of trading under faults: nothing lost, doubled or declared dead that lives; and the judge sees what we break."""

from __future__ import annotations

import gc
import json
from collections import Counter

import pytest

from tests.simulation.__main__ import days_of, main
from tests.simulation.kernel import recorded_tapes, seeded_tapes
from tests.simulation.mutants import MUTANTS
from tests.simulation.shrink import failing, shrunk
from tests.simulation.swarm import EMBEDDED, LOCAL, REMOTE
from tests.simulation.world import Result, simulate, tape_text, tapes_of

RUNS = 175
MUTANT_DAYS = 500
ALL_VERBS = frozenset((*REMOTE, *EMBEDDED, *LOCAL))


def days(seed: int, **settings: object) -> Result:
    result = simulate(seeded_tapes(seed), days_of(seed), **settings)  # type: ignore[arg-type]
    gc.collect()
    return result


def test_days_under_faults_break_no_invariant_and_meet_every_fault() -> None:
    faults: Counter[str] = Counter()
    intents = restarts = 0
    for seed in range(RUNS):
        result = days(seed)
        assert not result.breaches, f"seed {seed}: {result.breaches[0]}; python -m tests.simulation shrink {seed}"
        faults.update(result.faults)
        intents, restarts = intents + result.intents, restarts + result.restarts
    assert set(faults) == ALL_VERBS
    assert intents > 2 * RUNS
    assert restarts > RUNS


def test_days_without_faults_raise_no_alarm_of_a_fault() -> None:
    for seed in range(25):
        result = days(seed, without=ALL_VERBS)
        assert not result.breaches, f"seed {seed}: {result.breaches[0]}"
        assert not result.faults


def test_the_same_seed_is_the_same_day_and_so_are_its_written_tapes() -> None:
    for seed in (3, 8, 20):
        first = days(seed)
        assert days(seed).digest == first.digest
        written = tapes_of(tape_text(first.tapes))
        assert simulate(recorded_tapes(written), days_of(seed)).digest == first.digest
    assert days(1).digest != days(4).digest


def test_another_order_of_ready_callbacks_breaks_nothing() -> None:
    for seed in range(20):
        result = days(seed, shuffle=0.3)
        assert not result.breaches, f"seed {seed}: {result.breaches[0]}"


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str) -> None:
    mutant, done, seed = MUTANTS[name], 0, 0
    caught: set[str] = set()
    while done < MUTANT_DAYS and not caught & mutant.caught_by:
        result = days(seed, mutation=mutant.mutation)
        caught |= {breach.invariant for breach in result.breaches}
        done, seed = done + result.days, seed + 1
    assert caught & mutant.caught_by, f"{mutant.what}: not caught in {done} days, only {caught}"


def test_a_failure_shrinks_to_one_intent_and_one_fault() -> None:
    mutation = MUTANTS["M2"].mutation
    seed = next(seed for seed in range(50) if days(seed, mutation=mutation).breaches)
    first = days(seed, mutation=mutation).breaches[0]
    settings = {"days": first.day + 1, "mutation": mutation}
    small = shrunk(days(seed, mutation=mutation).tapes, failing(simulate, first.invariant, **settings), budget=250)
    result = simulate(recorded_tapes(small), first.day + 1, mutation)
    assert result.breaches[0].invariant == first.invariant
    assert result.intents <= 2
    assert result.faults.total() <= 2


def test_the_command_line_reports_and_fails_on_a_breach(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--days", "5", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["days"] == 5
    assert report["breaches"] == []
    assert main(["run", "--days", "5", "--mutant", "M3"]) == 1
    assert "BREACH seed 0: I-1" in capsys.readouterr().out
    assert main(["replay", "-"]) == 0
