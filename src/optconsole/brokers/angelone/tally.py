"""Evidence of what could not be used, told at the first time and at every doubling: a flood of it is one number."""

from __future__ import annotations

from collections import Counter

from optconsole.brokers.transport.gateway import Evidence


class Tally:
    """Counts by kind and about what; ``evidence`` hears of the first, second, fourth, eighth ... of each."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._counts: Counter[tuple[str, str]] = Counter()

    def note(self, kind: str, detail: str, sample: bytes | str, about: str = "") -> None:
        self._counts[kind, about] += 1
        count = self._counts[kind, about]
        if count & (count - 1) == 0:
            self._evidence(kind, detail if count == 1 else f"{detail} So far {count} times.", sample)

    def count(self, kind: str) -> int:
        """How often something of a kind was noted, whatever it was about."""
        return sum(count for (each, _about), count in self._counts.items() if each == kind)
