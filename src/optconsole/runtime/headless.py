"""The engine without a screen: one line when it is ready, then silence until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import suppress
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.ports import JournalBroken
from optconsole.options import RunOptions
from optconsole.runtime.house import open_house, ready_line

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


def run_engine(options: RunOptions, passphrase: Secret | None = None) -> int:
    """Run until SIGINT or SIGTERM, the vault opened by ``passphrase``. 0 after an orderly stop.

    Raises Refusal when it cannot start.
    """
    try:
        return asyncio.run(_run(options, passphrase))
    except JournalBroken as broken:
        raise Refusal(broken.code, broken.text) from broken


async def _run(options: RunOptions, passphrase: Secret | None) -> int:
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    for number in _ENDING:
        loop.add_signal_handler(number, ending.set)
    # A terminal that goes away must not take the engine, and its guards, with it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    house = await open_house(options, _say, passphrase)
    try:
        _print(f"ready {json.dumps(ready_line(house))}")
        await ending.wait()
    finally:
        await house.stop("asked to stop")
    return 0


def _say(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"{text} …\n")


def _print(line: str) -> None:
    """Whoever read our output may be gone; the engine is not."""
    with suppress(OSError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
