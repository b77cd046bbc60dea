"""The house's own beat: the exchange's clock, the lease, the memory of the store, the checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.engine.clock import Clock
from optconsole.engine.core import Engine
from optconsole.engine.observe.log import incident
from optconsole.engine.ports import JournalBroken
from optconsole.engine.state import digest
from optconsole.engine.store.journal import SqlJournal
from optconsole.engine.store.writing import FAILED
from optconsole.runtime.keeping import KeptMemory

HOUSEKEEPING_SECONDS: Final = 1.0
CHECKPOINT_SECONDS: Final = 30
SELF_CHECK_SECONDS: Final = 3600
LEASE_SECONDS: Final = 5
MEMORY_SECONDS: Final = 5


class Keeper:
    """Once a second: exchanges of ours look at the clock, market time is remembered, the state is checkpointed."""

    def __init__(
        self, engine: Engine, papers: Sequence[PaperBroker], journal: SqlJournal, clock: Clock, memory: KeptMemory
    ) -> None:
        self._engine, self._papers, self._journal, self._clock = engine, papers, journal, clock
        self._memory = memory
        self._tasks: list[asyncio.Task[None]] = []
        self._saved = -1

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(self._run(), name="keeper"))
        if self._journal.left_out:
            self._tasks.append(loop.create_task(self._journal.look_behind(), name="store-behind"))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
            await asyncio.wait([task])
        for paper in self._papers:
            paper.mark_time(self._clock.now())
        await self._engine.settled()
        await self._checkpoint()
        await self._memory.note(self._engine, self._journal)

    async def _run(self) -> None:
        beats = 0
        while True:
            await self._clock.sleep(HOUSEKEEPING_SECONDS)
            beats += 1
            try:
                now = self._clock.now()
                for paper in self._papers:
                    paper.on_time(now)
                    paper.mark_time(now)
                if beats % LEASE_SECONDS == 0 and self._engine.broken is None:
                    await self._renew()
                if beats % MEMORY_SECONDS == 0 or self._engine.state.killed != self._memory.killed:
                    await self._memory.note(self._engine, self._journal)
                if beats % CHECKPOINT_SECONDS == 0:
                    await self._checkpoint()
                if beats % SELF_CHECK_SECONDS == 0:
                    await self._engine.self_check()
            except Exception as error:  # the next beat must come whatever this one met
                incident("keeper", error)

    async def _renew(self) -> None:
        """Say that this engine lives; hear whether another has taken its place."""
        try:
            await self._journal.renew()
        except JournalBroken as broken:
            if broken.code != FAILED:
                self._engine.distrust(broken)

    async def _checkpoint(self) -> None:
        state = self._engine.state
        if state.seq != self._saved and self._engine.broken is None:
            await self._journal.save_checkpoint(state.seq, digest(state))
            self._saved = state.seq
