"""Appends: drafts in their order, to the store, or beside it while the store takes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from optconsole.engine.clock import Clock
from optconsole.engine.events import Recorded
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store import reading, snapshots
from optconsole.engine.store.degraded import adds_risk, emergency_differs, share, store_down, store_lost
from optconsole.engine.store.emergency import EmergencyLog
from optconsole.engine.store.lease import Lease
from optconsole.engine.store.ledger import Draft, Ledger, Mark, Rows
from optconsole.engine.store.loading import Load, Start
from optconsole.engine.store.trust import CHANGED
from optconsole.engine.store.writer import Writer
from optconsole.engine.store.writing import FAILED

FIRST_REST, LONGEST_REST = 1.0, 30.0
"""Seconds between two attempts to write to a store that takes nothing; doubled up to the longest."""
EXITS_GO_ON: Final = (FAILED, CHANGED)
"""Failures in which the emergency journal takes what reduces risk; in any other another engine may be doing that."""
Progress = Callable[[int, int], None]
"""Called with events done and events in all."""


class Appends:
    """The journal's end: the ledger that facts are drafted on, and where the drafts go.

    While the store takes nothing, facts that add no risk go to the emergency journal, chained as they would be in the
    store; ``revive`` is tried with growing rests, and puts them there.
    """

    def __init__(self, writer: Writer, lease: Lease, emergency: EmergencyLog | None, clock: Clock) -> None:
        self._writer = writer
        self._lease = lease
        self._emergency = emergency
        self._clock = clock
        self._ledger: Ledger | None = None
        self._order = asyncio.Lock()
        self._kept_at = 0
        self._aside: list[tuple[Draft, tuple[Recorded, ...]]] = []
        self._reviving: asyncio.Task[None] | None = None
        self.down: JournalBroken | None = None
        """Why the store takes no writes; None while it does."""

    @property
    def aside(self) -> list[Recorded]:
        """Facts that are in the emergency journal only."""
        return [fact for _, facts in self._aside for fact in facts]

    async def append(self, facts: Sequence[Recorded]) -> None:
        """As the protocol says. CONFLICT, GAP, UNWRITABLE and ILLEGAL_FACT write nothing and spoil nothing.

        While the store takes nothing: STORE_DOWN refuses what adds risk, STORE_LOST what the emergency journal
        cannot take either. FENCED and STORE_CHANGED are final.
        """
        if not facts:
            return
        async with self._order:
            if self.down is not None:
                return await self._append_aside(facts, self.down)
            ledger = self._ledger or (await self._fold(None)).ledger
            mark = ledger.mark()
            try:
                draft = ledger.draft(facts)
            except JournalBroken:
                ledger.back(mark)
                raise
        # no other task runs between leaving the lock and the hand-over: drafts reach the writer in their order
        try:
            await self._writer.append(draft)
        except JournalBroken as broken:
            await self._failed(ledger, mark, facts, broken)
        else:
            ledger.keep(mark)

    async def _failed(self, ledger: Ledger, mark: Mark, facts: Sequence[Recorded], broken: JournalBroken) -> None:
        """What an append does that the store provably did not take."""
        async with self._order:
            ledger.back(mark)
            if broken.code not in EXITS_GO_ON or self._emergency is None:
                raise broken
            self.down = self.down or broken
            if self._reviving is None and self.down.code == FAILED:
                self._reviving = asyncio.get_running_loop().create_task(self._keep_trying(), name="store-revival")
            await self._append_aside(facts, self.down)

    async def _append_aside(self, facts: Sequence[Recorded], down: JournalBroken) -> None:
        ledger, emergency = self._ledger, self._emergency
        if ledger is None or emergency is None or down.code not in EXITS_GO_ON:
            raise JournalBroken(down.code, down.text)
        if adds_risk(ledger.state, facts):
            raise store_down(down)
        self._lease.look()
        mark = ledger.mark()
        try:
            draft = ledger.draft(facts)
            await asyncio.to_thread(emergency.append, draft.events, share(facts))
        except JournalBroken:
            ledger.back(mark)
            raise
        except OSError as error:
            ledger.back(mark)
            raise store_lost(down, error) from error
        ledger.keep(mark)
        self._aside.append((draft, tuple(facts)))

    async def _keep_trying(self) -> None:
        rest = FIRST_REST
        while True:
            await self._clock.sleep(rest)
            rest = min(rest * 2, LONGEST_REST)
            if await self.revive():
                return

    async def revive(self) -> bool:
        """Try to trust the store again and bring it what the emergency journal holds. True when nothing is left to try.

        A store that another engine took, or that is not as it was left, stays closed to this one for good.
        """
        if self.down is not None:
            try:
                # without the lock: exits go on while a server is waited for
                await self._writer.probe()
            except JournalBroken as broken:
                self.down = broken
                return broken.code != FAILED
        async with self._order:
            if self.down is None or self._emergency is None:
                return True
            try:
                await self._writer.revive([draft for draft, _ in self._aside])
                await asyncio.to_thread(self._emergency.reset)
            except JournalBroken as broken:
                self.down = broken
                return broken.code != FAILED
            except OSError:
                return False  # what is in the store already is known again by its hashes
            self._aside.clear()
            self.down = self._reviving = None
            return True

    async def load(self, progress: Progress | None = None) -> Start:
        """Fold the journal, checking chain and head on the way; needed before the first append.

        It begins at the snapshot if that can be believed; the facts before it are then left to ``verify``. What an
        earlier run left in the emergency journal is brought into the store. The state returned is the caller's own.
        Raises JournalBroken: CHAIN_BROKEN, UNKNOWN_EVENT, UNREADABLE_EVENT, ILLEGAL_FACT,
        EMERGENCY_DIFFERS.
        """
        async with self._order:
            load = await self._fold(progress)
            if self._emergency is not None and self._emergency.records:
                load = await self._take_in(load, self._emergency)
            return Start(
                state=load.ledger.state.copy(),
                checkpoint=load.checkpoint,
                replayed=load.replayed,
                resumed_at=load.resumed_at,
            )

    async def _take_in(self, load: Load, emergency: EmergencyLog) -> Load:
        """Append the records of the emergency journal that the store does not hold yet, then empty it.

        They go on from the last fact that was promised. What the store holds beyond it in their place is a write that
        was reported as failed: it is taken out.
        """
        first = emergency.records[0][0]
        if load.ledger.seq >= first.seq and await self._hash_at(first.seq) != first.hash:
            base = first.seq - 1
            if (await self._hash_at(base) or "") != first.prev_hash:
                raise emergency_differs(first.seq)
            await self._writer.drop_tail(base, first.prev_hash)
            load = await self._fold(None)
        ledger = load.ledger
        for record in emergency.records:
            rows = [row for row in record if row.seq > ledger.seq]
            for row in record[: len(record) - len(rows)]:
                if await self._hash_at(row.seq) != row.hash:
                    raise emergency_differs(row.seq)
            if not rows:
                continue
            changed: Rows = {}
            try:
                for row in rows:
                    ledger.changed(ledger.restore(row), changed)
            except JournalBroken as broken:
                raise emergency_differs(rows[0].seq) from broken
            await self._writer.append(Draft(rows, changed))
        await asyncio.to_thread(emergency.reset)
        return load

    async def _fold(self, progress: Progress | None) -> Load:
        self._ledger = None
        total, _ = await self._writer.call(reading.head)
        load = await self._writer.call(Load)
        self._kept_at = load.resumed_at
        more = True
        while more:
            more = await self._writer.call(load.step)
            if progress is not None:
                progress(load.ledger.seq, total)
        self._ledger = load.ledger
        return load

    def snapshot(self, seq: int, digest: str) -> snapshots.Snapshot | None:
        """The fold at the checkpoint, when it is time for one and no fact beyond the checkpoint is on its way."""
        ledger = self._ledger
        if ledger is None or ledger.seq != seq or seq - self._kept_at < snapshots.SNAPSHOT_EVERY:
            return None
        self._kept_at = seq
        return snapshots.Snapshot(seq, ledger.head, digest, ledger.kept())

    async def close(self) -> None:
        """Stop trying to revive the store."""
        if self._reviving is not None:
            self._reviving.cancel()
            await asyncio.wait([self._reviving])

    async def _hash_at(self, seq: int) -> str | None:
        return await self._writer.call(lambda database: reading.hash_at(database, seq))
