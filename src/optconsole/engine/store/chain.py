"""The hash chain: each fact carries the hash of the one before, so that no change goes unseen."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

import msgspec

_encode_into: Final = msgspec.json.Encoder().encode_into
_sha256: Final = hashlib.sha256
BEFORE_FIRST: Final = -(2**62)
"""Below every sequence number, so that rows forged in front of the first are read too."""


class StoredEvent(NamedTuple):
    """A row of the ``event`` table, in the order of its columns."""

    seq: int
    stream: str
    version: int
    type: str
    at_ist: str
    at_utc: str
    actor: str
    cause: str
    payload: str
    prev_hash: str
    hash: str


def link(row: StoredEvent, scratch: bytearray | None = None) -> str:
    """SHA-256 over everything the row says, as a JSON array: no two different rows read alike.

    ``at_utc`` is hashed too: it is what a search by time trusts. ``scratch`` is room to write in, for who links many.
    """
    scratch = bytearray() if scratch is None else scratch
    _encode_into(row[9:10] + row[:9], scratch)
    return _sha256(scratch).hexdigest()


class Chain:
    """Walks rows in order and says where they stop being the ones that were written."""

    def __init__(self, seq: int = 0, head: str = "") -> None:
        self.seq = seq
        self.head = head
        self._scratch = bytearray()

    def fault(self, row: StoredEvent) -> str | None:
        """Why ``row`` cannot follow, in words; None when it can, and it is then the new head."""
        seq, head = row.seq, row.hash
        if seq != self.seq + 1:
            return f"event {self.seq + 1} is missing" if seq > self.seq else f"event {seq} was put in"
        if row.prev_hash != self.head:
            return f"event {seq} does not follow from the one before"
        if head != link(row, self._scratch):
            return f"event {seq} was altered"
        self.seq, self.head = seq, head
        return None

    def place(self, row: StoredEvent) -> int:
        """The sequence number to blame for a fault found at ``row``."""
        return min(row.seq, self.seq + 1)

    def end_fault(self, noted: tuple[int, str], checkpoint: tuple[int, str] | None) -> tuple[int, str] | None:
        """The number to blame and why, when the walk did not end where the last commit and checkpoint did."""
        newest = max(noted[0], checkpoint[0] if checkpoint else 0)
        if newest > self.seq:
            return self.seq + 1, f"event {self.seq + 1} is missing"
        if noted[0] < self.seq:
            return noted[0] + 1, f"event {noted[0] + 1} was put in"
        if noted[1] != self.head:
            return self.seq, f"event {self.seq} is not the one that was committed"
        return None
