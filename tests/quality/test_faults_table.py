"""``docs/faults.md`` names a row for every fault, and only tests that there are."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = {"B": 26, "W": 14, "O": 27, "S": 16, "H": 15, "P": 10, "T": 10, "D": 10, "X": 17}
TABLE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
LINES = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\| [A-Z]\d\d .*", TABLE, re.M)]
STATES = ("proved", "part: ", "comes with the broker wires", "comes with webhooks", "does not apply: ")


def test_every_fault_has_its_row_once() -> None:
    expected = [f"{letter}{number:02}" for letter, count in ROWS.items() for number in range(1, count + 1)]
    assert [line[0] for line in LINES] == expected


def test_every_named_test_is_there() -> None:
    missing = []
    for _, _, named, _ in LINES:
        for path, name in re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", named):
            file = ROOT / "tests" / path
            if not file.is_file() or f"def {name}" not in file.read_text(encoding="utf-8"):
                missing.append(f"{path}::{name}")
    assert missing == []


def test_what_is_proved_or_part_has_its_test_and_states_add_up() -> None:
    counted: Counter[str] = Counter()
    for row, _, named, state in LINES:
        (kind,) = (each for each in STATES if state.startswith(each))
        counted[kind.rstrip(": ")] += 1
        assert kind != "proved" or "::" in named or ".py" in named, row
    for kind, count in counted.items():
        assert f"| {kind} | {count} |" in TABLE
