"""A restart: how fast the journal is folded, and how long until the engine is ready again.

    python benchmarks/recovery.py [--quick] [--events N] [--folder DIR] [--realtime] [--json]

The journal holds days of finished orders, N facts in all (100,000), and ends with 1,000 orders that rest at a broker
whose book lists them. "Folded" is `Journal.load`: read, hash chain, decode, fold; the peer is the `eventsourcing`
library's recorder read back and folded by the same code to the same state, without a chain. A restart is a process:
interpreter, imports, store checked and folded, then the engine's start, which compares every order of the book; once
over the whole journal, once from a snapshot. Ready means reconciled; "guards" is the moment the state is back. A rate
by CPU time stands beside the clock's, for machines that others use. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import msgspec  # noqa: E402 -- after the path

from benchmarks.latencies import percentile  # noqa: E402
from benchmarks.order_world import ACCOUNT, LOT, OPENED, OPTIONS, PRICE, QuietBroker, broker_row, limit_order, world  # noqa: E402
from benchmarks.peers import Recorder  # noqa: E402
from benchmarks.rounds import commit, machine, raise_priority  # noqa: E402
from benchmarks.targets import Target, outcome, table  # noqa: E402
from optconsole.engine import events as ev  # noqa: E402
from optconsole.engine.core import Engine  # noqa: E402
from optconsole.engine.events import AnyEvent, Recorded  # noqa: E402
from optconsole.engine.model.book import TradingState  # noqa: E402
from optconsole.engine.model.orders import OrderStatus, RiskClass, Side  # noqa: E402
from optconsole.engine.ports import Broker  # noqa: E402
from optconsole.engine.state import apply, digest  # noqa: E402
from optconsole.engine.store.journal import open_journal  # noqa: E402

WORKING = 1_000
A_DAY = 500
"""Orders of each finished day."""
AT_ONCE = 500
WHOLE, KEPT = "whole journal", "from the snapshot"


class Told(msgspec.Struct):
    """What a restarted process says: seconds since it was started."""

    guards: float
    ready: float
    resumed_at: int
    orders: int


def history(total: int) -> Iterator[Recorded]:
    """Finished days, as many as it takes, then today's resting orders."""
    events = _days(total - 3 * WORKING - 1)
    for seq, event in enumerate(events, start=1):
        at = OPENED - timedelta(days=300) + timedelta(milliseconds=20 * seq)
        yield Recorded(seq=seq, at=at, actor="bench", cause=f"c{seq}", event=event)


def _days(before_today: int) -> Iterator[AnyEvent]:
    yield ev.EngineStarted(version="0", world="practice", epoch=1)
    yield ev.AccountOpened(account=ACCOUNT)
    told, order = 2, 0
    while told < before_today:
        if order % A_DAY == 0:
            yield ev.SessionOpened(day=(OPENED - timedelta(days=1)).date())
            told += 1
        order += 1
        yield from _finished(order)
        told += 4
    yield ev.SessionOpened(day=OPENED.date())
    for number in range(order + 1, order + 1 + WORKING):
        yield from _working(number)


def _working(number: int) -> Iterator[AnyEvent]:
    name, terms = f"O{number}", limit_order(OPTIONS[number % len(OPTIONS)].name, _side(number))
    yield ev.OrderIntended(order_id=name, terms=terms, tag=f"T{number:014d}", risk=RiskClass.INCREASE, lot=LOT)
    yield ev.OrderSent(order_id=name, attempt=0)
    yield ev.OrderAcknowledged(order_id=name, broker_id=f"B{number}")


def _finished(number: int) -> Iterator[AnyEvent]:
    """Bought by one order and sold by the next, so that no position is left."""
    yield from _working(number)
    yield ev.OrderFilled(
        order_id=f"O{number}",
        trade_id=str(number),
        account=ACCOUNT.id,
        contract=OPTIONS[number % len(OPTIONS)].name,
        product=limit_order("").product,
        side=_side(number),
        qty=LOT,
        price=PRICE,
        charges=20_00,
        traded_at=OPENED - timedelta(days=1),
    )


def _side(number: int) -> Side:
    """Each contract comes round every ``len(OPTIONS)`` orders, bought one time and sold the next."""
    return Side.BUY if number // len(OPTIONS) % 2 == 0 else Side.SELL


async def build(folder: Path, total: int) -> None:
    """The journal, with a checkpoint and, in a copy, its snapshot; and the peer's store of the same facts."""
    journal, peer = await open_journal(url(folder, WHOLE), "practice"), Recorder(folder / "peer.db")
    batch: list[Recorded] = []
    for fact in history(total):
        batch.append(fact)
        if len(batch) == AT_ONCE:
            await journal.append(batch)
            peer.insert(peer.stored(batch))
            batch = []
    await journal.append(batch)
    peer.insert(peer.stored(batch))
    await journal.close()
    peer.close()
    (folder / f"{KEPT}.db").write_bytes((folder / f"{WHOLE}.db").read_bytes())
    journal = await open_journal(url(folder, KEPT), "practice")
    state = (await journal.load()).state
    await journal.save_checkpoint(state.seq, digest(state))
    await journal.close()


def url(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}.db"


async def fold(folder: Path) -> tuple[int, float, float, str]:
    """Our fold: facts, seconds by the clock and by the processor, and the digest it gives."""
    journal = await open_journal(url(folder, WHOLE), "practice")
    clock, processor = time.perf_counter(), time.process_time()
    start = await journal.load()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    await journal.close()
    return start.state.seq, clock, processor, digest(start.state)


