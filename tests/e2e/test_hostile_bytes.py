"""Every byte that a console writes is visible text or a sequence of its own, whatever it was told to show.

Faults X06, X07, X17, D10; invariant I-21, goal G18.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.control_bytes import controls, unsafe
from tests.e2e.process import ROOT, EngineProcess, environment, run, run_json
from tests.e2e.terminal import Terminal, fresh_home
from tests.e2e.trading import buy, near_call
from tests.screens.hostile import FORMULAS, MARKUP, SEQUENCES, TRICKS

pytestmark = pytest.mark.slow
NOTE = "".join((*MARKUP, *SEQUENCES[:8], *TRICKS[:3])).replace("\x00", "")
WALK = "1\r 2b l 3\r j\r jjw 8j\r f w 9 N ? S Xo Xp :bu\t /x "
"""Keys over every screen and dialog; a blank stands for Esc. None of them sends anything."""


@pytest.fixture
def hostile_home(tmp_path: Path) -> Iterator[Path]:
    home = fresh_home(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.hostile_engine", str(home)],
        stdout=subprocess.PIPE,
        env=environment(PYTHONPATH=f"{ROOT / 'src'}:{ROOT}"),
        cwd=ROOT,
    ) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == b"ready\n"
        yield home
        engine.terminate()


def walk(console: Terminal) -> None:
    for key in WALK:
        console.press("\x1b" if key == " " else key)
        console.pump(0.2)
    console.press("1")
    console.shows("Command")


@pytest.mark.parametrize("words", [(), ("--ascii",)], ids=["unicode", "ascii"])
def test_an_engine_full_of_hostile_text_gets_no_byte_of_it_obeyed(hostile_home: Path, words: tuple[str, ...]) -> None:
    console = Terminal("attach", "--home", str(hostile_home), *words)
    try:
        console.shows("P&L")
        walk(console)
        console.press("\x1b")
        console.pump(0.2)
        console.press("q")
        assert console.ended() == 0
    finally:
        console.close()
    written = bytes(console.bytes)
    assert unsafe(written) == []
    assert len(list(controls(written.decode()))) > 1_000, "the console painted"


def test_a_hostile_note_given_on_the_command_line_is_text_everywhere(running: EngineProcess) -> None:
    """The real path: command line, wire, journal, exchange, console, and every way out again."""
    home = running.home
    order = buy(home, near_call(home), "--limit", "0.05", "--note", NOTE)
    assert order["note"] == NOTE, "kept as given"
    console = Terminal("attach", "--home", str(home), "--screen", "orders")
    try:
        console.shows(f"{order['id']} ")
        console.press("\r")
        console.shows("tag ")
        console.press("\x1b")
        console.pump(0.4)
        console.press("8")
        console.shows("Verify")
        console.press("j\r")
        console.pump(0.5)
        console.press("\x1b")
        console.pump(0.5)
        console.press("q")
        assert console.ended() == 0
    finally:
        console.close()
    assert unsafe(bytes(console.bytes)) == []
    for words in (("orders",), ("order", "show", order["id"]), ("journal", "list"), ("status",)):
        assert unsafe(run(home, *words).stdout.encode()) == []
    for words in (("orders",), ("order", "show", order["id"]), ("journal", "list")):
        printed = run(home, *words, "--json").stdout
        assert printed.isascii(), "JSON escapes what a terminal would obey"
        assert unsafe(printed.encode()) == []
    exported = run(home, "journal", "export").stdout
    assert exported.isascii()
    assert unsafe(exported.encode()) == []
    assert NOTE in {json.loads(line)["event"].get("terms", {}).get("note") for line in exported.splitlines()}


def test_exports_are_json_in_which_a_formula_is_a_quoted_string(running: EngineProcess, tmp_path: Path) -> None:
    """No export is CSV: a line begins with a brace, never with the sign that a spreadsheet would calculate."""
    home = running.home
    contract = near_call(home)
    for formula in FORMULAS:
        # joined to its option, as argparse takes a leading dash for another one
        run_json(home, "order", "place", "buy", contract, "--lots", "1", "--limit", "0.05", f"--note={formula}")
    target = tmp_path / "day.jsonl"
    run(home, "journal", "export", "--output", str(target))
    lines = target.read_text(encoding="utf-8").splitlines()
    assert all(line.startswith('{"') for line in lines)
    notes = {json.loads(line)["event"].get("terms", {}).get("note") for line in lines}
    assert set(FORMULAS) <= notes
