"""The screens under load in a real terminal, 200x50, against Textual's DataTable doing the same.

    python benchmarks/screens.py [--quick | --full] [--realtime] [--json]

Programs alternate in one run. A key moves the row cursor every 60 to 140 ms; the clock stops when the bytes that echo
it arrive, and no key is pressed before. CPU is user and system time of the program's process, quotes included, in
percent of one core; "others" is what the rest of the machine used meanwhile. Frames are synchronized-output blocks.
Latencies are of all rounds together, the rest are medians of the rounds. Exit code 1 when a target is missed. Linux.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.pty_session import PtySession, busy_seconds, cpu_seconds, environment
from benchmarks.rounds import machine, raise_priority
from benchmarks.targets import Target, outcome, table

OURS, PEER, SLOW, SHIPPED = "console", "DataTable", "console, slow link", "console, chain beside"
DOWN, UP = b"\x1b[B", b"\x1b[A"
TURN_AFTER = 40
"""Keys in one direction: fewer than a screen has rows, so nothing scrolls."""
KEY_GAP = (0.06, 0.14)
LOST_AFTER = 10.0
WARM_UP = 3.0
_ECHO = re.compile(rb"K(\d{6})/(\d{10})K")


@dataclass(frozen=True)
class Cell:
    """One program at one load."""

    program: str
    rows: int = 200
    rate: int = 5_000

    def command(self) -> list[str]:
        module = "datatable_app" if self.program == PEER else "load_app"
        argv = [sys.executable, "-m", f"benchmarks.{module}", "--rows", str(self.rows), "--rate", str(self.rate)]
        if self.program == SLOW:
            argv += ["--hz", "4", "--theme", "ansi"]
        return argv if self.program in (PEER, SHIPPED) else [*argv, "--alone"]

    def environment(self) -> dict[str, str]:
        return environment(SSH_CONNECTION="192.0.2.1 1 192.0.2.2 22") if self.program == SLOW else environment()


@dataclass(frozen=True)
class Reading:
    """One round of one cell; ``keys`` are milliseconds from key to paint."""

    keys: tuple[float, ...]
    cpu: float
    kilobytes: float
    frames: float
    quotes: float
    others: float
    lost: int


@dataclass(frozen=True)
class Summary:
    """All rounds of one cell."""

    program: str
    rows: int
    rate: int
    keys: int
    p50: float
    p99: float
    worst: float
    cpu: float
    kilobytes: float
    frames: float
    quotes: float
    others: float
    lost: int


class Typist:
    """Presses keys one at a time and reads off when each was answered."""

    def __init__(self, session: PtySession) -> None:
        self.session = session
        self.latencies: list[float] = []
        self.lost = 0
        self.quotes = 0
        self._echoed = 0
        self._pressed = 0
        self._sent: float | None = None
        self._random = random.Random(3)  # noqa: S311 - the same rhythm for every program

    def type_for(self, seconds: float) -> None:
        """Type for so long, with a last key answered or given up."""
        end = time.perf_counter() + seconds
        due = time.perf_counter()
        while (now := time.perf_counter()) < end or self._sent is not None:
            if self._sent is None and now >= due:
                self.session.press(DOWN if self._pressed // TURN_AFTER % 2 == 0 else UP)
                self._sent = time.perf_counter()
                self._pressed += 1
                due = now + self._random.uniform(*KEY_GAP)
            self._read(0.05 if self._sent is not None else min(due, end) - now)
            if self._sent is not None and time.perf_counter() - self._sent > LOST_AFTER:
                self.lost += 1
                self._sent = None

    def _read(self, timeout: float) -> None:
        if not self.session.pump(timeout):
            return
        now = time.perf_counter()
        kept = self.session.kept
        for found in _ECHO.finditer(kept):
            number, self.quotes = int(found[1]), int(found[2])
            if number > self._echoed:
                self._echoed = number
                if self._sent is not None:
                    self.latencies.append((now - self._sent) * 1000)
                    self._sent = None
        # an echo cut in two by the read is whole with the next one
        del kept[:-24]


def measure(cell: Cell, seconds: float) -> Reading:
    """Run a program for ``seconds`` after its warm-up."""
    with PtySession(cell.command(), cell.environment()) as session:
        typist = Typist(session)
        ready = time.perf_counter() + WARM_UP
        while time.perf_counter() < ready:
            session.pump(0.05)
        typist.type_for(1.0)
        if session.process.poll() is not None or not typist.latencies:
            raise RuntimeError(f"{cell.program} does not answer keys: {session.text()[-600:].decode(errors='replace')}")
        typist.latencies.clear()
        pid = session.process.pid
        before = (session.bytes, session.frames, typist.quotes, cpu_seconds(pid), busy_seconds(), time.process_time())
        started = time.perf_counter()
        typist.type_for(seconds)
        took = time.perf_counter() - started
        cpu = cpu_seconds(pid) - before[3]
        others = busy_seconds() - before[4] - cpu - (time.process_time() - before[5])
        return Reading(
            keys=tuple(typist.latencies),
            cpu=100 * cpu / took,
            kilobytes=(session.bytes - before[0]) / took / 1000,
            frames=(session.frames - before[1]) / took,
            quotes=(typist.quotes - before[2]) / took,
            others=100 * max(others, 0.0) / took,
            lost=typist.lost,
        )


def summary(cell: Cell, rounds: list[Reading]) -> Summary:
    keys = sorted(key for reading in rounds for key in reading.keys)

    def middle(name: str) -> float:
        return median(getattr(reading, name) for reading in rounds)

    return Summary(
        cell.program,
        cell.rows,
        cell.rate,
        len(keys),
        median(keys),
        keys[min(len(keys) - 1, int(0.99 * len(keys)))],
        keys[-1],
        middle("cpu"),
        middle("kilobytes"),
        middle("frames"),
        middle("quotes"),
        middle("others"),
        sum(reading.lost for reading in rounds),
    )


def alternate(cells: list[Cell], rounds: int, seconds: float) -> dict[Cell, Summary]:
    """Every cell once a round, the order turned round from one to the next."""
    found: dict[Cell, list[Reading]] = {cell: [] for cell in cells}
    for turn in range(rounds):
        for cell in cells if turn % 2 == 0 else reversed(cells):
            found[cell].append(measure(cell, seconds))
    return {cell: summary(cell, readings) for cell, readings in found.items()}


def targets(found: dict[Cell, Summary]) -> list[Target]:
    """What is claimed at 200 rows and 5,000 quotes a second, of what was measured."""
    ours, peer, slow = (found.get(Cell(program)) for program in (OURS, PEER, SLOW))
    held: list[Target] = []
    if ours is not None and peer is not None:
        held += [
            Target("key to paint, p99", ours.p99, 16, "ms"),
            Target("key to paint, p50: times DataTable", peer.p50 / ours.p50, 20, "x", at_least=True),
            Target("key to paint, p99: times DataTable", peer.p99 / ours.p99, 20, "x", at_least=True),
            Target("CPU, of a core", ours.cpu, 15, "%"),
            Target("CPU: times less than DataTable", peer.cpu / ours.cpu, 5, "x", at_least=True),
            Target("to the terminal at 10 Hz", ours.kilobytes, 280, "kB/s"),
        ]
    if slow is not None:
        held.append(Target("to the terminal in slow-link mode", slow.kilobytes, 65, "kB/s"))
    return held


HEAD = (
    "rows x quotes/s",
    "keys",
    "p50 ms",
    "p99 ms",
    "max ms",
    "CPU %",
    "kB/s",
    "frames/s",
    "real quotes/s",
    "others %",
)


def row(each: Summary) -> list[str]:
    figures = (each.p50, each.p99, each.worst, each.cpu, each.kilobytes, each.frames)
    name = f"{each.program}, {each.rows:,} x {each.rate:,}"
    return [name, str(each.keys), *(f"{figure:.1f}" for figure in figures), f"{each.quotes:,.0f}", f"{each.others:.0f}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round of the console and its peer")
    parser.add_argument(
        "--full", action="store_true", help="50, 200 and 1,000 rows at 1,000, 5,000 and 20,000 a second"
    )
    parser.add_argument("--realtime", action="store_true", help="real-time priority: for a machine that others use")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    args = parser.parse_args()
    programs = (OURS, PEER) if args.quick else (OURS, PEER, SLOW, SHIPPED)
    cells = [Cell(program) for program in programs]
    if args.full:
        loads = [(rows, rate) for rate in (1_000, 5_000, 20_000) for rows in (50, 200, 1_000)]
        cells += [Cell(program, *load) for load in loads for program in (OURS, PEER) if load != (200, 5_000)]
    rounds, seconds = (1, 5.0) if args.quick else (3, 10.0)
    priority = raise_priority(args.realtime)
    host = machine("textual", "rich")
    found = alternate(cells, rounds, seconds)
    held = targets(found)
    ours, peer = found[Cell(OURS)], found[Cell(PEER)]
    note = f"key to paint, DataTable / console: p50 {peer.p50 / ours.p50:.1f}x, p99 {peer.p99 / ours.p99:.1f}x"
    if args.json:
        print(outcome(host, [asdict(each) for each in found.values()], held))
    else:
        print(f"{host}; {rounds} rounds of {seconds:g} s, {priority}\n")
        print(table(HEAD, [row(each) for each in found.values()]))
        print(f"\n{note}\n")
        print("\n".join(target.line() for target in held))
    return 0 if all(target.passed for target in held) else 1


if __name__ == "__main__":
    sys.exit(main())
