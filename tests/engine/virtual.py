"""Runs a coroutine on virtual time: sleeping costs nothing and never waits for the machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.engine.facts import START
from tests.simulation.kernel import SimClock, SimLoop

T = TypeVar("T")


def play(scene: Callable[[SimClock], Coroutine[Any, Any, T]]) -> T:
    """What ``scene`` returns, given the clock of its loop."""
    loop = SimLoop()
    try:
        return loop.run_until_complete(scene(SimClock(loop, START)))
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.close()
