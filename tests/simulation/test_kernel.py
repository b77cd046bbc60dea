"""The virtual machine under the simulation: time, tapes, deadlocks, and a disk that forgets what was not synced."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

import pytest

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import JournalBroken
from tests.simulation.disk import Disk, SimJournal
from tests.simulation.kernel import (
    Deadlock,
    OrderedTaskGroup,
    SimClock,
    SimLoop,
    TapeRandom,
    recorded_tapes,
    seeded_tapes,
)


def run(work: Coroutine[Any, Any, Any], loop: SimLoop | None = None) -> Any:
    loop = loop or SimLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def test_a_day_of_sleep_passes_at_once_and_moves_the_wall_clock() -> None:
    loop = SimLoop()
    clock = SimClock(loop, datetime(2026, 11, 16, 9, 15, tzinfo=IST))

    async def sleep() -> None:
        await clock.sleep(86_400.5)

    run(sleep(), loop)
    assert clock.monotonic() == 86_400.5
    assert clock.now() == datetime(2026, 11, 17, 9, 15, 0, 500_000, tzinfo=IST)


def test_a_lost_wake_up_is_a_deadlock() -> None:
    async def forgotten() -> None:
        await asyncio.Event().wait()

    loop = SimLoop()
    task = loop.create_task(forgotten())
    with pytest.raises(Deadlock, match="no timer armed"):
        loop.run_until_complete(task)
    task.cancel()
    loop.run_until_complete(asyncio.wait([task]))
    loop.close()


def test_threads_are_refused() -> None:
    async def thread() -> None:
        await asyncio.to_thread(print)

    with pytest.raises(RuntimeError, match="threads are not allowed"):
        run(thread())


def test_on_a_quiet_tape_nothing_goes_wrong_and_a_tape_says_what_was_read() -> None:
    quiet = TapeRandom()
    assert not any(quiet.happens(0.999) for _ in range(100))
    assert quiet.pick("abc") == "a"
    assert quiet.randint(3, 9) == 3
    endless = seeded_tapes(1)["network"]
    drawn = [endless.random() for _ in range(3000)]
    again = recorded_tapes({"network": endless.used})["network"]
    assert [again.random() for _ in range(3000)] == drawn
    assert min(drawn) == 0.0


def test_tasks_of_a_group_end_in_the_order_in_which_they_began() -> None:
    ended: list[int] = []

    async def wait(number: int) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(number)

    async def begin() -> None:
        group = OrderedTaskGroup()
        for number in range(500):
            group.spawn(wait(number))
        await asyncio.sleep(1)
        await group.end()

    run(begin())
    assert ended == list(range(500))


async def _nowhere(_point: str) -> None:
    return


def journal(disk: Disk, fails: bool = False) -> SimJournal:
    return SimJournal(disk, _nowhere, lambda: 5.0, lambda: fails)


def fact(seq: int) -> Recorded:
    event = ev.EngineStarted(version="1", world="w", epoch=seq)
    return Recorded(seq=seq, at=datetime(2026, 11, 16, 10, tzinfo=IST), actor="engine", cause="", event=event)


@pytest.mark.parametrize(("tape", "kept"), [(b"", 0), (b"\x01", 1)])
def test_a_crash_keeps_what_was_synced_and_a_prefix_of_the_rest(tape: bytes, kept: int) -> None:
    disk = Disk()

    async def crash() -> None:
        book = journal(disk)
        book.load()
        await book.append([fact(1), fact(2)])
        task = asyncio.ensure_future(book.append([fact(3), fact(4)]))
        await asyncio.sleep(1)
        task.cancel()
        disk.crash(TapeRandom(tape))

    run(crash())
    assert [row.seq for row in disk.synced] == [1, 2, 3, 4][: 2 + 2 * kept]
    assert journal(disk).load().seq == 2 + 2 * kept


def test_a_failed_store_stays_failed_and_an_altered_row_is_found() -> None:
    disk = Disk()

    async def fail() -> None:
        book = journal(disk, fails=True)
        book.load()
        for _ in range(2):
            with pytest.raises(JournalBroken, match="error"):
                await book.append([fact(1)])
        disk.crash(TapeRandom(b"\x01"))

    run(fail())
    disk.synced[0] = disk.synced[0]._replace(actor="somebody else")
    with pytest.raises(JournalBroken, match="altered"):
        journal(disk).load()
