"""An environment of its own for each vendor's SDK, made once and kept between runs; none of them is a dependency."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

INSTALL_SECONDS = 180
NOWHERE = "http://127.0.0.1:9"
"""A proxy that refuses: an SDK that calls out while it is imported must not hold a test up, nor tell anybody of it."""


def sdk_python(name: str, packages: Sequence[str]) -> Path:
    """The interpreter of an environment with exactly these packages. Skips the test where they cannot be installed."""
    key = hashlib.sha256("\n".join([sys.version, *packages]).encode()).hexdigest()[:12]
    home = Path(tempfile.gettempdir()) / f"optconsole-sdk-{name}-{key}"
    home.mkdir(mode=0o700, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two workers of one test run must not make it both
        python = home / "venv" / "bin" / "python"
        if not (home / "made").exists():
            _make(name, home, python, packages)
        return python


def _make(name: str, home: Path, python: Path, packages: Sequence[str]) -> None:
    venv.create(home / "venv", clear=True, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--retries", "0"]
    try:
        done = subprocess.run(
            [*pip, "--timeout", "10", "--disable-pip-version-check", *packages],
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{name} could not be installed within {INSTALL_SECONDS} seconds")
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip gave no reason"]
        pytest.skip(f"{name} cannot be installed here: {said[-1][:200]}")
    (home / "made").write_text("\n".join(packages))


async def run_sdk(python: Path, script: Path, task: object, folder: Path, seconds: float = 60) -> Any:
    """What a script prints as its last line, as JSON. It runs in ``folder`` with ``task`` as JSON on its input.

    Nothing of this process's environment reaches it but what Python itself needs; only loopback can be reached.
    """
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(script),
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "https_proxy": NOWHERE, "no_proxy": "127.0.0.1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(msgspec.json.encode(task)), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise AssertionError(f"{script.name} did not end within {seconds} seconds") from None
    assert process.returncode == 0, err.decode()[-3000:]
    return msgspec.json.decode(out.splitlines()[-1])
