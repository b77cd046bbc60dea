"""The days that are simulated on every commit, cut into shards so that workers share them: one test file each."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tests.simulation.kernel import seeded_tapes
from tests.simulation.mutants import MUTANTS
from tests.simulation.script import play
from tests.simulation.staged import STAGED
from tests.simulation.staged_runs import STAGED_RUNS
from tests.simulation.verbs import AWAITED, VERBS
from tests.simulation.world import Result, Setting, days_of, simulate

RUNS: Final = 84
"""Runs a shard: 252 days, 1,006 in all."""
MUTANT_DAYS: Final = 500
FROM: Final = {"M5": 108, "M22": 38}
"""Seeds from which a mutant is met soon: from 0 on it takes M22 115 days, whatever they cost."""
BY_HAND: Final = Setting(strategies=False)
"""Days on which a trader trades by hand alone: what mutants of orders are met in, in half the time."""
DRAWN: Final = frozenset(VERBS) - AWAITED.keys()
"""Every fault that runs may meet."""


def days(seed: int, **settings: object) -> Result:
    """One run."""
    return simulate(seeded_tapes(seed), days_of(seed), **settings)  # type: ignore[arg-type]


def days_under_faults(shard: int) -> None:
    """Simulate a shard: no breach, every fault met, engines that died and came back."""
    faults: Counter[str] = Counter()
    accounts: Counter[str] = Counter()
    done = intents = restarts = 0
    for seed in range(shard * RUNS, (shard + 1) * RUNS):
        result = days(seed, setting=BY_HAND)
        assert not result.breaches, f"seed {seed}: {result.breaches[0]}; python -m tests.simulation shrink {seed}"
        faults.update(result.faults)
        accounts.update(result.accounts)
        done, intents, restarts = done + result.days, intents + result.intents, restarts + result.restarts
    assert done >= 250
    assert len(DRAWN - set(faults)) <= 4
    assert set(accounts) == {"plain", "embedded", "laggy"}
    assert intents > 2 * done
    assert restarts > done


def mutant_is_caught(name: str) -> str:
    """An invariant that is there for the mutant objects, in its scene or within the days it is given; says where."""
    mutant, done, seed = MUTANTS[name], 0, FROM.get(name, 0)
    caught: set[str] = set()
    scene, runs = {**STAGED, **STAGED_RUNS}.get(name), name in STAGED_RUNS
    if scene is not None:
        assert play(scene, strategies=runs) == [], f"the scene of {name} is not clean without it"
        with mutant.mutation():
            caught = {breach.invariant for breach in play(scene, strategies=runs)}
        assert caught & mutant.caught_by, f"{mutant.what}: not caught in its scene, only {caught}"
        return f"{', '.join(sorted(caught))} in its scene"
    while done < MUTANT_DAYS and not caught & mutant.caught_by:
        result = days(seed, mutation=mutant.mutation, setting=BY_HAND)
        caught |= {breach.invariant for breach in result.breaches}
        done, seed = done + result.days, seed + 1
    assert caught & mutant.caught_by, f"{mutant.what}: not caught in {done} days, only {caught}"
    return f"{', '.join(sorted(caught))} within {done} days"
