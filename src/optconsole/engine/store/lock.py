"""One engine per home: a lock the kernel takes back by itself when the engine dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from optconsole.engine.model.errors import Refusal
from optconsole.engine.store.home import MOUNTS, not_writable, prepare_home

FILE = "engine.lock"


class HomeLock:
    """The right to be the engine of a home. A context manager, or ``acquire`` and ``release``."""

    def __init__(self, home: Path, mounts: Path = MOUNTS) -> None:
        self.home = home
        self._mounts = mounts
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises Refusal: ENGINE_RUNNING naming the holder's process, and what ``prepare_home`` raises."""
        prepare_home(self.home, self._mounts)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(self.home / FILE, flags, 0o600)
        except OSError as error:
            raise not_writable(self.home, error) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise Refusal(
                "ENGINE_RUNNING",
                f"An engine (process {pid or 'unknown'}) already uses {self.home}; "
                "open it with `optconsole attach`, or stop it first.",
            ) from None
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the home go. The file stays: removing it would let two engines lock two files of one name."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
