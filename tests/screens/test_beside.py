"""What runs beside the keys."""

from __future__ import annotations

import ast
from pathlib import Path

import optconsole.screens

SCREENS = Path(optconsole.screens.__file__).parent


def test_nothing_is_made_a_coroutine_before_it_runs() -> None:
    """What never comes to run, as the console leaves, would complain into the terminal that it was never awaited."""
    callers = {
        path.relative_to(SCREENS).as_posix()
        for path in SCREENS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "run_worker"
    }
    assert callers == {"beside.py"}
