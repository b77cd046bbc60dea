"""kill -9 at random moments: every fact that was promised is there, and nothing is half applied."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.engine.store.appender import SEED
from tests.engine.store.conftest import ENVIRONMENT, ROOT, Place
from tests.engine.store.facts import Trader

KILLS = 20


@contextmanager
def appender(place: Place) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.engine.store.appender", place.url, place.world]
    with subprocess.Popen(
        command, cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def run_and_kill(process: subprocess.Popen[str], acknowledgements: int) -> int:
    """Start an appender, kill it after that many acknowledged appends, and return the newest promised number."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    word, pid = process.stdout.readline().split()
    assert word == "pid"
    promised = 0
    for count, line in enumerate(process.stdout):
        if line == "gone\n":
            return promised
        promised = max(promised, int(line))
        if count == acknowledgements:
            os.kill(int(pid), signal.SIGKILL)
    raise AssertionError("the appender ended by itself")


@pytest.mark.slow
async def test_a_killed_engine_loses_nothing_it_promised(place: Place) -> None:
    draw = random.Random(2025)
    promised = 0
    with appender(place) as process:
        for _ in range(KILLS):
            promised = max(promised, run_and_kill(process, draw.randint(0, 40)))
            journal = await place.open()
            head, _ = await journal.head()
            assert head >= promised
            verdict = await journal.verify()
            assert verdict.ok, verdict.text
            assert await journal.compare_read_tables() == []
            await place.close_all()
    journal = await place.open()
    stored = [fact async for batch in journal.replay() for fact in batch]
    assert stored == Trader(SEED).take(len(stored))
    assert len(stored) > KILLS
