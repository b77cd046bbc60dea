"""Time alternatives in turn, so that a slow minute of the machine hits all of them alike."""

from __future__ import annotations

import gc
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median


def alternate(
    alternatives: Mapping[str, tuple[Callable[[], object], int]], rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Seconds per item of every alternative, one figure a round; each is (callable, items it works off).

    The order turns round from one round to the next. A round runs each alternative for about `seconds`.
    """
    repeats = {name: _repeats(run, seconds) for name, (run, _) in alternatives.items()}
    times: dict[str, list[float]] = {name: [] for name in alternatives}
    names = list(alternatives)
    for turn in range(rounds):
        for name in names if turn % 2 == 0 else reversed(names):
            run, items = alternatives[name]
            gc.collect()
            started = time.perf_counter()
            for _ in range(repeats[name]):
                run()
            times[name].append((time.perf_counter() - started) / repeats[name] / items)
    return times


def ratio(times: Mapping[str, list[float]], peer: str, ours: str) -> float:
    """How many times faster `ours` is than `peer`: the median of the rounds' own ratios."""
    return median(theirs / mine for theirs, mine in zip(times[peer], times[ours], strict=True))


def _repeats(run: Callable[[], object], seconds: float) -> int:
    run()
    started = time.perf_counter()
    run()
    return max(1, int(seconds / max(time.perf_counter() - started, 1e-9)))


def machine(*packages: str) -> str:
    """One line on what this ran on."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [line for line in cpuinfo.read_text().splitlines() if "model name" in line] if cpuinfo.exists() else []
    cpu = models[0].split(":", 1)[1].strip() if models else platform.processor() or platform.machine()
    load = f"{os.getloadavg()[0]:.1f}"
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    python = f"{platform.system()}, CPython {platform.python_version()}"
    return f"{cpu}, {os.cpu_count()} cores, load {load}, {python}, {versions}"


def commit() -> str:
    """The short hash of what was measured; a plus for changes not in it."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    shown = subprocess.run(
        [git, "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout.strip() or "unknown"


def raise_priority(realtime: bool) -> str:
    """Ask for priority over other work, for this process and what it starts; says what was granted."""
    try:
        if realtime:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
            return "real-time priority"
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    except PermissionError:
        return "no priority over other work"
    return "nice -10"
