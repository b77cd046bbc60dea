"""Durable appends: our journal against the `eventsourcing` library's SQLite recorder, same facts, same disk, in turn.

    python benchmarks/journal.py [--quick] [--folder DIR] [--realtime] [--json]

Both run WAL with synchronous=FULL: an append returns when its sync has. Ours also checks that the fact can follow,
chains it by hash and updates the read tables in the same transaction (about six pages a commit); the peer stores rows
(three pages). "one writer" waits for each
append before the next; "200 writers" each wait for theirs, ours sharing commits, the peer in the threads of its pool
(it has no group commit: SQLite lets them in one after another). Latencies are what the caller waits, the way to the
writer's thread and back included. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from benchmarks.latencies import percentile  # noqa: E402 -- after the path
from benchmarks.peers import SETTINGS, PeerJournal  # noqa: E402
from benchmarks.rounds import commit, machine, raise_priority  # noqa: E402
from benchmarks.targets import Target, outcome, table  # noqa: E402
from optconsole.engine.events import Recorded  # noqa: E402
from optconsole.engine.store.journal import open_journal  # noqa: E402
from tests.engine.store.facts import Trader  # noqa: E402

WRITERS = 200
Append = Callable[[Sequence[Recorded]], Awaitable[None]]


@dataclass
class Row:
    """One way to append: a rate each round, and every append's milliseconds."""

    name: str
    rates: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)


async def one_writer(append: Append, facts: Iterator[Recorded], count: int, row: Row) -> None:
    batch = [next(facts) for _ in range(count)]
    began = time.perf_counter()
    for fact in batch:
        asked = time.perf_counter()
        await append([fact])
        row.waits.append((time.perf_counter() - asked) * 1000)
    row.rates.append(count / (time.perf_counter() - began))


async def many_writers(append: Append, facts: Iterator[Recorded], count: int, row: Row) -> None:
    """So many producers at once; each hands over a fact and waits for it before its next."""
    waiting = iter([next(facts) for _ in range(count)])

    async def produce() -> None:
        for fact in waiting:
            asked = time.perf_counter()
            await append([fact])
            row.waits.append((time.perf_counter() - asked) * 1000)

    began = time.perf_counter()
    await asyncio.gather(*(produce() for _ in range(WRITERS)))
    row.rates.append(count / (time.perf_counter() - began))


async def measure(folder: Path, rounds: int, count: int) -> tuple[list[Row], int]:
    """The four rows, and the size of a payload."""
    # opened as an engine that trades does: with an emergency journal at hand, and room made for the log
    ours = await open_journal(f"sqlite:///{folder / 'ours.db'}", "practice", emergency=folder)
    peer = PeerJournal(folder / "peer.db")
    appends: dict[str, tuple[Append, Iterator[Recorded]]] = {
        "ours": (ours.append, Trader(4).facts()),
        "eventsourcing": (peer.append, Trader(4).facts()),
    }
    single = {name: Row(f"{name}, one writer") for name in appends}
    group = {name: Row(f"{name}, {WRITERS} writers") for name in appends}
    for append, facts in appends.values():
        await one_writer(append, facts, 100, Row("warm-up"))
    for turn in range(rounds):
        for name in list(appends) if turn % 2 == 0 else reversed(list(appends)):
            append, facts = appends[name]
            await one_writer(append, facts, count, single[name])
        for name in list(appends) if turn % 2 == 0 else reversed(list(appends)):
            append, facts = appends[name]
            await many_writers(append, facts, count * 4, group[name])
    size = len(peer.recorder.stored(Trader(4).take(2000))[-1].state)
    await ours.close()
    await peer.close()
    return [*single.values(), *group.values()], size


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="five short rounds instead of nine")
    parser.add_argument("--folder", help="where the stores lie: the disk measured; by default the temporary folder's")
    parser.add_argument("--realtime", action="store_true", help="real-time priority: for a machine that others use")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    options = parser.parse_args()
    priority = raise_priority(options.realtime)
    rounds, count = (5, 200) if options.quick else (9, 1000)
    host = f"{machine('eventsourcing', 'SQLAlchemy', 'msgspec')}, commit {commit()}, {priority}"
    with tempfile.TemporaryDirectory(prefix="journal-", dir=options.folder) as folder:
        rows, size = asyncio.run(measure(Path(folder), rounds, count))
    one, peer_one, many, peer_many = rows
    targets = [
        Target("one writer, durable, p50", percentile(one.waits, 50), 1, "ms"),
        Target("one writer, durable, p99", percentile(one.waits, 99), 25, "ms"),
        Target(f"{WRITERS} writers: times eventsourcing", _ratio(many, peer_many), 4, "x", at_least=True),
        Target(f"{WRITERS} writers: times our one commit each", _ratio(many, one), 5, "x", at_least=True),
    ]
    if options.json:
        print(outcome(host, [asdict(row) for row in rows], targets))
    else:
        print(f"{host}; {rounds} rounds of {count} appends, facts of about {size} bytes\npeer: {SETTINGS}\n")
        head = ["durable appends", "a second", "p50 ms", "p99 ms", "max ms"]
        print(table(head, [_cells(row) for row in rows]))
        print(f"\none writer, ours / eventsourcing: {_ratio(one, peer_one):.2f}x\n")
        print("\n".join(target.line() for target in targets))
    return 0 if all(target.passed for target in targets) else 1


def _ratio(ours: Row, peer: Row) -> float:
    return median(mine / theirs for mine, theirs in zip(ours.rates, peer.rates, strict=True))


def _cells(row: Row) -> list[str]:
    waits = (percentile(row.waits, 50), percentile(row.waits, 99), max(row.waits))
    return [row.name, f"{median(row.rates):,.0f}", *(f"{wait:.2f}" for wait in waits)]


if __name__ == "__main__":
    sys.exit(main())
