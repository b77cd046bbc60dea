"""A process that has loaded the engine and the exchange once, and forks one of them for each line it reads.

A fork starts in milliseconds where an interpreter needs a second; the child is a process like any other, with its own
files, sockets, threads and death. Says ``forked`` with the pid, and ``ended`` with the status when a child is gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from optconsole.engine.store.journal import open_journal
from tests.crash import engine_process, exchange_process

ROLES: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "engine": engine_process.run,
    "exchange": exchange_process.run,
}


def say(**words: object) -> None:
    """One line, one system call."""
    os.write(1, json.dumps(words).encode() + b"\n")


async def warm_up() -> None:
    """Open a store once and close it, thread and all: what is loaded only for that is loaded before the first fork."""
    with tempfile.TemporaryDirectory() as folder:
        journal = await open_journal(f"sqlite:///{Path(folder) / 'journal.db'}", "warm")
        await journal.load()
        await journal.close()


def main() -> None:
    """Fork and bury until standard input ends; then whatever still lives is killed."""
    asyncio.run(warm_up())
    bell, ringer = os.pipe()
    os.set_blocking(ringer, False)
    os.set_blocking(bell, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(ringer, warn_on_full_buffer=False)
    children: set[int] = set()
    waiting = b""
    while True:
        ready, _, _ = select.select([0, bell], [], [])
        if bell in ready:
            os.read(bell, 4096)
            bury(children)
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                break
            *lines, waiting = (waiting + read).split(b"\n")
            for line in lines:
                children.add(bear(json.loads(line), (bell, ringer)))
    for child in children:
        os.kill(child, signal.SIGKILL)


def bear(spec: dict[str, Any], ours: tuple[int, int]) -> int:
    """Fork a child of the spec's role."""
    child = os.fork()
    if child:
        say(forked=child)
        return child
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for descriptor in (0, *ours):
        os.close(descriptor)
    os.open(os.devnull, os.O_RDONLY)
    status = 1
    try:
        ROLES[spec.pop("role")](spec)
        status = 0
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(status)


def bury(children: set[int]) -> None:
    """Tell of every child that is gone; a negative status is the signal that killed it."""
    while children:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        children.discard(pid)
        say(pid=pid, ended=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
