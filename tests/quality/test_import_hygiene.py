"""What a start loads, told by a fresh interpreter: an import graph cannot see deferred imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
TERMINAL = ("textual", "rich")
STORE = ("sqlalchemy", "sqlmodel", "alembic", "psycopg")

VERSION = "from optconsole.__main__ import main; assert main(['--version']) == 0"
ENGINE_HELP = """
from optconsole.__main__ import main
try:
    main(['engine', '--help'])
except SystemExit as stop:
    assert not stop.code
"""

CASES = [
    pytest.param(
        VERSION,
        (*TERMINAL, *STORE, "optconsole.engine", "optconsole.cli", "asyncio", "numpy", "msgspec"),
        id="version-loads-neither-terminal-nor-engine",
    ),
    pytest.param(ENGINE_HELP, TERMINAL, id="engine-command-knows-no-terminal"),
    pytest.param("import optconsole.engine.core", TERMINAL, id="engine-core-knows-no-terminal"),
    pytest.param("import optconsole.runtime.inside", TERMINAL, id="runtime-knows-no-terminal"),
    pytest.param(
        "import optconsole.cli.broker, optconsole.runtime.logins, optconsole.brokers.zerodha.login",
        ("textual", *STORE, "optconsole.engine.core", "pyarrow"),
        id="a-login-waits-for-no-engine",
    ),
    pytest.param(
        "import optconsole.cli.main",
        (*TERMINAL, *STORE, "optconsole.engine.core", "optconsole.app", "numpy", "pyarrow", "httpx"),
        id="command-line-loads-only-what-it-will-need",
    ),
    pytest.param(
        "import optconsole.app",
        (*STORE, "optconsole.engine.core", "optconsole.runtime", "optconsole.brokers", "pyarrow", "httpx"),
        id="console-paints-before-the-engine-loads",
    ),
]


def loaded(code: str) -> set[str]:
    """Every module in a fresh interpreter once ``code`` has run."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules), file=sys.stderr)"],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize(("code", "never"), CASES)
def test_a_start_never_loads(code: str, never: tuple[str, ...]) -> None:
    modules = loaded(code)
    assert "optconsole" in modules
    intruders = [name for name in modules if name.startswith(tuple(f"{n}." for n in never)) or name in never]
    assert sorted(intruders) == []
