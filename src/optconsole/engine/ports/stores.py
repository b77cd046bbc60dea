"""The store of the facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from optconsole.engine.events import Recorded
from optconsole.engine.queries import JournalCopied, JournalVerdict


class Journal(Protocol):
    """The durable sequence of facts."""

    async def append(self, facts: Sequence[Recorded]) -> None:
        """Make the facts durable, in one transaction with the read tables. Returns after the sync.

        Raises JournalBroken when they are not provably durable; the engine then takes no new risk.
        """
        ...

    async def read(
        self,
        after: int = 0,
        limit: int = 500,
        stream: str | None = None,
        text: str | None = None,
        last: bool = False,
    ) -> list[Recorded]: ...

    async def head(self) -> tuple[int, str]:
        """Newest sequence number and its chain hash; (0, '') when empty."""
        ...

    async def hash_at(self, seq: int) -> str | None:
        """Chain hash of a fact; None when there is none."""
        ...

    async def save_checkpoint(self, seq: int, digest: str) -> None:
        """Remember the state's digest at ``seq``, to be compared at the next start."""
        ...

    def commit_percentiles(self) -> tuple[float, float] | None:
        """Median and 99th percentile of recent commit times in milliseconds; None before the first."""
        ...

    async def verify(self) -> JournalVerdict:
        """Walk the hash chain from the first fact to the last."""
        ...

    async def backup(self, target: str) -> JournalCopied:
        """Copy the journal as it is now into a new file, checked before the answer. Raises Refusal, JournalBroken."""
        ...

    async def close(self) -> None: ...


class JournalBroken(Exception):
    """The journal cannot prove that facts are durable or unaltered. ``text`` says what and what to do.

    ``passing`` is true where only this append was refused and a later one may be taken.
    """

    def __init__(self, code: str, text: str, passing: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.passing = passing
