"""Evidence without repetition: a book is read every two seconds, and what is odd in it stays odd all day."""

from __future__ import annotations

from collections import Counter
from typing import Final

from optconsole.brokers.transport.gateway import Evidence

MOST_KEPT: Final = 2000
ALWAYS: Final = frozenset({"UNPROVEN_ANSWER"})
"""Each is about another order."""


class Notes:
    """Passes on the first of every (kind, sentence) and counts them all in ``counts`` by kind."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._passed: set[tuple[str, str]] = set()
        self.counts: Counter[str] = Counter()

    def __call__(self, kind: str, detail: str, sample: bytes | str) -> None:
        self.counts[kind] += 1
        if kind not in ALWAYS:
            if (kind, detail) in self._passed or len(self._passed) >= MOST_KEPT:
                return
            self._passed.add((kind, detail))
        self._evidence(kind, detail, sample)

    def turn(self) -> None:
        """A new day: what is still odd is said again."""
        self._passed.clear()
