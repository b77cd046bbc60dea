"""S04, S05: the disk fails at its nth call, once or for good. No append is lost, doubled or half there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import apsw
import pytest

from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.chain import Chain
from optconsole.engine.store.lease import Lease
from optconsole.engine.store.ledger import Draft, Ledger
from optconsole.engine.store.reading import chunk
from optconsole.engine.store.writer import Writer
from optconsole.engine.store.writing import FAILED
from tests.engine.store.facts import Trader
from tests.store_faults.platter import VFS, Image, OnPlatter, Platter

OFTEN = "PRAGMA wal_autocheckpoint = 12"
FACTS = Trader(11).take(16)
KINDS: dict[str, tuple[str, Callable[[], Exception]]] = {
    "sync fails (EIO)": ("sync", lambda: apsw.IOError("the disk could not sync")),
    "write fails (EIO)": ("write", lambda: apsw.IOError("the disk could not write")),
    "disk full": ("write", lambda: apsw.FullError("no room is left")),
    "truncate fails": ("truncate", lambda: apsw.IOError("the disk could not truncate")),
    "read fails": ("read", lambda: apsw.IOError("the disk could not read")),
}


class Fault:
    """Fails the nth call of a kind; with ``lasting`` every later write and sync too, until healed."""

    def __init__(self, kind: str, nth: int, lasting: bool, error: Callable[[], Exception]) -> None:
        self._kind, self._nth, self._lasting, self._error = kind, nth, lasting, error
        self.seen = 0
        self.struck = self.healed = False

    def __call__(self, kind: str) -> None:
        if self.healed:
            return
        if self.struck and self._lasting and kind != "read":
            raise self._error()
        if kind != self._kind or self.struck:
            return
        self.seen += 1
        if self.seen == self._nth:
            self.struck = True
            raise self._error()


async def opened(base: Image) -> Writer:
    VFS.platter = Platter(base)
    writer = Writer(lambda: OnPlatter(OFTEN), Lease(None), time.monotonic)
    await writer.open()
    return writer


def drafts() -> Iterator[Draft]:
    ledger = Ledger()
    for fact in FACTS:
        yield ledger.draft([fact])


async def appended(writer: Writer, healing: Fault) -> tuple[int, int]:
    """Append all facts; what is refused waits and is brought in by a revival. Returns refusals and facts promised."""
    waiting: list[Draft] = []
    refused = promised = 0
    for draft in drafts():
        if waiting:
            waiting.append(draft)
            continue
        try:
            await writer.append(draft)
            promised = draft.events[-1].seq
        except JournalBroken as broken:
            if broken.code != FAILED:
                raise
            refused += 1
            waiting.append(draft)
    if waiting:
        healing.healed = True
        await writer.revive(waiting)
    return refused, promised


def whole(base: Image) -> int:
    """Facts on the platter, checked from the first to the last."""
    VFS.platter = Platter(base)
    database = OnPlatter()
    chain = Chain()
    rows = chunk(database, 0, 1000)
    assert [chain.fault(row) for row in rows] == [None] * len(rows)
    assert tuple(database.fetch(database.sql.noted_head)[0]) == (chain.seq, chain.head)
    database.close()
    return len(rows)


@pytest.mark.parametrize("name", KINDS)
async def test_one_failure_at_any_call_is_survived_without_a_refusal(empty_store: Image, name: str) -> None:
    kind, error = KINDS[name]
    nth, struck = 1, 0
    while True:
        writer = await opened(empty_store)
        fault = VFS.platter.fails = Fault(kind, nth, lasting=False, error=error)
        refused, _ = await appended(writer, fault)
        fault.healed = True
        image = VFS.platter.image()
        await writer.close()
        assert refused == 0, f"{name} at call {nth}"
        assert whole(image) == len(FACTS), f"{name} at call {nth}"
        if not fault.struck:
            break
        # a full disk takes the same ways as one that cannot write: every fifth call of it
        struck, nth = struck + 1, nth + (5 if name == "disk full" else 1)
    # a connection that holds its pages has nothing to read or to cut off until the log is brought in
    assert struck > 15 or kind in ("read", "truncate")


@pytest.mark.parametrize("name", ["sync fails (EIO)", "write fails (EIO)", "disk full"])
async def test_a_failure_that_lasts_refuses_and_what_waited_is_brought_in_once(empty_store: Image, name: str) -> None:
    kind, error = KINDS[name]
    nth = 1
    while True:
        writer = await opened(empty_store)
        fault = VFS.platter.fails = Fault(kind, nth, lasting=True, error=error)
        refused, promised = await appended(writer, fault)
        fault.healed = True
        image = VFS.platter.image()
        await writer.close()
        if not fault.struck:
            break
        assert promised + refused >= 1
        assert whole(image) == len(FACTS), f"{name} from call {nth}"
        nth += 7
    assert nth > 15


async def test_what_is_promised_while_the_disk_fails_is_there_after_a_power_cut_too(empty_store: Image) -> None:
    """A sync that failed may have marked pages clean that never reached the disk: they are written anew."""
    for nth in range(1, 40, 4):
        writer = await opened(empty_store)
        platter = VFS.platter
        fault = platter.fails = Fault("sync", nth, lasting=False, error=KINDS["sync fails (EIO)"][1])
        _, promised = await appended(writer, fault)
        synced = platter.synced(empty_store)
        await writer.close()
        assert whole(synced) >= promised
