"""Which faults a run may meet and how often: a random subset for each run, none in some; scripts name theirs."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.simulation.kernel import SimLoop, TapeRandom, Tapes
from tests.simulation.verbs import AWAITED, RARE, RATES

QUIET_RUNS: Final = 0.05
HOST: Final = "host"
"""The place of faults that no single account has."""


class Told(TapeRandom):
    """The tape of a fault that a script ordered: it lasts as long as the script says."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__(b"\1" * 8)
        self._seconds = seconds

    def uniform(self, a: float, b: float) -> float:
        return b if self._seconds is None else self._seconds


@dataclass
class Trigger:
    """A fault that a script orders: at a virtual time, the nth occasion, when something holds of it, or by chance.

    It strikes ``times`` times and lasts ``seconds`` where that means anything.
    """

    verb: str
    at: float | None = None
    nth: int | None = None
    when: Callable[[Any], bool] | None = None
    p: float | None = None
    times: int = 1
    seconds: float | None = None
    place: str = ""

    def meets(self, now: float, occasion: int, about: Any, choices: TapeRandom) -> bool:
        """Whether this occasion is meant."""
        return (
            self.times > 0
            and (self.at is None or now >= self.at)
            and (self.nth is None or occasion >= self.nth)
            and (self.when is None or self.when(about))
            and (self.p is None or choices.happens(self.p))
        )


@dataclass
class Swarm:
    """The faults of one run. While ``off`` none happens; until ``trouble_until`` one that lasts may be on."""

    loop: SimLoop
    quiet: bool
    off: bool = False
    trouble_until: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)
    ordered: list[Trigger] = field(default_factory=list)
    _today: dict[str, None] = field(default_factory=dict)

    def struck(self, verb: str) -> None:
        """Count a fault."""
        self.done[verb] += 1
        self._today[verb] = None

    def day_over(self) -> None:
        """Count the pairs of verbs that met on one day."""
        self.pairs.update("+".join(pair) for pair in itertools.combinations(sorted(self._today), 2))
        self._today.clear()


class Faults:
    """The faults of one place: an account, or the machine. Each verb has a tape, whose first bytes say its rate."""

    def __init__(self, swarm: Swarm, tapes: Tapes, place: str, verbs: Iterable[str], never: frozenset[str]) -> None:
        self.swarm, self._tapes, self.place = swarm, tapes, place
        self._rates: dict[str, float] = {}
        self._occasions: Counter[str] = Counter()
        self._until: dict[str, float] = {}
        for verb in () if swarm.quiet else verbs:
            tape = self.tape(verb)
            drawn, rate = tape.happens(0.5), tape.pick(RATES)
            if drawn and verb not in never:
                self._rates[verb] = RARE.get(verb, rate)

    def tape(self, verb: str) -> TapeRandom:
        """The choices about one verb here."""
        return self._tapes[f"{verb}@{self.place}"]

    def strikes(self, verb: str, about: Any = None) -> TapeRandom | None:
        """The fault's tape when it happens now, for how long and how much; None when it does not."""
        swarm = self.swarm
        if swarm.off:
            return None
        if swarm.ordered and (told := self._ordered(verb, about)) is not None:
            return told
        rate = self._rates.get(verb)
        if rate is None:
            return None
        tape = self.tape(verb)
        if not tape.happens(rate):
            return None
        swarm.struck(verb)
        return tape

    def _ordered(self, verb: str, about: Any) -> TapeRandom | None:
        self._occasions[verb] += 1
        for trigger in self.swarm.ordered:
            if trigger.verb == verb and trigger.place in ("", self.place):
                meant = trigger.meets(self.swarm.loop.time(), self._occasions[verb], about, self.tape(verb))
                if meant:
                    trigger.times -= 1
                    self.swarm.struck(verb)
                    return Told(trigger.seconds)
        return None

    def lasting(self, verb: str, low: float, high: float, about: Any = None) -> bool:
        """Whether a fault that lasts for a while is on, or begins now."""
        now = self.swarm.loop.time()
        if self.swarm.off:
            return False
        if self._until.get(verb, -1.0) > now:
            return True
        tape = self.strikes(verb, about)
        if tape is None:
            return False
        self.begin(verb, tape.uniform(low, high))
        return True

    def begin(self, verb: str, seconds: float) -> None:
        """A fault is on from now for so long."""
        self._until[verb] = until = self.swarm.loop.time() + seconds
        self.swarm.trouble_until = max(self.swarm.trouble_until, until)

    def on(self, verb: str) -> bool:
        """Whether a lasting fault is on; asking does not begin one."""
        return not self.swarm.off and self._until.get(verb, -1.0) > self.swarm.loop.time()


def never(without: frozenset[str], woken: frozenset[str]) -> frozenset[str]:
    """Verbs that are not drawn: those left out, and those that today's engine cannot bear unless ``woken``."""
    return without | (AWAITED.keys() - woken)
