"""One life of the real engine in a process of its own: real files, real sockets, and points at which it can die."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from pathlib import Path
from typing import Any, Final

import msgspec

from optconsole.engine.core import Engine
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.observe.log import open_log
from optconsole.engine.ports import JournalBroken
from optconsole.engine.state import digest
from optconsole.engine.store.journal import SqlJournal, open_journal
from optconsole.engine.store.lock import HomeLock
from optconsole.engine.world import World
from optconsole.link.address import socket_path
from optconsole.link.server import LinkServer
from optconsole.runtime.rates import exercise_charges, order_charges
from tests.crash.market import ACCOUNT, HostClock
from tests.crash.points import PointedEngine, PointedJournal, Points
from tests.crash.remote_broker import RemoteBroker

WORLD: Final = "crash"
JOURNAL: Final = "journal.db"
CHECKPOINT_EVERY: Final = 4


class LifeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a life is told. ``at`` is the number of the point at which it gets ``signal``; 0 never comes."""

    home: str
    port: int
    clock: str
    points: str
    life: int = 1
    at: int = 0
    signal: int = signal.SIGKILL
    proof: bool = True
    mutant: str = ""


def say(**words: object) -> None:
    """One line, one system call: a kill leaves it out or whole."""
    os.write(1, json.dumps({"pid": os.getpid(), **words}).encode() + b"\n")


def run(spec: dict[str, Any], began: float | None = None) -> None:
    """Live until killed or asked to stop.

    Says ``ready`` with the number of events and the seconds since the monotonic second ``began``, now unless given;
    or ``refused`` with the reason.
    """
    began = time.monotonic() if began is None else began
    told = msgspec.convert(spec, LifeSpec)
    try:
        with _made_wrong(told.mutant):
            asyncio.run(_live(told, began))
    except (Refusal, JournalBroken) as refused:
        say(refused=refused.code, text=str(refused))
        raise SystemExit(1) from None


def _made_wrong(mutant: str) -> AbstractContextManager[object]:
    """The engine with a defect, for those who doubt the judge."""
    if not mutant:
        return nullcontext()
    # the simulation is loaded only by lives that are told to be wrong
    from tests.simulation.mutants import MUTANTS

    return MUTANTS[mutant].mutation()


async def _live(spec: LifeSpec, began: float) -> None:
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    points = Points(Path(spec.points), spec.at, spec.signal)
    points.watch_statements()
    async with AsyncExitStack() as stack:
        engine = await _opened(spec, points, stack)
        say(ready={"seconds": time.monotonic() - began, "events": engine.state.seq})
        await ending.wait()


async def _opened(spec: LifeSpec, points: Points, stack: AsyncExitStack) -> Engine:
    """Compose the engine as the house does; leaving the stack stops it in the house's order."""
    home = Path(spec.home)
    stack.enter_context(HomeLock(home))
    open_log(home / "optconsole.log")
    clock = HostClock(Path(spec.clock), follows_steps=True)
    journal = await open_journal(f"sqlite:///{home / JOURNAL}", WORLD, clock, emergency=home)
    stack.push_async_callback(journal.close)
    start = await journal.load()
    if not start.agrees:
        raise RuntimeError("replaying the journal does not give the state that was live")
    state = start.state
    broker = RemoteBroker(spec.port, spec.life, spec.proof, points)
    pointed: Any = PointedJournal(journal, points)
    world = World(
        name=WORLD,
        version="crash",
        install_id=journal.install_id,
        clock=clock,
        journal=pointed,
        feed=broker.feed,
        brokers={ACCOUNT.id: broker},
        calendar=Calendar.load(),
        limits=OrderLimits(),
        charge_for=order_charges,
        exercise_charge=exercise_charges,
        disk_free=lambda: None,
    )
    engine = Engine(world, state)
    stack.push_async_callback(engine.stop, "asked to stop")
    await engine.start()
    keep = _checkpoints(engine, journal)
    stack.push_async_callback(keep)
    broker.on_barrier = _barrier(engine, keep)
    server = LinkServer(PointedEngine(engine, points), socket_path(home))
    await server.start()
    stack.push_async_callback(server.close)
    await broker.feed.start(engine.on_quotes)
    stack.push_async_callback(broker.feed.stop)
    await engine.proceed()
    return engine


def _checkpoints(engine: Engine, journal: SqlJournal) -> Callable[[], Awaitable[None]]:
    """What the live state was, for the next start to compare its replay with."""

    async def keep() -> None:
        await engine.settled()
        if engine.broken is None:
            await journal.save_checkpoint(engine.state.seq, digest(engine.state))

    return keep


def _barrier(engine: Engine, keep: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    passed = 0

    async def barrier() -> None:
        nonlocal passed
        await engine.settled()
        passed += 1
        if passed % CHECKPOINT_EVERY == 0:
            await keep()

    return barrier


def process_began() -> float:
    """The monotonic second at which this process was started, interpreter and imports included."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - age


if __name__ == "__main__":
    run(json.loads(sys.argv[1]), process_began())
