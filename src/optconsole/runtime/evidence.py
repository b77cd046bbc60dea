"""What adapters could not read, counted and put among the dead letters: the first of a kind, then as it doubles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from optconsole.brokers.transport.gateway import Evidence
from optconsole.engine.core import Engine
from optconsole.engine.model.text import display

SAMPLE: Final = 2_000
WAITING: Final = 200
"""Pieces kept until there is an engine to give them to."""

Deed = Callable[[Engine], None]


class EvidenceDesk:
    """Takes the evidence and the news of every account; what comes before the engine waits for it."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()
        self._engine: Engine | None = None
        self._waiting: list[Deed] = []

    def attach(self, engine: Engine) -> None:
        """Hand over what waited; from now on all goes on at once."""
        self._engine = engine
        for deed in self._waiting:
            deed(engine)
        self._waiting.clear()

    def of(self, account: str) -> Evidence:
        """The evidence function of one account."""

        def keep(kind: str, detail: str, sample: bytes | str) -> None:
            self.seen[account, kind] += 1
            count = self.seen[account, kind]
            if count & (count - 1):
                return  # not a power of two: a flood must not fill the journal
            shown = sample.hex() if isinstance(sample, bytes) else display(sample, SAMPLE)
            why = f"{detail} (seen {count} times)" if count > 1 else detail
            self._do(lambda engine: engine.keep_evidence(account, kind, why, shown[:SAMPLE]))

        return keep

    def tell(self, code: str, text: str) -> None:
        """A notice that needs nobody's answer."""
        self._do(lambda engine: engine.tell(code, text))

    def _do(self, deed: Deed) -> None:
        if self._engine is not None:
            deed(self._engine)
        elif len(self._waiting) < WAITING:
            self._waiting.append(deed)
