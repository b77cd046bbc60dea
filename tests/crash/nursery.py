"""The test's end of the cradle: processes with their words and their ends, and the steering of the exchange."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.crash import wire

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE: Final = 120.0
"""Seconds until a process counts as hung: far more than it takes, since a busy machine is not a fault."""
T = TypeVar("T", bound=wire.Frame)


@dataclass(eq=False)
class Child:
    """A process. ``words`` is its ready or refused line; ``ended`` its exit status, negative for a signal."""

    pid: int
    words: asyncio.Future[dict[str, Any]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    ended: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def ready(self) -> dict[str, Any] | None:
        """Its first words, or None when it died without any."""
        await asyncio.wait((self.words, self.ended), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if self.words.done():
            return self.words.result()
        if not self.ended.done():
            raise TimeoutError(f"process {self.pid} said nothing for {PATIENCE:.0f} s")
        return None

    async def gone(self) -> int:
        """Its exit status."""
        return await asyncio.wait_for(asyncio.shield(self.ended), PATIENCE)

    def send(self, number: int) -> None:
        """Send a signal, unless it is gone."""
        if not self.ended.done():
            os.kill(self.pid, number)

    async def asleep(self) -> None:
        """Wait until it is stopped by a signal."""
        async with asyncio.timeout(PATIENCE):
            while not _stopped(self.pid):  # noqa: ASYNC110 - the kernel announces it to the parent only
                await asyncio.sleep(0.005)

    async def kill(self) -> None:
        """End it now."""
        self.send(signal.SIGKILL)
        await self.gone()


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


class Nursery:
    """Bears processes out of one cradle."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._forked: asyncio.Queue[Child] = asyncio.Queue()
        self._children: dict[int, Child] = {}
        self._turn = asyncio.Lock()
        self._reading = asyncio.create_task(self._read())

    async def bear(self, role: str, **spec: object) -> Child:
        """Start a process."""
        assert self._process.stdin is not None
        async with self._turn:
            self._process.stdin.write(json.dumps({"role": role, **spec}).encode() + b"\n")
            return await asyncio.wait_for(self._forked.get(), PATIENCE)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            words = json.loads(line)
            if "forked" in words:
                child = self._children.setdefault(words["forked"], Child(words["forked"]))
                self._forked.put_nowait(child)
            elif "ended" in words:
                self._children.pop(words["pid"]).ended.set_result(words["ended"])
            else:
                child = self._children.setdefault(words["pid"], Child(words["pid"]))
                child.words.set_result(words)

    async def close(self) -> None:
        """Let everything go."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    """A cradle for the length of a block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.crash.cradle"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OPENBLAS_NUM_THREADS": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    found = Nursery(process)
    try:
        yield found
    finally:
        await found.close()


class Steering:
    """The test's connection to an exchange: what the market shows, which fault comes next, and the truth."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._rid = reader, writer, 0
        self._turn = asyncio.Lock()

    @classmethod
    async def connect(cls, port: int) -> Steering:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def show(self, *quotes: Any) -> None:
        """Make the market look like this."""
        await self._ask(lambda rid: wire.Show(rid, quotes), wire.Done)

    async def arm(self, verb: str, fault: str = "", seconds: float = 0.0) -> None:
        """The next call of this kind meets a fault; an empty verb disarms."""
        await self._ask(lambda rid: wire.Arm(rid, verb, fault, seconds), wire.Done)

    async def trap(self, point: str, number: int) -> None:
        """The engine gets a signal when it next passes this point; settle to be sure that it knows."""
        await self._ask(lambda rid: wire.Trap(rid, point, number), wire.Done)

    async def settle(self) -> bool:
        """Wait until the engine has taken in all that happened. False when there is none, or it died."""
        return (await self._ask(wire.Settle, wire.Done)).text == ""

    async def tell(self) -> wire.Truth:
        """All that the exchange knows."""
        return await self._ask(wire.Tell, wire.Truth)

    async def _ask(self, make: Callable[[int], wire.Frame], expected: type[T]) -> T:
        async with self._turn, asyncio.timeout(PATIENCE):
            self._rid += 1
            self._writer.write(wire.pack(make(self._rid)))
            message = await wire.take(self._reader)
        assert isinstance(message, expected), message
        return message

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()
