"""Evidence of what could not be used, counted by kind on its way to where it is kept."""

from __future__ import annotations

from collections import Counter

from optconsole.brokers.transport.gateway import Evidence


class Tally:
    """Passes evidence on; the counts show how a connection does."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.counts: Counter[str] = Counter()

    def note(self, kind: str, detail: str, sample: bytes | str) -> None:
        self.counts[kind] += 1
        self._evidence(kind, detail, sample)
