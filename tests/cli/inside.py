"""The command line run in the test's own process: as the program does it, without a second for its start."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from optconsole.cli.main import run
from tests.cli.engine_process import Ran


def optconsole(home: Path, *argv: str) -> Ran:
    """What one command line did."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = run([*argv, "--home", str(home)])
    texts = []
    for stream in (out, err):
        stream.seek(0)
        texts.append(stream.read())
    return Ran(code, *texts)


__all__ = ["Ran", "optconsole"]
