"""One process in which the strategies of one source live: begun when needed, ended at the first thing wrong with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from optconsole.engine.model.plugins import PluginFault
from optconsole.engine.model.text import display
from optconsole.engine.strategies.calls import LONGEST, Call, Hello, Reply, line
from optconsole.engine.strategies.registry import Source
from optconsole.paths import package_data

WORKER: Final = "optconsole.engine.strategies.worker"
START: Final = 15.0
"""Seconds for a process to load its source: a cold disk and a busy machine included."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one call may take: seconds, and megabytes of the process."""

    seconds: float = 0.5
    megabytes: int = 1024


class Failed(Exception):
    """A call came to nothing. ``fault`` says how; the process is gone."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.fault = PluginFault(code, text)


class PluginProcess:
    """Calls are taken one at a time. Whatever goes wrong ends the process; the next call begins another."""

    def __init__(self, source: Source, bounds: Bounds) -> None:
        self.source = source
        self._bounds = bounds
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._hello = Hello()
        self._calls = 0

    async def hello(self) -> Hello:
        """What the source holds. Raises Failed."""
        async with self._lock:
            await self._begun()
            return self._hello

    async def call(self, call: Call) -> Reply:
        """Put one question. Raises Failed."""
        async with self._lock:
            await self._begun()
            self._calls += 1
            numbered = msgspec.structs.replace(call, number=self._calls)
            try:
                answer = await self._told(line(numbered), self._bounds.seconds)
                reply = msgspec.json.decode(answer, type=Reply)
                if reply.number != self._calls:
                    raise Failed("GARBAGE", "it answered a question that was not asked")
            except msgspec.DecodeError:
                await self._end()
                raise Failed("GARBAGE", f"it printed {_quoted(answer)}; a strategy tells things with Note") from None
            except BaseException:
                # a call that was given up leaves its answer in the pipe: that process is no use any more
                await self._end()
                raise
            if reply.fault is not None and reply.fault.code != "BAD_PARAMS":
                await self._end()
            return reply

    async def close(self) -> None:
        """End the process."""
        async with self._lock:
            await self._end()

    # ------------------------------------------------------------ its life

    async def _begun(self) -> None:
        if self._process is not None and self._process.returncode is None:
            return
        await self._end()
        self._process = await self._start()
        try:
            self._hello = msgspec.json.decode(await self._heard(START), type=Hello)
        except msgspec.DecodeError:
            await self._end()
            raise Failed("NO_START", "it prints while it is loaded; a strategy prints nothing") from None
        except BaseException:
            await self._end()
            raise

    async def _start(self) -> asyncio.subprocess.Process:
        source = self.source
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                *("-s", "-P", "-B", "-m", WORKER, source.argument(), source.origin, str(self._bounds.megabytes)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=_environment(),
                cwd="/",
                start_new_session=True,
                limit=LONGEST,
            )
        except OSError as error:
            raise Failed("NO_START", f"its process cannot be begun: {error.strerror}") from None

    async def _told(self, words: bytes, seconds: float) -> bytes:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        with suppress(BrokenPipeError, ConnectionResetError):  # that it is gone shows in what it does not answer
            process.stdin.write(words)
        return await self._heard(seconds)

    async def _heard(self, seconds: float) -> bytes:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                answer = await process.stdout.readline()
        except TimeoutError:
            raise Failed("TOO_SLOW", f"it did not answer within {seconds * 1000:.0f} ms") from None
        except ValueError:
            raise Failed("GARBAGE", f"it answered a line of more than {LONGEST} bytes") from None
        if not answer:
            _kill(process)  # what it began goes with it
            raise Failed("DIED", f"its process ended {_how(await process.wait())}")
        return answer

    async def _end(self) -> None:
        """Nothing that the source began outlives it."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:  # the id of one long gone may be somebody else's
            _kill(process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        await process.wait()
        with suppress(TimeoutError):  # a child that left the group may hold the pipe; it is not waited for
            async with asyncio.timeout(1.0):
                while await process.stdout.read(LONGEST):
                    pass


def _environment() -> dict[str, str]:
    """Nothing of ours but where the program is: no secret of the trader's shell goes with it."""
    return {
        "PYTHONPATH": str(package_data().parent),
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _how(code: int) -> str:
    if code >= 0:
        return f"with exit code {code}"
    with suppress(ValueError):
        return f"by {signal.Signals(-code).name}"
    return f"by signal {-code}"


def _quoted(line: bytes) -> str:
    return repr(display(line.decode("utf-8", "replace").strip(), 80))
