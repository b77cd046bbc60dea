"""Make a failing run small: shorter days, then tapes with fewer bytes that say anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.simulation.kernel import recorded_tapes
from tests.simulation.world import Result

Raw = dict[str, bytes]
Fails = Callable[[Raw], bool]
BUDGET: Final = 700
"""Runs spent at most: about a minute."""


def dropped(tapes: Mapping[str, bytes], fails: Fails) -> Raw:
    """Silence whole tapes, many at once while that works: most faults of a run have nothing to do with its failure."""
    best = {name: bytes(tape) for name, tape in sorted(tapes.items()) if any(tape)}
    size = len(best)
    while size:
        names = list(best)
        for start in range(0, len(names), size):
            candidate = {name: tape for name, tape in best.items() if name not in names[start : start + size]}
            if len(candidate) < len(best) and fails(candidate):
                best = candidate
        size //= 2
    return best


def shrunk(tapes: Mapping[str, bytes], fails: Fails, budget: int = BUDGET) -> Raw:
    """The smallest tapes found that still fail, by cutting ends and silencing ever shorter blocks.

    Hypothesis shrinks byte lists well but only those that it generated; this starts from a failure already found.

    A block is silenced, never removed: what comes after it keeps its place, so a choice does not change its meaning.
    """
    best = dropped(tapes, fails)
    left = budget

    def better(candidate: Raw) -> bool:
        nonlocal best, left
        if left <= 0 or candidate == best:
            return False
        left -= 1
        if not fails(candidate):
            return False
        best = candidate
        return True

    changed = True
    while changed and left > 0:
        changed = False
        for name in [name for name, tape in best.items() if tape]:
            changed |= _always(name, lambda: best, better)
            changed |= _cut(name, lambda: best, better)
            changed |= _silence(name, lambda: best, better)
    return {name: tape.rstrip(b"\0") for name, tape in best.items() if any(tape)}


def _always(name: str, best: Callable[[], Raw], better: Fails) -> bool:
    """Let a fault that is left strike each time: then it matters no more which call meets it."""
    tape = best()[name]
    return "@" in name and max(tape, default=0) > 1 and better({**best(), name: b"\1" * len(tape)})


def _cut(name: str, best: Callable[[], Raw], better: Fails) -> bool:
    """Drop the end of a tape, halving what is dropped until it matters."""
    size, done = len(best()[name]), False
    while size:
        tape = best()[name]
        if len(tape) >= size and better({**best(), name: tape[: len(tape) - size]}):
            done = True
        else:
            size //= 2
    return done


def _silence(name: str, best: Callable[[], Raw], better: Fails) -> bool:
    done, size = False, max(len(best()[name]) // 2, 1)
    while size:
        for start in range(0, len(best()[name]), size):
            tape = best()[name]
            block = tape[start : start + size]
            if any(block):
                done |= better({**best(), name: tape[:start] + bytes(len(block)) + tape[start + size :]})
        size //= 2
    return done


def failing(simulated: Callable[..., Result], invariant: str, **settings: object) -> Fails:
    """Whether tapes still break this invariant."""

    def fails(tapes: Raw) -> bool:
        result = simulated(recorded_tapes(tapes), **settings)
        return any(breach.invariant == invariant for breach in result.breaches)

    return fails
