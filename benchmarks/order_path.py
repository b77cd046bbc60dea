"""From a trader's command to the first byte at the broker, over loopback, with the order durable before it leaves.

    python benchmarks/order_path.py [--quick] [--folder DIR] [--realtime] [--json]

The real engine: inbox, pre-trade rules, fold, intent and send in one durable commit, then a request on a kept TCP
connection to a receiver in another process, which notes when it came (one clock, the machine's). Three journals under
that engine take turns: ours; the `eventsourcing` library's SQLite recorder (WAL, FULL); none, which shows what
durability costs. Orders come one by one, each settled before the next, and in bursts of ten at once, where the figure
is the last one's. The engine's pacing (so many orders a second, as exchanges allow) is lifted: it is not what is
measured. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from benchmarks.latencies import percentile  # noqa: E402 -- after the path
from benchmarks.order_world import OPTIONS, WireBroker, limit_order, picture, world  # noqa: E402
from benchmarks.peers import NoJournal, PeerJournal  # noqa: E402
from benchmarks.rounds import commit, machine, raise_priority  # noqa: E402
from benchmarks.targets import Target, outcome, table  # noqa: E402
from optconsole.engine import requests  # noqa: E402
from optconsole.engine.commands import PlaceOrder  # noqa: E402
from optconsole.engine.core import Engine  # noqa: E402
from optconsole.engine.model.book import TradingState  # noqa: E402
from optconsole.engine.ports import Journal  # noqa: E402
from optconsole.engine.store.journal import open_journal  # noqa: E402

OURS, PEER, NONE = "our journal", "eventsourcing", "no journal"
BURST = 10
ANY_NUMBER = 10**6


@dataclass
class Lane:
    """One engine, its wire, and what was measured on it, in milliseconds; medians by round beside."""

    engine: Engine
    broker: WireBroker
    receiver: asyncio.subprocess.Process
    sent: int = 0
    singles: list[float] = field(default_factory=list)
    bursts: list[float] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)

    async def order(self) -> int:
        """Place one; the nanosecond at which it was asked for."""
        self.sent += 1
        terms = limit_order(OPTIONS[self.sent % len(OPTIONS)].name)
        command = PlaceOrder(id=f"c{self.sent}", actor="bench", terms=terms)
        asked = time.monotonic_ns()
        reply = await self.engine.submit(command)
        if not reply.ok:
            raise RuntimeError(f"the order was refused: {reply.text}")
        return asked

    async def round(self, count: int) -> None:
        """So many single orders, then as many in bursts."""
        mine = []
        for _ in range(count):
            self.engine.on_quotes(picture(self.engine.world.clock.now()))
            asked = await self.order()
            await self.engine.settled()
            mine.append((self.broker.arrived[-1] - asked) / 1e6)
        self.singles += mine
        self.rounds.append(median(mine))
        for _ in range(count // BURST):
            self.engine.on_quotes(picture(self.engine.world.clock.now()))
            asked = min(await asyncio.gather(*(self.order() for _ in range(BURST))))
            await self.engine.settled()
            self.bursts.append((max(self.broker.arrived[-BURST:]) - asked) / 1e6)


async def opened(journal: Journal) -> Lane:
    receiver = await asyncio.create_subprocess_exec(sys.executable, str(ROOT / "benchmarks/receiver.py"), stdout=PIPE)
    if receiver.stdout is None:
        raise RuntimeError("the receiver has no output")
    broker = WireBroker(int(await receiver.stdout.readline()))
    engine = Engine(world(journal, broker), TradingState())
    await engine.start()
    return Lane(engine, broker, receiver)


async def measure(folder: Path, rounds: int, count: int) -> dict[str, Lane]:
    journals: dict[str, Journal] = {
        OURS: await open_journal(f"sqlite:///{folder / 'ours.db'}", "practice"),
        PEER: PeerJournal(folder / "peer.db"),
        NONE: NoJournal(),
    }
    paths = {name: await opened(journal) for name, journal in journals.items()}
    for path in paths.values():
        await path.round(30)
        path.singles, path.bursts, path.rounds = [], [], []
    for turn in range(rounds):
        for name in list(paths) if turn % 2 == 0 else reversed(list(paths)):
            gc.collect()
            await paths[name].round(count)
    for name, path in paths.items():
        await path.engine.stop("measured")
        await journals[name].close()
        await path.receiver.wait()
    return paths


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="five short rounds instead of nine")
    parser.add_argument("--folder", help="where the stores lie: the disk measured; by default the temporary folder's")
    parser.add_argument("--realtime", action="store_true", help="real-time priority: for a machine that others use")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    options = parser.parse_args()
    priority = raise_priority(options.realtime)
    rounds, count = (5, 50) if options.quick else (9, 100)
    host = f"{machine('eventsourcing', 'msgspec')}, commit {commit()}, {priority}"
    with tempfile.TemporaryDirectory(prefix="order-", dir=options.folder) as folder:
        for kind in requests.Urgency:
            requests.A_SECOND[kind] = requests.A_MINUTE[kind] = ANY_NUMBER
        paths = asyncio.run(measure(Path(folder), rounds, count))
    ours, peer, bare = paths[OURS], paths[PEER], paths[NONE]
    against_peer = median(t / m for m, t in zip(ours.rounds, peer.rounds, strict=True))
    against_none = median(m / t for m, t in zip(ours.rounds, bare.rounds, strict=True))
    targets = [
        Target("intent to first byte, durable first, p50", percentile(ours.singles, 50), 5, "ms"),
        Target("intent to first byte, durable first, p99", percentile(ours.singles, 99), 30, "ms"),
        Target(f"last of {BURST} at once, p99", percentile(ours.bursts, 99), 30, "ms"),
    ]
    if options.json:
        found = [{"name": name, "singles": path.singles, "bursts": path.bursts} for name, path in paths.items()]
        print(outcome(host, found, targets))
    else:
        print(f"{host}; {rounds} rounds of {count} orders and {count // BURST} bursts\n")
        print(
            table(
                ["engine on", "p50 ms", "p99 ms", "max ms", f"last of {BURST}: p50", "p99"],
                [_cells(*it) for it in paths.items()],
            )
        )
        print(f"\np50, eventsourcing / ours: {against_peer:.2f}x; ours / no journal: {against_none:.2f}x\n")
        print("\n".join(target.line() for target in targets))
    return 0 if all(target.passed for target in targets) else 1


def _cells(name: str, path: Lane) -> list[str]:
    single = (percentile(path.singles, 50), percentile(path.singles, 99), max(path.singles))
    burst = (percentile(path.bursts, 50), percentile(path.bursts, 99))
    return [name, *(f"{value:.2f}" for value in (*single, *burst))]


if __name__ == "__main__":
    sys.exit(main())
