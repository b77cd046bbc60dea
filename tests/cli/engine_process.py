"""A real engine in a process of its own, and the command line run against it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.link.small_engine import SRC


@dataclass(frozen=True)
class Ran:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.out)


def optconsole(home: Path, *argv: str, given: str | None = None) -> Ran:
    """Run the program as a trader's script would."""
    done = subprocess.run(
        (sys.executable, "-m", "optconsole", *argv),
        input=given,
        capture_output=True,
        text=True,
        env=dict(os.environ, PYTHONPATH=SRC, OPTCONSOLE_HOME=str(home)),
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


@contextmanager
def started(home: Path, *argv: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is told to stop."""
    with subprocess.Popen(
        (sys.executable, "-m", "optconsole", *argv),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ, PYTHONPATH=SRC, OPTCONSOLE_HOME=str(home)),
        # where the tests run in the background, an interrupt is ignored and would be so in the child too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as ran:
        try:
            yield ran
        finally:
            ran.kill()


@contextmanager
def running_engine(home: Path, *options: str) -> Iterator[dict[str, Any]]:
    """An engine on a home until the block ends; gives its `ready` document."""
    log = home.parent / "engine.err"
    with log.open("wb") as errors:
        engine = subprocess.Popen(
            (sys.executable, "-m", "optconsole", "engine", "--home", str(home), *options),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=dict(os.environ, PYTHONPATH=SRC),
        )
        assert engine.stdout is not None
        try:
            line = engine.stdout.readline()
            assert line.startswith("ready "), log.read_text()
            yield json.loads(line.removeprefix("ready "))
        finally:
            engine.send_signal(signal.SIGTERM)
            try:
                engine.wait(30)
            except subprocess.TimeoutExpired:
                engine.kill()
                engine.wait()
            engine.stdout.close()
