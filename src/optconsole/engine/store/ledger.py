"""From facts to everything one transaction must write, without touching a database."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from optconsole.engine.events import Recorded, SessionOpened
from optconsole.engine.model.book import TradingState
from optconsole.engine.ports import JournalBroken
from optconsole.engine.state import IllegalTransition
from optconsole.engine.store.chain import Chain, StoredEvent
from optconsole.engine.store.codec import decode, encode
from optconsole.engine.store.projections import Projection
from optconsole.engine.store.rows import Value

_ORDER: Final = "order:"
Rows = dict[str, dict[tuple[Value, ...], dict[str, Value]]]
"""Table name to key to row. Later rows replace earlier ones, as they would in the table."""


class Kept(msgspec.Struct, frozen=True):
    """All that the facts so far have left in a ledger but the chain's head. Independent of the ledger."""

    state: TradingState
    versions: dict[str, int]
    fills: dict[str, int]
    made: dict[str, tuple[int, int]]


class Draft(msgspec.Struct, frozen=True):
    """What one append writes: new rows of the journal and changed rows of the read tables."""

    events: list[StoredEvent]
    rows: Rows


@dataclass(slots=True, eq=False)
class Mark:
    """Where a ledger was before a draft: what a write that did not happen is taken back to."""

    seq: int
    head: str
    kept: Kept


class Ledger:
    """The journal's head: sequence, hash, version of each stream, and the state folded so far."""

    def __init__(self, kept: Kept | None = None, head: str = "") -> None:
        """Empty, or as it was when ``kept`` was taken at the fact with the hash ``head``; ``kept`` becomes its own."""
        self._chain = Chain(kept.state.seq, head) if kept else Chain()
        self._versions: dict[str, int] = kept.versions if kept else {}
        self._projection = Projection(kept.state, kept.fills, kept.made) if kept else Projection()
        self._marks: deque[Mark] = deque()

    def kept(self) -> Kept:
        """A copy of what is in the ledger now."""
        return Kept(self.state.copy(), dict(self._versions), *self._projection.sums())

    def mark(self) -> Mark:
        """Remember this place until ``keep`` or ``back``."""
        made = Mark(self.seq, self.head, self.kept())
        self._marks.append(made)
        return made

    def keep(self, mark: Mark) -> None:
        """What was drafted since ``mark`` is stored: it and those before it are forgotten."""
        while self._marks and self._marks[0].seq <= mark.seq:
            self._marks.popleft()

    def back(self, mark: Mark) -> None:
        """Forget everything drafted since ``mark``; one that was gone back beyond already changes nothing."""
        if mark not in self._marks:
            return
        while self._marks.pop() is not mark:
            continue
        kept = mark.kept
        self._chain = Chain(mark.seq, mark.head)
        self._versions = kept.versions
        self._projection = Projection(kept.state, kept.fills, kept.made)

    @property
    def seq(self) -> int:
        """Newest sequence number taken."""
        return self._chain.seq

    @property
    def head(self) -> str:
        """Chain hash of the newest fact."""
        return self._chain.head

    @property
    def state(self) -> TradingState:
        """The folded state itself, not a copy."""
        return self._projection.state

    def draft(self, facts: Sequence[Recorded]) -> Draft:
        """Take facts and say what to write.

        Raises JournalBroken: CONFLICT and GAP leave the ledger as it was; after UNWRITABLE and ILLEGAL_FACT part
        of the facts is in it, and only ``back`` takes them out.
        """
        for expected, fact in enumerate(facts, start=self.seq + 1):
            if fact.seq != expected:
                raise _out_of_order(fact.seq, expected)
        events: list[StoredEvent] = []
        rows: Rows = {}
        chain = self._chain
        for fact in facts:
            stream = fact.event.stream
            version = self._versions.get(stream, 0) + 1
            row = encode(fact, version, chain.head)
            self._fold(fact, stream, version)
            chain.seq, chain.head = row.seq, row.hash
            events.append(row)
            self.changed(fact, rows)
        return Draft(events, rows)

    def restore(self, stored: StoredEvent) -> Recorded:
        """Take a row back from the journal. Raises JournalBroken: CHAIN_BROKEN, UNKNOWN_EVENT and the like."""
        fault = self._chain.fault(stored)
        if fault is not None:
            raise _chain_broken(fault)
        seq, stream, version, _, at_ist, _, actor, cause, payload, _, _ = stored
        fact = decode(seq, at_ist, actor, cause, payload)
        self._fold(fact, stream, version)
        return fact

    def close_book(self, noted: tuple[int, str], checkpoint: tuple[int, str] | None) -> None:
        """Check that the rows taken end where the last commit did. Raises JournalBroken(CHAIN_BROKEN)."""
        fault = self._chain.end_fault(noted, checkpoint)
        if fault is not None:
            raise _chain_broken(fault[1])

    def changed(self, fact: Recorded, rows: Rows) -> None:
        """Put the read rows that ``fact``, the last one taken, changed into ``rows``."""
        for change in self._projection.rows(fact):
            rows.setdefault(change.table, {})[change.key] = change.row

    def _fold(self, fact: Recorded, stream: str, version: int) -> None:
        try:
            self._projection.fold(fact)
        except (IllegalTransition, KeyError) as error:
            raise JournalBroken(
                "ILLEGAL_FACT",
                f"Fact {fact.seq} ({type(fact.event).__name__}) cannot follow from those before it: {error}.",
            ) from error
        self._versions[stream] = version
        if type(fact.event) is SessionOpened:
            self._forget()

    def _forget(self) -> None:
        """Orders that left the state with the old day get no further fact: the fold refuses it."""
        orders = self.state.orders
        self._versions = {
            stream: version
            for stream, version in self._versions.items()
            if not stream.startswith(_ORDER) or stream[len(_ORDER) :] in orders
        }


def _out_of_order(seq: int, expected: int) -> JournalBroken:
    if seq < expected:
        return JournalBroken("CONFLICT", f"Fact {seq} exists already; the next one must be {expected}.")
    return JournalBroken("GAP", f"Fact {seq} leaves a gap; the next one must be {expected}.")


def _chain_broken(fault: str) -> JournalBroken:
    """The journal was changed from outside."""
    return JournalBroken(
        "CHAIN_BROKEN",
        f"The journal's hash chain is broken: {fault}. Restore the store from its last good copy.",
    )
