"""Made-up instrument numbers that stay the same from day to day, as an exchange's do while a contract lives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

from optconsole.engine.model.instruments import Instrument

LOWEST: Final = 35_000
HIGHEST: Final = 9_999_999
"""So that a number shifted by a byte of segment still fits 32 bits."""


class Tokens:
    """A number for each contract, unique within its segment; ``fixed`` ones are as the exchange really gave them.

    A segment is what a broker files a contract under; the same number in two segments means two contracts.
    """

    def __init__(self, listed: Iterable[tuple[Instrument, str]], fixed: Mapping[str, int] | None = None) -> None:
        self._of: dict[str, int] = dict(fixed or {})
        self._at: dict[tuple[str, int], Instrument] = {}
        # by name, so that the few collisions are settled the same way in every process
        for instrument, segment in sorted(listed, key=lambda pair: pair[0].name):
            token = self._of.get(instrument.name) or self._free(instrument.name, segment)
            self._of[instrument.name] = token
            self._at[segment, token] = instrument

    def of(self, name: str) -> int | None:
        """The number of a contract, by our canonical name."""
        return self._of.get(name)

    def at(self, segment: str, token: int) -> Instrument | None:
        return self._at.get((segment, token))

    def _free(self, name: str, segment: str) -> int:
        drawn = int.from_bytes(blake2b(f"{segment} {name}".encode(), digest_size=8).digest())
        span = HIGHEST - LOWEST + 1
        while (segment, LOWEST + drawn % span) in self._at:
            drawn += 1
        return LOWEST + drawn % span
