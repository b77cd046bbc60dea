"""A hundred strategies of four legs due in the same second on the practice market, in the whole engine.

    python benchmarks/strategies.py [--quick] [--strategies N] [--folder DIR] [--realtime] [--json]

The market runs in real time with its whole list of contracts. Measured by the journal: how late each run began by its
own word, how long after 09:20:00 the last of them was decided with its contracts chosen and stored, and then how fast
their orders left, hedges first, within the budget that exchanges leave us (six entries a second). Figures of whole
processes on a busy machine mean little; `--realtime` helps where the system permits it. There is no peer: no other
program decides by these rules. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from benchmarks.rounds import commit, machine, raise_priority  # noqa: E402 -- after the path
from benchmarks.targets import Target, outcome, table  # noqa: E402
from optconsole.engine import commands as cmd  # noqa: E402
from optconsole.engine import events as ev  # noqa: E402
from optconsole.engine.model.baskets import BasketStatus  # noqa: E402
from optconsole.engine.model.orders import Side  # noqa: E402
from optconsole.engine.model.runs import RunStatus  # noqa: E402
from optconsole.engine.requests import A_SECOND, Urgency  # noqa: E402
from optconsole.options import RunOptions  # noqa: E402
from optconsole.runtime.house import open_house  # noqa: E402
from tests.runtime.many import hundred  # noqa: E402

PATIENCE = 20.0
"""Seconds beyond the forecast after which entries that have not left are counted as they are."""


@dataclass
class Measured:
    """``lags`` in milliseconds by the runs' own word; the rest in seconds after the entry's time."""

    lags: list[int]
    decided: float
    hedged: float
    ordered: float
    orders: int
    refused: int
    cpu: float


async def measure(folder: Path, count: int, watched: int) -> Measured:
    """One market second with ``count`` entries, until ``watched`` of their orders have left."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text("[paper]\ncapital = 1000000000\n", encoding="utf-8")
    house = await open_house(RunOptions(home=home, seed=7, start_at="09:19:55", hold=True))
    engine = house.engine
    await engine.submit(cmd.SaveBasket(id="save", actor="bench", basket=hundred(count)))
    active = cmd.SetBasketStatus(id="start", actor="bench", name="hundred", status=BasketStatus.ACTIVE)
    await engine.submit(active)
    house.feed.resume(1.0)
    began, cpu = time.monotonic(), time.process_time()
    forecast = watched / A_SECOND[Urgency.ENTRY] + 5
    while time.monotonic() - began < forecast + PATIENCE:
        await asyncio.sleep(0.1)
        if sum(bool(order.broker_id) for order in engine.state.orders.values()) >= watched:
            break
    cpu = time.process_time() - cpu
    facts = [
        fact for start in range(0, engine.state.seq, 1_000) for fact in await engine.world.journal.read(start, 1_000)
    ]
    found = _read(facts, cpu)
    # what still waits for its turn, and what was entered, is no part of this
    await engine.submit(cmd.EngageKill(id="end", actor="bench", why="measured"))
    await house.stop("measured")
    return found


def _read(facts: list[ev.Recorded], cpu: float) -> Measured:
    due = next(fact.event.run.entry_at for fact in facts if isinstance(fact.event, ev.RunPlanned))
    begun = [
        fact
        for fact in facts
        if isinstance(fact.event, ev.RunMoved)
        and fact.event.lag_ms is not None
        and fact.event.status is RunStatus.ENTERING
    ]
    intended = [fact for fact in facts if isinstance(fact.event, ev.OrderIntended)]
    sales = [fact for fact in intended if fact.event.terms.side is Side.SELL]

    def after(fact: ev.Recorded | None) -> float:
        return float("nan") if fact is None else (fact.at - due).total_seconds()

    # facts bear the time at which they were folded; the first order is decided only after they were stored
    stored = intended[0] if intended else None
    return Measured(
        lags=[fact.event.lag_ms for fact in begun],
        decided=after(stored),
        hedged=after(sales[0] if sales else None),
        ordered=after(intended[-1] if intended else None),
        orders=len(intended),
        refused=sum(isinstance(fact.event, ev.OrderDenied) for fact in facts),
        cpu=cpu,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="watch the first 60 orders instead of all")
    parser.add_argument("--strategies", type=int, default=100, metavar="N")
    parser.add_argument("--folder", help="where the store lies; by default the temporary folder's disk")
    parser.add_argument("--realtime", action="store_true", help="real-time priority: for a machine that others use")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    options = parser.parse_args()
    host = f"{machine('msgspec')}, commit {commit()}, {raise_priority(options.realtime)}"
    watched = 60 if options.quick else 4 * options.strategies
    with tempfile.TemporaryDirectory(prefix="strategies-", dir=options.folder) as folder:
        found = asyncio.run(measure(Path(folder), options.strategies, watched))
    pace = found.orders / found.ordered if found.ordered else 0.0
    targets = [
        Target("strategies not begun", options.strategies - len(found.lags), 0),
        Target("worst lag by the run's own word", max(found.lags, default=0), 1_000, "ms"),
        Target("all decided, resolved and stored after", found.decided, 1, "s"),
        Target("orders refused for the budget or anything else", found.refused, 0),
        Target("orders a second", pace, A_SECOND[Urgency.ENTRY] + 0.5, ""),
    ]
    if options.json:
        print(outcome(host, [found.__dict__], targets))
    else:
        lags = sorted(found.lags) or [0]
        rows = [
            ("lag, median and worst", f"{lags[len(lags) // 2]} / {lags[-1]} ms"),
            ("all chosen and stored", f"{found.decided * 1000:.0f} ms"),
            ("first sale, its hedges filled", f"{found.hedged:.1f} s"),
            ("orders", f"{found.orders} in {found.ordered:.1f} s"),
            ("processor", f"{found.cpu:.1f} s"),
        ]
        print(f"{host}; {options.strategies} strategies of 4 legs\n")
        print(table(["after 09:20:00", ""], rows))
        print()
        print("\n".join(target.line() for target in targets))
    return 0 if all(target.passed for target in targets) else 1


if __name__ == "__main__":
    sys.exit(main())
