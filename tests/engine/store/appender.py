"""A process that appends until it is killed, and says which facts it was promised.

Loads the store once; for each line read from standard input it forks a child. A child prints its process id, then
the number of each fact its append returned for.
"""

from __future__ import annotations

import asyncio
import os
import sys

from optconsole.engine.store.journal import open_journal
from tests.engine.store.facts import Trader

SEED = 77
SIZES = (1, 1, 2, 5, 1, 9)


def say(line: str) -> None:
    """One system call a line: a kill then leaves it out or whole, never a half that the next line grows onto."""
    os.write(1, f"{line}\n".encode())


async def append_for_ever(url: str, world: str) -> None:
    """Go on where the journal ends."""
    journal = await open_journal(url, world)
    head, _ = await journal.head()
    source = Trader(SEED).facts()
    for _ in range(head):
        next(source)
    say(f"pid {os.getpid()}")

    async def one(batch: list) -> None:  # type: ignore[type-arg]
        await journal.append(batch)
        say(str(batch[-1].seq))

    while True:
        await asyncio.gather(*(one([next(source) for _ in range(size)]) for size in SIZES))


def main() -> None:
    """Fork one appender for each line of input."""
    url, world = sys.argv[1:3]
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(append_for_ever(url, world))
        os.waitpid(child, 0)
        say("gone")


if __name__ == "__main__":
    main()
