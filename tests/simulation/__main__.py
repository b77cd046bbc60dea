"""``python -m tests.simulation run|shrink|replay|mutants``: simulate days, reduce a failure, repeat it, kill mutants.

Exit 1 on a breach, and on a mutant that lives.
"""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from tests.simulation.elsewhere import ELSEWHERE, KILLED, verdict
from tests.simulation.kernel import recorded_tapes, seeded_tapes
from tests.simulation.mutants import MUTANTS
from tests.simulation.shards import mutant_is_caught
from tests.simulation.shrink import dropped, failing, shrunk
from tests.simulation.world import KNOWN_GAPS, Result, Setting, days_of, simulate, tape_text, tapes_of


@dataclass(frozen=True)
class Job:
    """One run by its seed."""

    seed: int
    days: int
    mutant: str
    gap: str
    wake: str


def settings(mutant: str, gap: str, wake: str = "") -> dict[str, Any]:
    """Keyword arguments of ``simulate``. Of the known gaps, ``gap`` counts as a breach; ``all`` do.

    ``wake`` lets a check judge, or a verb strike, that today's engine is spared.
    """
    mutation = MUTANTS[mutant].mutation if mutant else nullcontext
    tolerated = frozenset() if gap == "all" else KNOWN_GAPS - {gap}
    return {"mutation": mutation, "setting": Setting(tolerated=tolerated, woken=frozenset(wake.split(",")))}


def perform(job: Job) -> tuple[Job, Result]:
    """Simulate one run."""
    result = simulate(seeded_tapes(job.seed), job.days, **settings(job.mutant, job.gap, job.wake))
    result.tapes = {}
    return job, result


def jobs(days: int, seed: int, mutant: str = "", gap: str = "", wake: str = "") -> Iterator[Job]:
    """Runs from ``seed`` on that come to ``days`` days."""
    while days > 0:
        take = min(days_of(seed), days)
        yield Job(seed, take, mutant, gap, wake)
        days, seed = days - take, seed + 1


def _performed(wanted: list[Job], processes: int) -> Iterator[tuple[Job, Result]]:
    if processes == 1:
        yield from map(perform, wanted)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(perform, wanted, chunksize=8)


def run(arguments: argparse.Namespace) -> int:
    """Simulate and report."""
    began = time.perf_counter()
    wanted = list(jobs(arguments.days, arguments.seed, arguments.mutant, arguments.gap, arguments.wake))
    results: list[tuple[Job, Result]] = []
    with suppress(KeyboardInterrupt):  # a long run that is broken off tells what it has done
        for done in _performed(wanted, arguments.jobs):
            results.append(done)
            for breach in done[1].breaches:
                print(f"breach in seed {done[0].seed}: {breach}", file=sys.stderr, flush=True)
    report = _report(results, time.perf_counter() - began, arguments.jobs)
    if arguments.json:
        print(json.dumps(report))
    else:
        _print(report)
    return 1 if report["breaches"] else 0


def _report(results: list[tuple[Job, Result]], seconds: float, cores: int) -> dict[str, Any]:
    faults: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    accounts: Counter[str] = Counter()
    for _job, result in results:
        faults.update(result.faults)
        pairs.update(result.pairs)
        accounts.update(result.accounts)
    days = sum(result.days for _job, result in results)
    return {
        "days": days,
        "runs": len(results),
        "seeds": [results[0][0].seed, results[-1][0].seed] if results else [],
        "accounts": dict(sorted(accounts.items())),
        "intents": sum(result.intents for _job, result in results),
        "calls": sum(result.calls for _job, result in results),
        "events": sum(result.events for _job, result in results),
        "faults": dict(sorted(faults.items())),
        "faults_total": faults.total(),
        "pairs": dict(sorted(pairs.items())),
        "pairs_met": len(pairs),
        "restarts": sum(result.restarts for _job, result in results),
        "breaches": [
            {"seed": job.seed, "days": job.days, "invariant": breach.invariant, "text": str(breach)}
            for job, result in results
            for breach in result.breaches
        ],
        "seconds": round(seconds, 1),
        "days_a_minute": round(days / seconds * 60),
        "cores": cores,
    }


