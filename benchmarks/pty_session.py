"""A program in a real pseudo-terminal of 200x50: what it sends, when, in how many frames, and what it costs."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 200, 50
FRAME_END = b"\x1b[?2026l"
"""A program that is told of synchronized output closes every paint with this."""
_QUERY, _ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_CONTROL = re.compile(rb"\x1b\[[0-9;:?<=>]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_=>78]")
_TICK = os.sysconf("SC_CLK_TCK")


def environment(**extra: str) -> dict[str, str]:
    """The environment of a truecolor terminal at the machine itself, with this checkout's code."""
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("SSH_", "TEXTUAL_", "OPTCONSOLE_"))
    }
    for name in ("TMUX", "NO_COLOR", "PYTHONDONTWRITEBYTECODE"):
        env.pop(name, None)
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    return {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PYTHONPATH": paths, **extra}


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def busy_seconds() -> float:
    """CPU time that the whole machine has spent on anything."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (fields[0] + fields[1] + fields[2] + fields[5] + fields[6]) / _TICK


class PtySession:
    """One run. ``bytes``, ``frames`` and ``first_byte`` (seconds after the start) count what came; times are monotonic.

    As a context manager it ends the program, by force if need be.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.bytes = 0
        self.frames = 0
        self.first_byte: float | None = None
        self.kept = bytearray()
        """The newest output, control sequences and all; the reader may clear it."""
        self._answered = False
        self._tail = b""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))

        def in_child() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True, preexec_fn=in_child
        )
        os.close(slave)

    def __enter__(self) -> PtySession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._master)

    def press(self, key: bytes) -> None:
        """Type; the key goes out in one write, as a terminal sends it."""
        os.write(self._master, key)

    def pump(self, timeout: float) -> bytes:
        """Read once, waiting at most ``timeout`` seconds; the synchronized-output query is answered."""
        ready, _, _ = select.select([self._master], [], [], max(timeout, 0.0))
        if not ready:
            return b""
        try:
            data = os.read(self._master, 1 << 20)
        except OSError:  # Linux reports the other end's closing as an error
            return b""
        if self.first_byte is None:
            self.first_byte = time.perf_counter() - self.started
        self.bytes += len(data)
        self.kept += data
        seen = self._tail + data
        self.frames += seen.count(FRAME_END)
        if not self._answered and _QUERY in seen:
            os.write(self._master, _ANSWER)
            self._answered = True
        # shorter than either mark, so that none is counted twice and none is missed between two reads
        self._tail = seen[-(len(FRAME_END) - 1) :]
        return data

    def until(self, pattern: str, limit: float) -> float:
        """Seconds from the start until the text sent so far matches. Raises RuntimeError when it never does."""
        wanted = re.compile(pattern.encode(), re.DOTALL)
        while time.perf_counter() - self.started < limit:
            if self.pump(0.25):
                now = time.perf_counter() - self.started
                if wanted.search(self.text()):
                    return now
            elif self.process.poll() is not None:
                break
        end = self.text()[-400:].decode(errors="replace")
        raise RuntimeError(f"{pattern!r} never showed within {limit:g} s; the end of what did: {end!r}")

    def text(self) -> bytes:
        """What was sent, without colours and cursor moves."""
        return _CONTROL.sub(b"", bytes(self.kept))
