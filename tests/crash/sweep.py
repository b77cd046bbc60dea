"""The sweep: one day that counts its points, then one day for each point, which is killed there and must come right."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.crash.checker import Checker
from tests.crash.day import live_through
from tests.crash.engine_process import JOURNAL
from tests.crash.nursery import Nursery
from tests.crash.trader import Plan, Trader

EXPECTED: Final = frozenset(
    {
        "OrderIntended",
        "OrderSent",
        "OrderAcknowledged",
        "OrderTriggered",
        "OrderFilled",
        "OrderChangeAsked",
        "OrderChanged",
        "OrderCancelAsked",
        "OrderCancelled",
        "OrderRejected",
        "OrderDenied",
        "OrderDoubted",
        "FlattenBegun",
        "FlattenEnded",
        "KillEngaged",
        "KillReleased",
        "EngineStopped",
    }
)
"""Facts that the unhurt day must leave, or the script does not do what it says."""
RECOVERY_POINTS: Final = 60
"""About as many as a start passes before it is ready, and some after."""


@dataclass
class Outcome:
    """What came of one day. ``point`` is the name of the one it died at, empty for an unhurt day."""

    plan: Plan
    points: int = 0
    point: str = ""
    struck: bool = False
    starts: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    doubts: int = 0
    types: frozenset[str] = frozenset()
    breaches: list[str] = field(default_factory=list)


async def one_day(cradle: Nursery, plan: Plan) -> Outcome:
    """Live one day by a plan and judge it."""
    with tempfile.TemporaryDirectory(prefix="crash-") as name:
        trader = Trader(cradle, Path(name), plan)
        outcome = Outcome(plan)
        try:
            await live_through(trader)
            shown, truth = await trader.state(), await trader.exchange.tell()
            await trader.stop()
            strikes = (plan.at > 0) + (plan.again > 0)
            checker = Checker(truth, trader.home / JOURNAL, trader.heard, shown, strikes)
            outcome.breaches = checker.judge()
            outcome.doubts, outcome.types = len(checker.doubt), checker.types
        except Exception as error:
            log = trader.home / "optconsole.log"
            tail = log.read_text().splitlines()[-3:] if log.exists() else []
            outcome.breaches.append(f"G5: the day did not end: {type(error).__name__} {error} {tail}")
        finally:
            await trader.close()
        passed = trader.points.read_text().splitlines() if trader.points.exists() else []
        outcome.points = len(passed)
        outcome.struck = len(passed) >= plan.at
        outcome.point = passed[plan.at - 1] if 0 < plan.at <= len(passed) else ""
        outcome.starts = [start["seconds"] for start in trader.heard.starts]
        outcome.ends = trader.heard.ends
        return outcome


@dataclass
class Report:
    """A sweep: what was counted, killed and found."""

    points: int = 0
    runs: int = 0
    struck: int = 0
    restarts: int = 0
    doubts: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    starts: list[float] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one day."""
        self.runs += 1
        self.struck += outcome.struck
        self.restarts += len(outcome.ends) - 1
        self.doubts += outcome.doubts
        self.by_kind[kind(outcome.point)] += 1
        self.starts += outcome.starts[1:]
        plan = outcome.plan
        where = f"point {plan.at} ({outcome.point}), again {plan.again}, proof {plan.proof}"
        if not outcome.struck:
            self.breaches.append(f"{where}: the point was not reached, {outcome.points} were")
        self.breaches += [f"{where}: {breach}" for breach in outcome.breaches]


def kind(point: str) -> str:
    """A point's kind for the table."""
    words = point.split()
    return " ".join(words[:2]) if words and words[0] == "store" else words[0] if words else "unhurt"


async def sweep(
    cradle: Nursery,
    every: int = 1,
    jobs: int = 6,
    proofs: tuple[bool, ...] = (True, False),
    number: int = signal.SIGKILL,
    mutant: str = "",
    first: int = 1,
    twice: bool = False,
) -> Report:
    """Count the points of an unhurt day of each kind, then strike every ``every``-th; kinds take turns when sampled.

    With ``twice`` the life that recovers is struck too, so early that most are struck in the recovery itself.
    """
    report = Report()
    plans = asyncio.Queue[Plan]()
    for proof in proofs:
        calm = await one_day(cradle, Plan(proof=proof, mutant=mutant))
        report.points = max(report.points, calm.points)
        report.breaches += [f"unhurt day, proof {proof}: {breach}" for breach in calm.breaches]
        if not mutant and not calm.types >= EXPECTED:
            report.breaches.append(f"the script does not do {sorted(EXPECTED - calm.types)}")
        for place, at in enumerate(range(first, calm.points + 1, every)):
            if every == 1 or proofs[place % len(proofs)] is proof:
                again = 1 + at * 7 % RECOVERY_POINTS if twice else 0
                plans.put_nowait(Plan(at=at, again=again, signal=number, proof=proof, mutant=mutant))

    async def work() -> None:
        while not plans.empty():
            report.add(await one_day(cradle, plans.get_nowait()))

    await asyncio.gather(*(work() for _ in range(jobs)))
    return report