def _print(report: dict[str, Any]) -> None:
    first, last = report["seeds"]
    print(f"{'seeds':14}{f'{first} to {last}':>17}")
    for name in ("days", "runs", "intents", "calls", "events", "restarts", "faults_total", "pairs_met"):
        print(f"{name.replace('_', ' '):14}{report[name]:>17,}")
    for dialect, count in report["accounts"].items():
        print(f"{dialect + ' accounts':18}{count:>13,}")
    cells = [f"{verb:22}{count:>9,}" for verb, count in report["faults"].items()]
    for left, right in itertools.zip_longest(cells[::2], cells[1::2], fillvalue=""):
        print(f"  {left}    {right}".rstrip())
    print(f"{report['days_a_minute']:,} days a minute on {report['cores']} core(s), {report['seconds']} s")
    for breach in report["breaches"]:
        print(f"BREACH seed {breach['seed']}: {breach['text']}")
    if not report["breaches"]:
        print("no breach")


def shrink(arguments: argparse.Namespace) -> int:
    """Reduce the failure of a seed to the command that shows it."""
    given = settings(arguments.mutant, arguments.gap, arguments.wake)
    days = days_of(arguments.seed)
    first = simulate(seeded_tapes(arguments.seed), days, **given)
    if not first.breaches:
        print(f"seed {arguments.seed} breaks nothing")
        return 0
    invariant, days = first.breaches[0].invariant, first.breaches[0].day + 1
    small = dropped(first.tapes, failing(simulate, invariant, days=days, **given))
    days = simulate(recorded_tapes(small), days, **given).breaches[0].day + 1
    small = shrunk(small, failing(simulate, invariant, days=days, **given))
    result = simulate(recorded_tapes(small), days, **given)
    days = result.breaches[0].day + 1
    print(*result.breaches, sep="\n")
    extra = (f" --mutant {arguments.mutant}" if arguments.mutant else "") + (
        f" --gap {arguments.gap}" if arguments.gap else ""
    )
    extra += f" --wake {arguments.wake}" if arguments.wake else ""
    print(f"{result.intents} intents, faults {dict(result.faults)}")
    print(f"python -m tests.simulation replay --days {days}{extra} {tape_text(small) or '-'}")
    return 1


def replay(arguments: argparse.Namespace) -> int:
    """Run from written tapes."""
    tapes = recorded_tapes({} if arguments.tapes == "-" else tapes_of(arguments.tapes))
    result = simulate(tapes, arguments.days, **settings(arguments.mutant, arguments.gap, arguments.wake))
    print(*result.breaches, sep="\n") if result.breaches else print("no breach")
    return 1 if result.breaches else 0


def mutants(arguments: argparse.Namespace) -> int:
    """Prove that each mutant is killed: by the judge, or by the test of another suite that claims it."""
    alive = 0
    for name in arguments.names or [*MUTANTS, *ELSEWHERE]:
        if name in ELSEWHERE:
            code, words = verdict(ELSEWHERE[name].test, name)
            killed, by = code == KILLED, ELSEWHERE[name].test if code == KILLED else words
        else:
            try:
                killed, by = True, mutant_is_caught(name)
            except AssertionError as survived:
                killed, by = False, str(survived)
        alive += not killed
        print(f"{name:4}{'killed' if killed else 'ALIVE':8}{by}", flush=True)
    return 1 if alive else 0


def main(words: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    each = commands.add_parser("run", help="simulate days")
    each.add_argument("--days", type=int, default=1000)
    each.add_argument("--seed", type=int, default=0)
    each.add_argument("--json", action="store_true")
    each.add_argument("--jobs", type=int, default=1)
    each.set_defaults(act=run)
    one = commands.add_parser("shrink", help="reduce the failure of a seed")
    one.add_argument("seed", type=int)
    one.set_defaults(act=shrink)
    again = commands.add_parser("replay", help="run from the tapes that shrink printed")
    again.add_argument("tapes")
    again.add_argument("--days", type=int, default=1)
    again.set_defaults(act=replay)
    every = commands.add_parser("mutants", help="prove that each mutant is killed")
    every.add_argument("names", nargs="*", metavar="M7", help="only these")
    every.set_defaults(act=mutants)
    for command in (each, one, again):
        command.add_argument("--mutant", choices=sorted(MUTANTS), default="")
        command.add_argument(
            "--gap", choices=["all", *sorted(KNOWN_GAPS)], default="", help="known gaps that count too"
        )
        command.add_argument(
            "--wake", default="", help="checks and verbs, with commas between, that judge and strike too"
        )
    arguments = parser.parse_args(words)
    return int(arguments.act(arguments))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    raise SystemExit(main(sys.argv[1:]))
