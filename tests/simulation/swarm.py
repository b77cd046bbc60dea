"""Which faults a run may meet and how often: a random subset for each run, none in some."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from tests.simulation.kernel import TapeRandom

REMOTE: Final = (
    "place.reject",
    "place.drop",
    "place.accept_drop",
    "place.late",
    "place.lied",
    "place.not_sent",
    "place.slow",
    "change.drop",
    "change.accept_drop",
    "change.late",
    "change.not_sent",
    "change.slow",
    "read.unreachable",
    "read.stale",
    "read.slow",
    "ws.dup",
    "ws.delay",
    "ws.lose",
    "ws.word",
)
"""What a broker behind a network does. ``lied`` is an error answer to an order that was placed,
``word`` a status that is new to us."""
EMBEDDED: Final = ("place.reject", "place.slow", "change.slow", "read.slow", "read.unreachable", "ws.dup")
"""What an exchange in our own process can do: its calls arrive or die with us, its book is proof."""
LOCAL: Final = ("px.freeze", "px.gap", "store.fail", "store.slow", "host.crash", "ex.foreign")
RATES: Final = (0.02, 0.05, 0.15, 0.3)
RARE: Final = {"store.fail": 0.01, "host.crash": 0.008, "px.freeze": 0.02, "px.gap": 0.02, "ex.foreign": 0.02}
QUIET_RUNS: Final = 0.05


@dataclass
class Swarm:
    """The faults of one run. ``rates`` are chances at each occasion; while ``off`` none happens."""

    embedded: bool
    rates: dict[str, float]
    off: bool = False
    done: Counter[str] = field(default_factory=Counter)

    @property
    def quiet(self) -> bool:
        """True for a run in which nothing may go wrong."""
        return not self.rates

    def strikes(self, verb: str, choices: TapeRandom) -> bool:
        """Whether the fault happens now; counted when it does."""
        rate = 0.0 if self.off else self.rates.get(verb, 0.0)
        if not choices.happens(rate):
            return False
        self.done[verb] += 1
        return True


def drawn(choices: TapeRandom, without: frozenset[str] = frozenset()) -> Swarm:
    """A swarm off the tape; a quiet tape gives a remote broker without faults. ``without`` are never drawn."""
    embedded = choices.happens(0.25)
    if choices.happens(QUIET_RUNS):
        return Swarm(embedded, {})
    rates: dict[str, float] = {}
    for verb in (*(EMBEDDED if embedded else REMOTE), *LOCAL):
        if choices.happens(0.5):
            rate = choices.pick(RATES)
            if verb not in without:
                rates[verb] = RARE.get(verb, rate)
    return Swarm(embedded, rates)
