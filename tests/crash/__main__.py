"""``python -m tests.crash sweep``: kill a real engine at every point of a day and say what came of it."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time

from tests.crash.nursery import nursery
from tests.crash.sweep import Report, sweep


def main() -> int:
    """0 when nothing was breached, 1 otherwise, 2 for bad usage."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    swept = verbs.add_parser("sweep", help="strike a scripted day at its points")
    swept.add_argument("--points", default="all", help="all, or a number k for every k-th")
    swept.add_argument("--first", type=int, default=1, help="the first point to strike")
    swept.add_argument("--jobs", type=int, default=6, help="days at once; a day mostly waits for its pace")
    swept.add_argument("--signal", choices=("KILL", "TERM"), default="KILL")
    swept.add_argument("--broker", choices=("both", "embedded", "remote"), default="both")
    swept.add_argument("--mutant", default="", help="an engine made wrong on purpose, as tests.simulation names it")
    swept.add_argument("--twice", action="store_true", help="strike the recovery too")
    swept.add_argument("--json", action="store_true")
    told = parser.parse_args()
    if told.points != "all" and not (told.points.isdigit() and int(told.points)):
        parser.error(f"--points is all or a whole number from 1, not {told.points!r}")
    began = time.monotonic()
    report = asyncio.run(swept_by(told))
    show(report, time.monotonic() - began, told.json)
    return 1 if report.breaches else 0


async def swept_by(told: argparse.Namespace) -> Report:
    """The sweep that the command line asks for."""
    async with nursery() as cradle:
        return await sweep(
            cradle,
            every=1 if told.points == "all" else int(told.points),
            jobs=told.jobs,
            proofs={"both": (True, False), "embedded": (True,), "remote": (False,)}[told.broker],
            number=signal.SIGKILL if told.signal == "KILL" else signal.SIGTERM,
            mutant=told.mutant,
            first=told.first,
            twice=told.twice,
        )


def show(report: Report, seconds: float, as_json: bool) -> None:
    """Print the result."""
    starts = sorted(report.starts)
    recovery = {f"p{part}": round(starts[len(starts) * part // 100], 3) for part in (50, 99)} if starts else {}
    if as_json:
        document = {
            "points": report.points,
            "runs": report.runs,
            "struck": report.struck,
            "restarts": report.restarts,
            "left_in_doubt": report.doubts,
            "by_kind": dict(sorted(report.by_kind.items())),
            "recovery_seconds": recovery,
            "seconds": round(seconds, 1),
            "breaches": report.breaches,
        }
        print(json.dumps(document))
        return
    print(f"{report.points} points a day, {report.struck} of {report.runs} days struck, {report.restarts} restarts,")
    print(f"{report.doubts} orders left in doubt, {len(report.breaches)} breaches in {seconds:.0f} s")
    print(f"start to ready after a death: {recovery or 'none'} s")
    for kind, count in sorted(report.by_kind.items()):
        print(f"  {count:5}  {kind}")
    for breach in report.breaches:
        print(breach)


if __name__ == "__main__":
    sys.exit(main())
