"""How long a start takes in a real terminal, against a bare interpreter and a bare Textual app.

    python benchmarks/cold_start.py [--quick] [--json]

Programs alternate in one run; a ratio is the median of the rounds' own. The file cache is warm: the first round is
not counted. The first useful screen is the frame with its tabs and keys, the engine behind it still starting; a live
price is the index in the header.
Exit code 1 when a target is missed. Linux.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.pty_session import ROOT, PtySession, environment
from benchmarks.rounds import machine, ratio
from benchmarks.targets import Target, outcome, table

BARE_TEXTUAL = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("visible")
Bare().run()
"""
OURS = (sys.executable, "-m", "optconsole")
LAUNCHER = (str(ROOT / "optconsole"),)
INTERPRETER, TEXTUAL = "python -c 'print()': first byte", "bare Textual: text visible"
VERSION, BYTE, LAUNCHED = "optconsole --version: done", "optconsole: first byte", "./optconsole: first byte"
FRAME, PRICE = "optconsole: first useful screen", "optconsole: live price"
LAUNCHED_FRAME = "./optconsole: first useful screen"
ATTACHED_FRAME, ATTACHED = "optconsole attach: first useful screen", "optconsole attach: live price"
TABS_AND_KEYS = "Positions.*KILL"
LIVE_PRICE = r"NIFTY +[0-9,]{5,}\.[0-9]{2}"
LIMIT = 30.0

Times = dict[str, list[float]]


class Starts:
    """Every program once a round, in two homes that are not new: one to start in, one with an engine to attach to."""

    def __init__(self, folder: Path) -> None:
        self.home, self.engine_home = folder / "inside", folder / "engine"
        for home in (self.home, self.engine_home):
            home.mkdir()
            # the page that greets a new home would cover half of what is looked for
            (home / "tour.seen").touch()
        self.programs: tuple[Callable[[], dict[str, float]], ...] = (
            self.interpreter,
            self.version,
            self.console,
            self.launcher,
            self.textual,
            self.attach,
        )

    def interpreter(self) -> dict[str, float]:
        with PtySession((sys.executable, "-c", "print()"), environment()) as session:
            return {INTERPRETER: session.until(r"\n", LIMIT)}

    def version(self) -> dict[str, float]:
        with PtySession((*OURS, "--version"), environment()) as session:
            return {VERSION: session.until(r"optconsole [0-9.]+", LIMIT)}

    def textual(self) -> dict[str, float]:
        with PtySession((sys.executable, "-c", BARE_TEXTUAL), environment()) as session:
            return {TEXTUAL: session.until("visible", LIMIT)}

    def console(self) -> dict[str, float]:
        with PtySession((*OURS, "--home", str(self.home)), environment()) as session:
            frame, price = session.until(TABS_AND_KEYS, LIMIT), session.until(LIVE_PRICE, LIMIT)
            leave(session)
            return {BYTE: first_byte(session), FRAME: frame, PRICE: price}

    def launcher(self) -> dict[str, float]:
        with PtySession((*LAUNCHER, "--home", str(self.home)), environment()) as session:
            frame = session.until(TABS_AND_KEYS, LIMIT)
            session.until(LIVE_PRICE, LIMIT)
            leave(session)
            return {LAUNCHED: first_byte(session), LAUNCHED_FRAME: frame}

    def attach(self) -> dict[str, float]:
        with (
            engine(self.engine_home),
            PtySession((*OURS, "attach", "--home", str(self.engine_home)), environment()) as session,
        ):
            frame = session.until(TABS_AND_KEYS, LIMIT)
            price = session.until(LIVE_PRICE, LIMIT)
            leave(session)
            return {ATTACHED_FRAME: frame, ATTACHED: price}

    def round(self, turn: int) -> dict[str, float]:
        """Seconds of everything; the order turns round from one round to the next."""
        found: dict[str, float] = {}
        for program in self.programs if turn % 2 == 0 else reversed(self.programs):
            found |= program()
        return found

    def modules(self) -> dict[str, int]:
        """How many modules are loaded until a thing can be seen."""
        traced = (sys.executable, "-X", "importtime", "-m", "optconsole")
        counts: dict[str, int] = {}
        for name, argv, pattern in (
            (VERSION, (*traced, "--version"), r"optconsole [0-9.]+\r"),
            (TEXTUAL, (sys.executable, "-X", "importtime", "-c", BARE_TEXTUAL), "visible"),
            (FRAME, (*traced, "--home", str(self.home)), TABS_AND_KEYS),
            (PRICE, (*traced, "--home", str(self.home)), LIVE_PRICE),
        ):
            with PtySession(argv, environment()) as session:
                session.until(pattern, LIMIT)
                counts[name] = imported(session)
        with (
            engine(self.engine_home),
            PtySession((*traced, "attach", "--home", str(self.engine_home)), environment()) as session,
        ):
            session.until(LIVE_PRICE, LIMIT)
            counts[ATTACHED] = imported(session)
        return counts


@contextmanager
def engine(home: Path) -> Iterator[None]:
    """``optconsole engine`` with quotes flowing."""
    argv = (*OURS, "engine", "--home", str(home))
    with subprocess.Popen(argv, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            if not process.stdout.readline().startswith(b"ready"):
                raise RuntimeError("the engine did not start")
            yield
        finally:
            process.terminate()


def first_byte(session: PtySession) -> float:
    assert session.first_byte is not None
    return session.first_byte


def imported(session: PtySession) -> int:
    """Modules that a traced interpreter has named so far."""
    return len(re.findall(rb"import time: +\d+", session.text()))


def leave(session: PtySession) -> None:
    """Quit in good order, so that the next start finds a home that was left so."""
    session.press(b"q")
    for _ in range(50):
        session.pump(0.1)
        if session.process.poll() is not None:
            break


def targets(times: Mapping[str, list[float]]) -> list[Target]:
    def against(peer: str, ours: str, limit: float) -> Target:
        return Target(f"{ours} / {peer.split(':')[0]}", 1 / ratio(times, peer, ours), limit, "x")

    return [
        against(INTERPRETER, BYTE, 2),
        against(INTERPRETER, LAUNCHED, 2),
        against(TEXTUAL, FRAME, 1.2),
        against(TEXTUAL, ATTACHED_FRAME, 1.2),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three rounds instead of nine")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    args = parser.parse_args()
    rounds = 3 if args.quick else 9
    host = machine("textual")
    with tempfile.TemporaryDirectory(prefix="optconsole-bench-") as folder:
        starts = Starts(Path(folder))
        starts.round(0)
        times: Times = {}
        for turn in range(rounds):
            for name, seconds in starts.round(turn).items():
                times.setdefault(name, []).append(seconds)
        counts = starts.modules()
    held = targets(times)
    names = (INTERPRETER, VERSION, BYTE, LAUNCHED, TEXTUAL, FRAME, LAUNCHED_FRAME, PRICE, ATTACHED_FRAME, ATTACHED)
    if args.json:
        rows = [{"name": name, "seconds": times[name], "modules": counts.get(name)} for name in names]
        print(outcome(host, rows, held))
    else:
        shown = [
            [
                name,
                *(f"{pick(times[name]) * 1000:.0f}" for pick in (median, min, max)),
                str(counts.get(name, "")),
            ]
            for name in names
        ]
        print(f"{host}; {rounds} rounds\n")
        print(table(("start", "median ms", "min ms", "max ms", "modules"), shown))
        print("\n" + "\n".join(target.line() for target in held))
    return 0 if all(target.passed for target in held) else 1


if __name__ == "__main__":
    sys.exit(main())