def fold_peer(folder: Path) -> tuple[int, float, float, str]:
    peer, state = Recorder(folder / "peer.db"), TradingState()
    clock, processor = time.perf_counter(), time.process_time()
    for fact in peer.facts():
        apply(state, fact)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    peer.close()
    return state.seq, clock, processor, digest(state)


async def restart(store: str, began: float) -> None:
    """What the restarted process does; prints a `Told`."""
    journal = await open_journal(store, "practice")
    start = await journal.load()
    guards = time.time() - began
    resting = [order for order in start.state.orders.values() if order.status is OrderStatus.OPEN]
    broker: Broker = QuietBroker([broker_row(o.tag, o.broker_id or "", o.terms) for o in resting])
    engine = Engine(world(journal, broker, install_id=journal.install_id), start.state)
    await engine.start()
    told = Told(guards, time.time() - began, start.resumed_at, len(resting))
    print(msgspec.json.encode(told).decode(), flush=True)
    await engine.stop("measured")
    await journal.close()


def restarted(folder: Path, name: str) -> Told:
    argv = [sys.executable, __file__, "--restart", url(folder, name), str(time.time())]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    told = msgspec.json.decode(said, type=Told)
    if told.orders != WORKING or bool(told.resumed_at) is not (name == KEPT):
        raise RuntimeError(f"this restart measured something else: {told}")
    return told


def main() -> int:
    if sys.argv[1:2] == ["--restart"]:
        asyncio.run(restart(sys.argv[2], float(sys.argv[3])))
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="five restarts instead of twenty")
    parser.add_argument("--events", type=int, default=100_000, help="facts in the journal")
    parser.add_argument("--folder", help="where the stores lie: the disk measured; by default the temporary folder's")
    parser.add_argument("--realtime", action="store_true", help="real-time priority: for a machine that others use")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    options = parser.parse_args()
    rounds = 5 if options.quick else 20
    with tempfile.TemporaryDirectory(prefix="recovery-", dir=options.folder) as name:
        folder = Path(name)
        asyncio.run(build(folder, options.events))
        host = f"{machine('eventsourcing', 'msgspec')}, commit {commit()}, {raise_priority(options.realtime)}"
        ours, peer, starts = measure(folder, rounds)
    ratio = median(theirs[1] / mine[1] for mine, theirs in zip(ours, peer, strict=True))
    guards = {name: [told.guards for told in rows] for name, rows in starts.items()}
    ready = {name: [told.ready for told in rows] for name, rows in starts.items()}
    targets = [
        Target("folded, whole journal, events a second", median(n / s for n, s, _, _ in ours), 100_000, "", True),
        Target("restart, whole journal: guards, p99", percentile(guards[WHOLE], 99), 3, "s"),
        Target("restart, whole journal: reconciled, p99", percentile(ready[WHOLE], 99), 10, "s"),
        Target("restart, from the snapshot: guards, p99", percentile(guards[KEPT], 99), 3, "s"),
        Target("restart, from the snapshot: reconciled, p99", percentile(ready[KEPT], 99), 10, "s"),
    ]
    if options.json:
        found = [{"name": name, "guards": guards[name], "ready": ready[name]} for name in starts]
        print(outcome(host, [*found, {"name": "folds", "ours": ours, "peer": peer}], targets))
    else:
        print(f"{host}; {ours[0][0]:,} facts, {WORKING:,} orders in the broker's book, {rounds} rounds\n")
        print(
            table(["folded", "facts/s", "best", "by CPU time"], [_folds("ours", ours), _folds("eventsourcing", peer)])
        )
        print(f"\nours / eventsourcing (no chain, no sums by account): {ratio:.2f}x\n")
        head = ["restart", "guards p50 s", "p99", "reconciled p50 s", "p99", "max"]
        print(table(head, [_starts(name, guards[name], ready[name]) for name in starts]))
        print("\n" + "\n".join(target.line() for target in targets))
    return 0 if all(target.passed for target in targets) else 1


Fold = tuple[int, float, float, str]


def measure(folder: Path, rounds: int) -> tuple[list[Fold], list[Fold], dict[str, list[Told]]]:
    """Folds first, for a restart adds its own facts to the journal."""
    ours, peer = [], []
    for _ in range(min(rounds, 9)):
        ours.append(asyncio.run(fold(folder)))
        peer.append(fold_peer(folder))
    if len({row[3] for row in (*ours, *peer)}) != 1:
        raise RuntimeError("the folds do not agree on the state")
    starts: dict[str, list[Told]] = {WHOLE: [], KEPT: []}
    for _ in range(rounds):
        for name, rows in starts.items():
            rows.append(restarted(folder, name))
    return ours, peer, starts


def _folds(name: str, rows: list[Fold]) -> list[str]:
    clock, processor = [n / s for n, s, _, _ in rows], [n / c for n, _, c, _ in rows]
    return [name, f"{median(clock):,.0f}", f"{max(clock):,.0f}", f"{median(processor):,.0f}"]


def _starts(name: str, guards: list[float], ready: list[float]) -> list[str]:
    figures = (percentile(guards, 50), percentile(guards, 99), percentile(ready, 50), percentile(ready, 99), max(ready))
    return [name, *(f"{figure:.2f}" for figure in figures)]


if __name__ == "__main__":
    sys.exit(main())
