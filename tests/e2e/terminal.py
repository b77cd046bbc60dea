"""A real pseudo-terminal with the program in it, read through a terminal emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte

from tests.e2e.process import environment


class Terminal:
    """The console in a pty of a given size; ``screen`` is what a person would see."""

    def __init__(
        self, *words: str, columns: int = 120, rows: int = 36, program: str = "optconsole", **extra: str
    ) -> None:
        self.words = words
        self._emulator = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._emulator)
        self.bytes = bytearray()
        self._fd, slave = pty.openpty()
        self._slave_name = os.ttyname(slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._fd)
            os.login_tty(slave)
            # whoever started the tests in the background had it ignored, and a person's terminal has not
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            # before the program starts, as a real terminal would: set later, it may look too early and never again
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            env = environment(TERM="xterm-256color", COLORTERM="truecolor", **extra)
            for stale in ("COLUMNS", "LINES"):
                # a test of the screens in this process may have left them; they would hide the terminal's own size
                env.pop(stale, None)
            if "NO_COLOR" not in extra:
                env.pop("NO_COLOR", None)
            os.execvpe(sys.executable, [sys.executable, "-m", program, *words], env)
        os.close(slave)

    def resize(self, columns: int, rows: int) -> None:
        self.window(columns, rows)
        self._emulator.resize(rows, columns)

    def window(self, columns: int, rows: int) -> None:
        """Tell the program of another size; the picture that is read here keeps its own."""
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def screen(self) -> str:
        return "\n".join(self._emulator.display)

    def colours(self) -> set[str]:
        """Every foreground and background on the screen now."""
        lines = self._emulator.buffer.values()
        return {colour for line in lines for cell in line.values() for colour in (cell.fg, cell.bg)}

    def press(self, keys: str | bytes) -> None:
        """Send keys in one burst, reading on meanwhile: a paste is longer than the terminal's own buffer."""
        left = memoryview(keys.encode() if isinstance(keys, str) else keys)
        while left:
            readable, writable, _ = select.select([self._fd], [self._fd], [], 10.0)
            assert readable or writable, "the terminal takes no keys"
            if readable:
                self.pump(0.0)
            if writable:
                left = left[os.write(self._fd, left[:1024]) :]

    def clogged(self, seconds: float = 20.0) -> None:
        """Read nothing until nothing more fits into the terminal, and all that the program writes waits."""
        slave = os.open(self._slave_name, os.O_RDWR | os.O_NOCTTY)
        room = select.poll()
        room.register(slave, select.POLLOUT)
        deadline, looks, full = time.monotonic() + seconds, 0, 0
        try:
            while full < 20:
                assert time.monotonic() < deadline, "the terminal never filled up"
                if looks % 5 == 0:
                    # another screen, so that all of it is painted again
                    os.write(self._fd, b"13"[looks // 5 % 2 :][:1])
                full = 0 if room.poll(0) else full + 1
                looks += 1
                time.sleep(0.05)
        finally:
            os.close(slave)

    def pump(self, seconds: float) -> None:
        """Let the program run, and show what it writes."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 or not seconds:
            ready, _, _ = select.select([self._fd], [], [], max(left, 0.0))
            if not ready:
                return
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                return
            if not data:
                return
            self.bytes += data
            self._stream.feed(data)

    def until(self, seen: Callable[[str], bool], what: str, seconds: float = 30.0) -> str:
        """Wait until the screen shows something; fails with the screen as it was."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.pump(0.05)
            if seen(self.screen):
                return self.screen
        raise AssertionError(f"{what} was never shown:\n{self.screen}")

    def shows(self, text: str, seconds: float = 30.0) -> str:
        return self.until(lambda screen: text in screen, text, seconds)

    def ended(self, seconds: float = 15.0) -> int:
        """The exit code, once the program is gone."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.pump(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                # what it wrote last may still lie in the terminal
                self.pump(0.2)
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"still running:\n{self.screen}")

    def gone(self) -> bool:
        """Whether the program has ended; reads nothing of what it still has to say."""
        pid, self.status = os.waitpid(self.pid, os.WNOHANG)
        return pid != 0

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection would."""
        os.close(self._fd)

    def close(self) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return


def fresh_home(folder: Path) -> Path:
    """A home whose first-start page has been read already."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "tour.seen").touch()
    return home
