"""The real program in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def environment(**extra: str) -> dict[str, str]:
    """The test's environment with the checkout's code."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), **extra}


class EngineProcess:
    """``optconsole engine`` on a home, ready for commands."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "optconsole", "engine", "--home", str(home), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            _, errors = self.process.communicate(timeout=10)
            raise AssertionError(f"no engine: {line!r} {errors!r}")
        self.ready: dict[str, Any] = json.loads(line.removeprefix("ready "))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self) -> int:
        """Ask it to end, as systemd would."""
        self.process.terminate()
        self.process.communicate(timeout=20)
        return self.process.returncode


def run(home: Path, *words: str, code: int | None = 0, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """One command of the command line; its exit code is checked unless ``code`` is None."""
    done = subprocess.run(
        [sys.executable, "-m", "optconsole", *words, "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        input=stdin,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def run_json(home: Path, *words: str, code: int | None = 0) -> Any:
    """The JSON document a command prints."""
    return json.loads(run(home, *words, "--json", code=code).stdout)
